"""The engine's log stream taken apart: frames of 8 bytes' header, then lines.

Each frame is ``stream (1 byte), 3 zeros, length (4 bytes, big endian)``; a TTY has no frames.
Source: the Docker Engine API's "Attach to a container", section "Stream format".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Protocol

from debughost_cli.models import LogLine

_HEADER = struct.Struct(">BxxxL")
_NAMES = {0: "stdout", 1: "stdout", 2: "stderr"}
CHUNK = 256 * 1024


class Source(Protocol):
    """What a raw HTTP body offers."""

    def stream(self, amt: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """Chunks as they arrive."""
        ...


def lines(raw: Source, *, tty: bool) -> Iterator[LogLine]:
    """Whole lines with their time stamps, without the line's end, in the engine's order."""
    pending: dict[str, bytearray] = {}
    for stream, data in _pieces(raw, tty):
        buffer = pending.setdefault(stream, bytearray())
        buffer += data
        if b"\n" not in data:
            continue
        *whole, rest = bytes(buffer).split(b"\n")
        pending[stream] = bytearray(rest)
        for line in whole:
            yield _line(stream, line)
    for stream, buffer in pending.items():
        if buffer:
            yield _line(stream, bytes(buffer))


def _line(stream: str, line: bytes) -> LogLine:
    stamp, _, data = line.partition(b" ")
    return LogLine(stream, data, stamp.decode("ascii", "replace"))


def _pieces(raw: Source, tty: bool) -> Iterator[tuple[str, bytes]]:
    if tty:
        yield from (("stdout", chunk) for chunk in raw.stream(CHUNK, False))
        return
    buffer = b""
    for chunk in raw.stream(CHUNK, False):
        buffer += chunk
        offset = 0
        while len(buffer) - offset >= _HEADER.size:
            stream, length = _HEADER.unpack_from(buffer, offset)
            end = offset + _HEADER.size + length
            if end > len(buffer):
                break
            yield _NAMES.get(stream, "stderr"), buffer[offset + _HEADER.size : end]
            offset = end
        buffer = buffer[offset:]
