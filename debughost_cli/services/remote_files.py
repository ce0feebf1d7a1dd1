"""What the files of an uploaded workspace are like on the engine, as their container sees them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from debughost_cli import names
from debughost_cli.engine.port import Engine, ExecSpec
from debughost_cli.errors import EngineError
from debughost_cli.project.tree import RESERVED, Entry, EntryKind
from debughost_cli.services.deletions import delete_commands

_LIST = r"""
cd "$1" || exit 1
shift
format='%y %s %T@ %m\0%l\0%p\0'
if find . -maxdepth 0 -printf '' 2>/dev/null; then exec find "$@" -printf "$format"; fi
# busybox: whole seconds, and no names with a line's end.
find "$@" -exec stat -c '%F|%s|%Y|%a|%N|%n' {} +
"""
_KINDS = {"f": EntryKind.FILE, "d": EntryKind.FOLDER, "l": EntryKind.LINK}
_WORDS = {"regular file": "f", "regular empty file": "f", "directory": "d", "symbolic link": "l"}
_AT_ONCE = 400
"""Paths in one command."""
_LONGEST = 256 * 1024**2
"""Bytes of a list; the container could write without an end."""
_NS = 10**9


def list_files(engine: Engine, ref: str, left_out: Iterable[str]) -> dict[str, Entry]:
    """All but what is in ``left_out`` at the top. Raises EngineError, Conflict, NotFound."""
    return _parse(_run(engine, ref, all_files(left_out)))


def all_files(left_out: Iterable[str]) -> tuple[str, ...]:
    """The words for ``find`` that choose all but what is in ``left_out``."""
    left: list[str] = []
    for name in (*left_out, RESERVED):
        left += ["-path", f"./{name}", "-prune", "-o"]
    return (".", "-mindepth", "1", *left, "-path", "./*")


def list_some(engine: Engine, ref: str, paths: Sequence[str]) -> dict[str, Entry]:
    """Those of ``paths`` that are there."""
    found: dict[str, Entry] = {}
    for start in range(0, len(paths), _AT_ONCE):
        chosen = [f"./{p}" for p in paths[start : start + _AT_ONCE]]
        found |= _parse(_run(engine, ref, (*chosen, "-maxdepth", "0")))
    return found


def is_same(one: Entry | None, other: Entry | None) -> bool:
    """Whether there is nothing to bring from one side to the other; permissions do not count."""
    if one is None or other is None or one.kind is not other.kind:
        return one is other
    if one.kind is EntryKind.LINK:
        return one.target == other.target
    if one.kind is EntryKind.FOLDER:
        return True
    whole = not (one.mtime_ns % _NS and other.mtime_ns % _NS)
    times = (one.mtime_ns // _NS, other.mtime_ns // _NS) if whole else (
        one.mtime_ns, other.mtime_ns
    )  # fmt: skip
    return one.size == other.size and times[0] == times[1]


def list_command(words: Sequence[str]) -> tuple[str, ...]:
    """The command that lists what the words for ``find`` choose."""
    return ("/bin/sh", "-c", _LIST, "list", names.WORKDIR, *words)


def delete_now(engine: Engine, ref: str, paths: Sequence[str], kept: Mapping[str, Entry]) -> None:
    """Deletes those of ``paths`` that are not in ``kept``. Raises Conflict, NotFound."""
    for start in range(0, len(paths), _AT_ONCE):
        commands = os.fsdecode(delete_commands(paths[start : start + _AT_ONCE], kept))
        engine.exec.run(ref, ("/bin/sh", "-c", commands))


def _run(engine: Engine, ref: str, words: Sequence[str]) -> bytes:
    command = list_command(words)
    output = bytearray()

    def keep(stream: str, data: memoryview) -> None:
        if stream == "stdout":
            output.extend(data)
        if len(output) > _LONGEST:
            raise EngineError("the list of the files in the container is too long")

    # As root: what the program keeps to itself is there as well.
    running = engine.exec.start(ref, ExecSpec(command, user="0"))
    try:
        running.pump(None, keep)
    finally:
        running.close()
    return bytes(output)


def _parse(output: bytes) -> dict[str, Entry]:
    if b"\0" in output:
        return _parse_records(output)
    return _parse_lines(output)


def _parse_records(output: bytes) -> dict[str, Entry]:
    fields = output.split(b"\0")
    found: dict[str, Entry] = {}
    for facts, target, path in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        kind, size, time_, mode = facts.decode("ascii", "replace").split(" ")
        seconds, _, fraction = time_.partition(".")
        mtime = int(seconds) * _NS + int(fraction[:9].ljust(9, "0") or 0)
        _add(found, path, kind, int(size), mtime, mode, target)
    return found


def _parse_lines(output: bytes) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for line in output.splitlines():
        parts = line.split(b"|", 4)
        if len(parts) != 5:
            continue
        word, size, time_, mode = (p.decode("ascii", "replace") for p in parts[:4])
        shown, _, path = parts[4].rpartition(b"|")
        target = shown.partition(b" -> ")[2].strip(b"'")
        _add(found, path, _WORDS.get(word, ""), int(size), int(time_) * _NS, mode, target)
    return found


def _add(
    found: dict[str, Entry], path: bytes, kind: str, size: int, mtime: int, mode: str, target: bytes
) -> None:
    name = os.fsdecode(path).removeprefix("./")
    if kind not in _KINDS or name in ("", "."):
        return
    is_file = kind == "f"
    found[name] = Entry(
        _KINDS[kind], size if is_file else 0, mtime if is_file else 0, int(mode, 8) & 0o777,
        os.fsdecode(target) if kind == "l" else "",
    )  # fmt: skip


def conflicts(
    base: Mapping[str, Entry],
    local: Mapping[str, Entry],
    remote: Mapping[str, Entry],
    paths: Iterable[str],
) -> list[str]:
    """Those of ``paths`` that differ from ``base`` on both sides, and from each other."""
    return sorted(
        path
        for path in paths
        if path in remote
        and remote[path].kind is not EntryKind.FOLDER
        and not (path in base and base[path].size < 0)
        and not is_same(base.get(path), local.get(path))
        and not is_same(base.get(path), remote[path])
        and not is_same(local.get(path), remote[path])
    )
