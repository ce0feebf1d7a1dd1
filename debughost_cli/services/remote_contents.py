"""The contents of files in a container, read without trusting it."""

from __future__ import annotations

import os
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, BinaryIO

from debughost_cli import names
from debughost_cli.engine.port import Engine, ExecSpec
from debughost_cli.errors import DebughostError, EngineError
from debughost_cli.project.tree import Entry

_TAR = 'cd "$1" && exec tar -c -f - --no-recursion --null -T -'


def read_contents(
    engine: Engine, ref: str, files: Mapping[str, Entry]
) -> Iterator[tuple[str, IO[bytes]]]:
    """The files as ``tar`` in the container has them: those of ``files``, in any order.

    Nothing but their names, sizes and bytes is taken from the archive.
    """
    running = engine.exec.start(
        ref, ExecSpec(("/bin/sh", "-c", _TAR, "debughost", names.WORKDIR), user="0", stdin=True)
    )
    wanted = b"".join(os.fsencode(f"./{p}") + b"\0" for p in files)
    with _piped(running.pump, wanted) as output:
        try:
            with tarfile.open(
                fileobj=output, mode="r|",
                encoding="utf-8", errors="surrogateescape",
            ) as tar:  # fmt: skip
                for member in tar:
                    path = member.name.removeprefix("./")
                    entry = files.get(path)
                    data = tar.extractfile(member) if member.isreg() else None
                    if entry and data and member.size == entry.size:
                        yield path, data
        except (tarfile.TarError, ValueError, RecursionError, OverflowError) as exc:
            raise EngineError(
                f"the files of the container cannot be read: {exc}",
                hint="The container needs tar: look for it with 'debughost shell'",
            ) from exc
        finally:
            running.close()


@contextmanager
def _piped(
    pump: Callable[[int, Callable[[str, memoryview], None]], None], text: bytes
) -> Iterator[BinaryIO]:
    """The output of a command that reads ``text``, as a file."""
    read, write = os.pipe()
    stdin, given = os.pipe()

    def feed() -> None:
        with suppress(OSError), os.fdopen(given, "wb") as file:
            file.write(text)

    def take(stream: str, data: memoryview) -> None:
        if stream == "stdout":
            sink.write(data)

    def run() -> None:
        # Whoever reads has what came until then: an archive that is not complete.
        with suppress(OSError, DebughostError, ValueError), sink:
            pump(stdin, take)

    sink = os.fdopen(write, "wb", buffering=0)
    threads = [threading.Thread(target=work, daemon=True) for work in (feed, run)]
    for thread in threads:
        thread.start()
    with os.fdopen(read, "rb") as output:
        yield output
    for thread in threads:
        thread.join(5)
    os.close(stdin)
