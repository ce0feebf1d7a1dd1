"""An archive that an engine sends, read as it comes."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from typing import IO, cast


class _Stream:
    """The parts of an archive as a file that is only read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._left = b""

    def read(self, amount: int) -> bytes:
        while len(self._left) < amount and (part := next(self._parts, b"")):
            self._left += part
        data, self._left = self._left[:amount], self._left[amount:]
        return data


def open_archive(parts: Iterable[bytes]) -> tarfile.TarFile:
    """The archive of these bytes; its members can be read once, in order. Raises TarError."""
    stream = cast("IO[bytes]", _Stream(iter(parts)))
    return tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape")
