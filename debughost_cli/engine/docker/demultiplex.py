"""The one demultiplexer of the engine's attached streams: of logs and of commands.

Each frame is ``stream (1 byte), 3 zeros, length (4 bytes, big endian)``, then that many bytes.
Source: the Docker Engine API's "Attach to a container", section "Stream format".
"""

from __future__ import annotations

import struct

Buffer = bytes | memoryview
HEADER = struct.Struct(">BxxxL")
_NAMES = {0: "stdout", 1: "stdout", 2: "stderr"}


def stream_name(number: int) -> str:
    """``stdout`` or ``stderr``; streams of engines to come are not lost."""
    return _NAMES.get(number, "stderr")


class Demultiplexer:
    """Takes a stream apart, however its bytes arrive.

    ``partial``: what has arrived of a frame is returned at once; else a frame is kept until it is
    whole. Nothing else is kept, and nothing is copied but for what is kept.
    """

    def __init__(self, *, partial: bool = False) -> None:
        self._partial = partial
        self._rest: bytes = b""
        self._stream = 1
        self._missing = 0

    def feed(self, chunk: Buffer) -> list[tuple[int, Buffer]]:
        """The stream numbers and payloads that the next bytes of the connection complete."""
        data = self._rest + chunk if self._rest else chunk
        found: list[tuple[int, Buffer]] = []
        offset, length = 0, len(data)
        if self._missing:
            offset = min(self._missing, length)
            self._missing -= offset
            found.append((self._stream, data[:offset]))
        unpack, header = HEADER.unpack_from, HEADER.size
        while (start := offset + header) <= length:
            stream, count = unpack(data, offset)
            end = start + count
            if end > length:
                if self._partial:
                    self._stream, self._missing = stream, end - length
                    if start < length:
                        found.append((stream, data[start:]))
                    offset = length
                break
            found.append((stream, data[start:end]))
            offset = end
        self._rest = bytes(data[offset:])
        return found
