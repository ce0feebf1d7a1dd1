"""Plain files from the tar stream of ``GET /containers/{id}/archive``.

A container decides what is in it: files of any size, sparse ones, headers without an end. So the
stream is read up to a limit, and the connection is closed where the rest would follow.
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterator
from typing import IO, Protocol, cast

LONGEST = 4 * 1024**2
"""Bytes of an archive that are read; it holds the largest ``limit`` that is used, and headers."""


class Source(Protocol):
    """What a raw HTTP body offers."""

    def read(self, amt: int) -> bytes:
        """The next bytes; none at the end."""
        ...


class _Limited:
    """A source that ends after so many bytes; ``is_cut`` tells that it has."""

    def __init__(self, source: Source, limit: int) -> None:
        self._source = source
        self._left = limit
        self.is_cut = False

    def read(self, amt: int) -> bytes:
        if self._left <= 0:
            self.is_cut = True
            return b""
        data = self._source.read(min(amt, self._left))
        self._left -= len(data)
        return data


def plain_files(source: Source, limit: int) -> dict[str, bytes]:
    """The plain files straight in the archive's folder, each cut at ``limit`` bytes.

    What comes after the first ``LONGEST`` bytes of the archive is left out. Raises TarError and
    ValueError for what is no archive.
    """
    limited = _Limited(source, LONGEST)
    found: dict[str, bytes] = {}
    try:
        found.update(_files(limited, limit))
    except tarfile.ReadError:
        if not limited.is_cut:
            raise
    except (RecursionError, OverflowError) as exc:
        # Of tarfile itself: a header for a header for a header, and numbers of no file.
        raise ValueError(f"this is no archive of files: {type(exc).__name__}") from exc
    return found


def _files(source: _Limited, limit: int) -> Iterator[tuple[str, bytes]]:
    # A stream: nothing is searched for, and nothing is kept but what is asked for.
    with tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|") as tar:
        for member in tar:
            handle = tar.extractfile(member) if member.isreg() else None
            if handle and posixpath.dirname(member.name).count("/") == 0:
                yield posixpath.basename(member.name), handle.read(limit)
            if "/" not in member.name and not member.isdir():
                # The archive of one file: its rest is not waited for.
                return
