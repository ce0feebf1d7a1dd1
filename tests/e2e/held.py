"""Commands that stand still at a step of theirs until they are let go, several at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .harness import Program, Result

Words = tuple[str | Path, ...]


class Held:
    """A command that stands still from its moment on, which a line of its output tells."""

    def __init__(self, run: Program, moment: str, args: Words) -> None:
        command, *rest = args
        self.args = (command, "--json", "--verbose", *rest)
        self.moment = moment
        self.is_there = threading.Event()
        self.seen = {"stdout": b"", "stderr": b""}
        self.process = run.start(*self.args)
        self._readers = [threading.Thread(target=self._read, args=(n,)) for n in self.seen]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str) -> None:
        stream = getattr(self.process, name)
        with stream:
            for line in stream:
                self.seen[name] += line
                if self.moment.encode() in line and not self.is_there.is_set():
                    self.process.send_signal(signal.SIGSTOP)
                    self.is_there.set()

    def let_go(self) -> None:
        """Goes on; the time it takes is counted from here."""
        self.began = time.monotonic()
        self.process.send_signal(signal.SIGCONT)

    def result(self) -> Result:
        """What it came to, once it has ended."""
        code = self.process.wait(timeout=120)
        took = time.monotonic() - self.began
        for reader in self._readers:
            reader.join()
        words = tuple(map(str, self.args))
        found = Result(words, code, self.seen["stdout"], self.seen["stderr"], took, True)
        assert b"Traceback" not in found.stderr, str(found)
        assert found.document, str(found)
        return found

    def end(self) -> None:
        """Ends it, however far it is."""
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()


@contextmanager
def held(run: Program, commands: Sequence[tuple[str, Words]]) -> Iterator[list[Held]]:
    """Commands, each at its moment; let go when the block begins."""
    started: list[Held] = []
    try:
        for moment, args in commands:
            started.append(Held(run, moment, args))
        for one in started:
            assert one.is_there.wait(60), f"{one.moment!r} never came: {one.seen}"
        for one in started:
            one.let_go()
        yield started
    finally:
        for one in started:
            one.end()
