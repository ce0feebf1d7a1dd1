"""Lines out of pieces, and the newest of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from debughost_cli.planning.log_cursor import (
    ALL,
    STREAMS,
    Position,
    Positions,
    Progress,
    Skip,
    since,
    size,
)
from debughost_cli.planning.log_times import to_ns
from debughost_cli.resources import LogFragment, LogLine

LONGEST = 12 * 1024**2
"""Bytes of a line that are held in memory; a longer one comes in pieces of at least this size."""
MOST = 24 * 1024**2
"""Bytes of last lines that are held in memory; of more, the oldest are left out."""
_BLOCK = 4096
"""Engines cut long lines at multiples of this (Docker: 16 KiB). Any other size is a line's end."""

Matches = Callable[[LogLine], bool]


@dataclass(frozen=True)
class ProjectLine:
    """A line and whose it is."""

    project: str
    line: LogLine


@dataclass
class _Open:
    """A line whose end is still to come."""

    ts: str
    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, data: bytes) -> None:
        self.parts.append(data)
        self.size += len(data)

    def goes_on_with(self, item: LogLine) -> bool:
        """Pieces of one line share the stamp; what a dead program left unfinished does not."""
        return item.ts in (self.ts, "") or (self.size > 0 and self.size % _BLOCK == 0)

    def line(self, stream: str, last: LogLine) -> LogLine:
        return LogLine(stream, b"".join([*self.parts, last.data]), self.ts)

    def fragment(self, stream: str) -> LogFragment:
        return LogFragment(stream, b"".join(self.parts), self.ts)


def joined(items: Iterable[LogLine], longest: int = LONGEST) -> Iterator[LogLine]:
    """Whole lines; a LogFragment where a line is longer than ``longest`` bytes or never ends."""
    waiting: dict[str, _Open] = {}
    for item in items:
        held = waiting.get(item.stream)
        if held and not held.goes_on_with(item):
            yield waiting.pop(item.stream).fragment(item.stream)
            held = None
        if not isinstance(item, LogFragment):
            yield waiting.pop(item.stream).line(item.stream, item) if held else item
            continue
        held = held or waiting.setdefault(item.stream, _Open(item.ts))
        held.add(item.data)
        if held.size >= longest:
            yield waiting.pop(item.stream).fragment(item.stream)
    for stream, held in waiting.items():
        yield held.fragment(stream)


@dataclass(frozen=True)
class Newest:
    """The last lines of a container, and the places at their end.

    ``truncated``: there were more that were wanted, but they are too long.
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
        self._progress = Progress(start)
        self._entries = 0
        self._first = ""

    def read(self, entries: Iterable[LogLine]) -> None:
        """Takes all ``entries`` in, as pieces."""
        for line in joined(self._new(entries)):
            self._progress.note(line)
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
        """The lines, None where the window is too small to tell."""
        positions = self._progress.positions()
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
        """True where the window reaches back to the start that was asked for."""
        earliest = since(self._start)
        return earliest is not None and begin < earliest


def _at_least(place: Position | None, begin: int) -> Position:
    """A stream that said nothing in the window was last heard of before it."""
    return place if place and place.ns > begin else Position(begin, ALL)


def within(lines: Iterable[ProjectLine], limit: int) -> tuple[list[ProjectLine], bool]:
    """The newest whole lines that come to at most ``limit`` bytes, and whether any were left out.

    Of a line that is too long by itself the end is kept.
    """
    kept: deque[ProjectLine] = deque()
    total, cut = 0, False
    for item in lines:
        kept.append(item)
        total += size(item.line)
        while total > limit and len(kept) > 1:
            total -= size(kept.popleft().line)
            cut = True
        if total > limit:
            kept[0] = replace(item, line=_end_of(item.line, limit))
            total, cut = limit, True
    return list(kept), cut


def _end_of(line: LogLine, limit: int) -> LogLine:
    over = size(line) - limit
    return type(line)(line.stream, line.data[over:], line.ts)
