"""Which files of an uploaded workspace have changed here and there since the upload."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.project.manifest import Changes
from debughost_cli.project.tree import Entry, EntryKind, Tree, open_entry
from debughost_cli.services.archive_stream import open_archive
from debughost_cli.services.remote_files import conflicts, list_files, list_some

_MANY = 2000
"""Changed paths from which on all files there are listed, and not each of them."""
_MANY_STOPPED = 50
"""The same where nothing runs: each path is a request then."""
_NS = 10**9
_CHUNK = 1 << 16


def changed_on_both(
    engine: Engine, ref: str, workspace: Path, base: Mapping[str, Entry], tree: Tree,
    changes: Changes, left_out: Iterable[str], *, is_running: bool,
) -> list[str]:  # fmt: skip
    """Those of ``changes`` that the program changed as well, and to something else.

    Sizes and times are compared, and the contents where these tell nothing. Raises Conflict,
    NotFound, and what the engine raises.
    """
    paths = list(changes.paths)
    if not is_running:
        remote = _list_stopped(engine, ref, paths)
    elif len(paths) > _MANY:
        remote = list_files(engine, ref, left_out)
    else:
        remote = list_some(engine, ref, paths)
    found = conflicts(base, tree.entries, remote, paths)
    return [
        path
        for path in found
        if not (
            _may_be_equal(tree.entries.get(path), remote[path])
            and _is_equal(engine, ref, workspace, path)
        )
    ]


def without(tree: Tree, base: Mapping[str, Entry], paths: Sequence[str]) -> Tree:
    """``tree`` as if nothing had changed here at ``paths``."""
    kept = {p: base[p] for p in paths if p in base}
    below = tuple(f"{p}/" for p in paths)
    entries = {p: e for p, e in tree.entries.items() if p not in paths and not p.startswith(below)}
    return replace(tree, entries=entries | kept)


def _may_be_equal(here: Entry | None, there: Entry) -> bool:
    if here is None:
        return False
    return here.kind is there.kind is EntryKind.FILE and here.size == there.size


def _is_equal(engine: Engine, ref: str, workspace: Path, path: str) -> bool:
    """Whether a file has the same contents here and there."""
    with suppress(OSError, NotFound, tarfile.TarError), _archive(engine, ref, path) as tar:
        member = tar.next()
        data = tar.extractfile(member) if member and member.isreg() else None
        if data is None:
            return False
        with _opened(workspace, path) as file:
            while (here := file.read(_CHUNK)) == data.read(_CHUNK):
                if not here:
                    return True
    return False


@contextmanager
def _opened(workspace: Path, path: str) -> Iterator[BinaryIO]:
    """A file of the workspace, reached without following links. Raises OSError."""
    root = os.open(workspace, os.O_RDONLY)
    try:
        with os.fdopen(open_entry(root, path), "rb") as file:
            yield file
    finally:
        os.close(root)


def _list_stopped(engine: Engine, ref: str, paths: Sequence[str]) -> dict[str, Entry]:
    """Those of ``paths`` that are there, through a container that does not run."""
    is_plain = all(p.isprintable() for p in paths)
    if len(paths) > _MANY_STOPPED or not is_plain:
        return _list_all(engine, ref)
    found: dict[str, Entry] = {}
    for path in paths:
        with suppress(NotFound), _archive(engine, ref, path) as tar:
            member = tar.next()
            if member and (entry := _entry(member)):
                found[path] = entry
    return found


def _list_all(engine: Engine, ref: str) -> dict[str, Entry]:
    top = f"{names.WORKDIR.strip('/')}/"
    with _archive(engine, ref) as tar:
        entries = ((m.name.removeprefix(top), _entry(m)) for m in tar)
        return {path: entry for path, entry in entries if entry}


@contextmanager
def _archive(engine: Engine, ref: str, path: str = "") -> Iterator[tarfile.TarFile]:
    parts = engine.containers.get_archive(ref, f"{names.WORKDIR}/{path}".rstrip("/"))
    try:
        with open_archive(parts) as tar:
            yield tar
    finally:
        if isinstance(parts, Generator):
            # What follows is of no interest.
            parts.close()


def _entry(member: tarfile.TarInfo) -> Entry | None:
    """Engines give times in seconds."""
    if member.isreg():
        return Entry(EntryKind.FILE, member.size, int(member.mtime) * _NS)
    if member.issym():
        return Entry(EntryKind.LINK, target=member.linkname)
    return Entry(EntryKind.FOLDER) if member.isdir() else None
