"""The last lines of a container, found in the last entries of its log."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from debughost_cli.planning.log_lines import joined
from debughost_cli.planning.log_positions import (
    ALL,
    STREAMS,
    Position,
    Positions,
    PositionTracker,
    Skip,
    since,
    size,
)
from debughost_cli.planning.log_times import to_ns
from debughost_cli.resources import LogLine

MOST = 24 * 1024**2
"""Bytes of last lines that are held in memory; of more, the oldest are left out."""

Matches = Callable[[LogLine], bool]


class Newest(Struct, frozen=True):
    """The last lines of a container, and the places at their end.

    ``truncated``: there were more that match, but they are too long.
    """

    lines: deque[LogLine]
    positions: Positions
    truncated: bool = False


class Window:
    """One reading of the engine's last ``count`` entries (None: all), to find the last lines in.

    The engine counts a long line as several entries, so a window may begin within a line and hold
    fewer lines than entries. What it holds for certain is everything that is stamped later than
    its first entry.
    """

    def __init__(
        self, count: int | None, requested: int, matches: Matches, start: Positions
    ) -> None:
        self._count = count
        self._requested = requested
        self._kept: deque[LogLine] = deque()
        self._size = 0
        self._truncated = False
        self._matches = matches
        self._skip = Skip(start)
        self._start = start
        self._tracker = PositionTracker(start)
        self._entries = 0
        self._first = ""

    def read(self, entries: Iterable[LogLine]) -> None:
        """Reads all ``entries``, which are log fragments."""
        for line in joined(self._new(entries)):
            self._tracker.note(line)
            if self._matches(line):
                self._keep(line)

    def _keep(self, line: LogLine) -> None:
        self._kept.append(line)
        self._size += size(line)
        if len(self._kept) > self._requested:
            self._size -= size(self._kept.popleft())
        while self._size > MOST:
            self._size -= size(self._kept.popleft())
            self._truncated = True

    def _new(self, entries: Iterable[LogLine]) -> Iterator[LogLine]:
        for entry in entries:
            self._entries += 1
            self._first = self._first or entry.ts
            rest = self._skip.rest(entry)
            if rest is not None:
                yield rest

    def found(self) -> Newest | None:
        """The lines; None where the window may be too small."""
        positions = self._tracker.positions()
        begin = to_ns(self._first) if self._first else ALL
        everything = self._count is None or self._entries < self._count or self._covers(begin)
        if not everything:
            positions = {s: _at_least(positions.get(s), begin) for s in STREAMS}
            if not self._is_certain(positions, begin):
                return None
        truncated = self._truncated and len(self._kept) < self._requested
        return Newest(self._kept, positions, truncated)

    def _is_certain(self, positions: Positions, begin: int) -> bool:
        enough = self._truncated or len(self._kept) == self._requested
        lines_known = all(line.ts and to_ns(line.ts) > begin for line in self._kept)
        return enough and lines_known and any(p.ns > begin for p in positions.values())

    def _covers(self, begin: int) -> bool:
        """True where the window reaches back to the requested start."""
        earliest = since(self._start)
        return earliest is not None and begin < earliest


def _at_least(place: Position | None, begin: int) -> Position:
    """A stream without output in the window had its last output before it."""
    return place if place and place.ns > begin else Position(begin, ALL)
