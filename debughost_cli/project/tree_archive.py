"""A workspace as a tar archive, made while it is read and sent."""

from __future__ import annotations

import os
import tarfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct, field

from debughost_cli.project.tree import Entry, EntryKind, file_entry, open_entry
from debughost_cli.specs import User

CHUNK = 256 * 1024
"""Bytes that are read and sent at a time."""
_TYPES = {EntryKind.FOLDER: tarfile.DIRTYPE, EntryKind.LINK: tarfile.SYMTYPE}


class TreeArchive(Struct):
    """Reads entries of a workspace; what came of them is known once the archive has ended.

    ``workspace``: a descriptor of its folder. ``user``: None for root, and all may write what its
    owner may. ``prefix``: the folder in the archive, with a final ``/``. ``on_file`` is called
    after each file with its size.
    """

    workspace: int
    user: User | None
    prefix: str = "app/"
    on_file: Callable[[int], None] = lambda size: None
    sent: dict[str, Entry] = field(default_factory=dict)
    """What is there now, as it was when it was read."""
    changing: set[str] = field(default_factory=set)
    """Files that changed while they were read, each time."""
    gone: set[str] = field(default_factory=set)
    """What could not be read any more: it was removed, or replaced by something else."""

    def parts(self, entries: Mapping[str, Entry]) -> Iterator[bytes]:
        """The entries; files that changed while they were read come once more, at the end."""
        for path, entry in entries.items():
            yield from self._entry(path, entry)
        again, self.changing = sorted(self.changing), set()
        for path in again:
            yield from self._file(path)

    def file(self, path: str, data: bytes) -> Iterator[bytes]:
        """A file that the workspace does not have. ``path``: below ``prefix``."""
        yield self._head(path, Entry(EntryKind.FILE, len(data), time.time_ns(), 0o644))
        yield _padded(data)

    def folder(self, path: str, mode: int) -> Iterator[bytes]:
        """A folder; an empty ``path`` is that of ``prefix`` itself."""
        yield self._head(path, Entry(EntryKind.FOLDER, mode=mode))

    def _entry(self, path: str, entry: Entry) -> Iterator[bytes]:
        if entry.kind is EntryKind.FILE:
            yield from self._file(path)
        else:
            yield self._head(path, entry)
            self.sent[path] = entry

    def _file(self, path: str) -> Iterator[bytes]:
        try:
            descriptor = open_entry(self.workspace, path)
        except OSError:
            self.gone.add(path)
            self.sent.pop(path, None)
            return
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            entry = file_entry(os.fstat(descriptor))
            yield self._head(path, entry)
            left = entry.size
            while left and (data := _read(file.read, min(left, CHUNK))):
                left -= len(data)
                yield data if left else _padded(data, entry.size)
            while left:
                # It became shorter; the archive has to be as long as it said.
                part = min(left, CHUNK)
                left -= part
                yield bytes(part) if left else _padded(bytes(part), entry.size)
            after = file_entry(os.fstat(descriptor))
        self.sent[path] = entry
        if after != entry:
            self.changing.add(path)
        self.on_file(entry.size)

    def _head(self, path: str, entry: Entry) -> bytes:
        info = tarfile.TarInfo((self.prefix + path).rstrip("/"))
        info.type = _TYPES.get(entry.kind, tarfile.REGTYPE)
        info.mode, info.linkname = entry.mode, entry.target
        if self.user:
            info.uid, info.gid = self.user.uid, self.user.gid
        else:
            info.mode |= info.mode >> 3 | info.mode >> 6
        info.size = entry.size
        mtime = max(0, entry.mtime_ns) if entry.kind is EntryKind.FILE else time.time_ns()
        # Exact: what watches files takes note of two changes within a second.
        info.pax_headers = {"mtime": f"{mtime // 10**9}.{mtime % 10**9:09}"}
        return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _read(read: Callable[[int], bytes | None], size: int) -> bytes:
    """Nothing at the end, and of what cannot be read."""
    try:
        return read(size) or b""
    except OSError:
        return b""


def _padded(data: bytes, size: int | None = None) -> bytes:
    """With zeros up to a whole block; ``size``: of the whole file, whose last part this is."""
    return data + bytes(-(len(data) if size is None else size) % tarfile.BLOCKSIZE)


def compressed(parts: Iterable[bytes]) -> Iterator[bytes]:
    """An archive of these parts, with its end, compressed with gzip in chunks worth sending."""
    writer = zlib.compressobj(1, wbits=31)
    buffer = bytearray()
    for part in parts:
        buffer += writer.compress(part)
        if len(buffer) >= CHUNK:
            yield bytes(buffer)
            buffer.clear()
    yield bytes(buffer) + writer.compress(bytes(2 * tarfile.BLOCKSIZE)) + writer.flush()
