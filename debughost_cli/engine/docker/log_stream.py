"""The engine's log stream as entries: one frame for each, or, of a TTY, plain text.

With time stamps, each entry begins with ``STAMP SPACE``. A line of more than 16 KiB is several
entries, all with the stamp of the first, and only the last of them ends with a newline. Source:
moby's ``daemon/logger/copier.go``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Protocol

from msgspec.structs import replace

from debughost_cli.engine.docker import vendor
from debughost_cli.engine.docker.demultiplex import Demultiplexer, stream_name
from debughost_cli.engine.port import LogQuery
from debughost_cli.planning.log_lines import joined
from debughost_cli.resources import LogFragment, LogLine

CHUNK = 256 * 1024
ENTRY = 16 * 1024
"""The longest entry of a log in bytes, without its stamp."""
_REST = 0.0003
_STAMP = 64
"""No stamp is longer than this."""


class Source(Protocol):
    """What a raw HTTP body offers."""

    def stream(self, amt: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """Chunks as they arrive."""
        ...

    def read(self, amt: int, decode_content: bool | None = None) -> bytes:
        """Exactly ``amt`` bytes, fewer at the end alone."""
        ...


def lines(raw: Source, query: LogQuery, *, tty: bool) -> Iterator[LogLine]:
    """The body as ``query`` requests it, in the engine's order."""
    chunks = _chunks(raw, query.follow)
    if query.fragments and not query.stamps:
        return _unframed(chunks) if tty else bulk(chunks)
    found = entries(chunks, tty=tty, stamps=query.stamps)
    return found if query.fragments else joined(found)


def _chunks(raw: Source, follow: bool) -> Iterable[bytes]:
    """Of a stream each chunk at once; else chunks as large as possible."""
    if follow:
        return raw.stream(CHUNK, False)
    # The engine sends every entry as a chunk of its own: http.client takes longer to take them
    # apart than the engine to send them. So this reads the file below it.
    file = vendor.buffered_file(raw)
    if getattr(raw, "chunked", False) and hasattr(file, "read1"):
        return unchunked(_rests(file.read1))
    return iter(partial(raw.read, CHUNK, False), b"")


def _rests(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """What has arrived, with short pauses in which more arrives.

    A blocked reader is woken for every entry, which costs the engine more than the entry.
    """
    while block := read(CHUNK):
        yield block
        time.sleep(_REST)


def unchunked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The body of a chunked HTTP answer. Raises ConnectionError where its end is missing."""
    rest = b""
    for block in blocks:
        data = rest + block if rest else block
        find, length = data.find, len(data)
        parts: list[bytes] = []
        offset = 0
        while (head := find(b"\r\n", offset)) >= 0:
            count = int(data[offset:head], 16)
            end = head + 2 + count
            if end + 2 > length:
                break
            if count == 0:
                yield b"".join(parts)
                return
            parts.append(data[head + 2 : end])
            offset = end + 2
        yield b"".join(parts)
        rest = data[offset:]
    raise ConnectionError("the engine's answer broke off")


def bulk(chunks: Iterable[bytes]) -> Iterator[LogFragment]:
    """What neighbouring frames of one stream hold, in one piece for each chunk."""
    frames = Demultiplexer()
    for chunk in chunks:
        for number, group in groupby(frames.feed(chunk), itemgetter(0)):
            yield LogFragment(stream_name(number), b"".join([data for _, data in group]))


def _unframed(chunks: Iterable[bytes]) -> Iterator[LogFragment]:
    return (LogFragment("stdout", chunk) for chunk in chunks)


def entries(chunks: Iterable[bytes], *, tty: bool, stamps: bool) -> Iterator[LogLine]:
    """The log's entries, a LogFragment for each that does not end its line."""
    cut = _tty_entries(chunks, stamps) if tty else _frames(chunks)
    for stream, data in cut:
        if data.find(b"\n", 0, -1) < 0:
            yield _entry(stream, data, stamps)
        else:
            yield from _several(stream, data, stamps)


def _several(stream: str, data: bytes, stamps: bool) -> Iterator[LogLine]:
    """Lines of one frame, as engines other than Docker may send them."""
    stamp = ""
    for text in _split(data):
        line = _entry(stream, text, stamps)
        stamp = line.ts or stamp
        yield replace(line, ts=stamp)


def _split(data: bytes) -> list[bytes]:
    """At newlines alone, which are kept."""
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def _entry(stream: str, data: bytes, stamps: bool) -> LogLine:
    if not stamps:
        return _made(stream, data, "")
    stamp, _, text = data.partition(b" ")
    if stamp[10:11] != b"T":
        # The engine's own messages on what it cannot read have no stamp.
        return _made(stream, data, "")
    return _made(stream, text, stamp.decode("ascii", "replace"))


def _made(stream: str, data: bytes, stamp: str) -> LogLine:
    if data.endswith(b"\n"):
        return LogLine(stream, data[:-1], stamp)
    return LogFragment(stream, data, stamp)


def _frames(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    frames = Demultiplexer()
    for chunk in chunks:
        for number, data in frames.feed(chunk):
            yield stream_name(number), bytes(data)


def _tty_entries(chunks: Iterable[bytes], stamps: bool) -> Iterator[tuple[str, bytes]]:
    """Only newlines and stamps separate the entries of a TTY's output."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        offset = 0
        while end := _entry_end(data, offset, stamps):
            yield "stdout", data[offset:end]
            offset = end
        rest = data[offset:]
    # What is left is a line without an end, and perhaps the full entry before it.
    while rest:
        end = _entry_end(rest + bytes(_STAMP), 0, stamps)
        yield "stdout", rest[: end or len(rest)]
        rest = rest[end or len(rest) :]


def _entry_end(data: bytes, start: int, stamps: bool) -> int:
    """Where the entry at ``start`` ends; 0 where more of it must come first."""
    if stamps and len(data) - start < _STAMP:
        newline = data.find(b"\n", start)
        return newline + 1
    text = data.find(b" ", start, start + _STAMP) + 1 if stamps else start
    full = (text or start) + ENTRY
    newline = data.find(b"\n", text or start, full + 1)
    if newline >= 0:
        return newline + 1
    # The next entry of a long line begins with the same stamp, in the middle of the text.
    return full if len(data) >= full + _STAMP else 0
