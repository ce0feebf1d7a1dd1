"""The places in two streams of output up to which they were read.

The engine knows no positions, only time stamps, and many lines may carry one stamp. So a place is
a stamp and the number of bytes with that stamp that were read, for stdout and stderr each: within
one stream stamps never go back, between the two they may by a little.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from debughost_cli.planning.log_times import SECOND, to_ns
from debughost_cli.resources import LogFragment, LogLine

STREAMS = ("stdout", "stderr")
ALL = 1 << 62
"""As ``seen``: everything with that stamp was read."""
SKEW = 2 * SECOND
"""By how much one stream's stamps may be behind the other's in the order of the log."""


class Position(Struct, frozen=True):
    """A place in one stream: after ``seen`` bytes with the stamp ``ns``, line ends included.

    ``open``: the line that was read last has no end yet.
    """

    ns: int
    seen: int = 0
    open: bool = False


Positions = Mapping[str, Position]
"""Stream to place; a missing stream had no output so far."""


def size(line: LogLine) -> int:
    """The line's bytes in the output, its end included."""
    return len(line.data) + (not isinstance(line, LogFragment))


def since(positions: Positions) -> int | None:
    """The earliest stamp that the next line may have; None for any."""
    if not positions:
        return None
    newest = max(p.ns for p in positions.values())
    places = [positions.get(s, Position(newest - SKEW)) for s in STREAMS]
    # The rest of a line has the stamp of its beginning, however long ago that was.
    return min(p.ns if p.open else max(p.ns, newest - SKEW) for p in places)


def later(one: Positions, other: Positions) -> dict[str, Position]:
    """For each stream the place that is further on."""
    found = dict(one)
    for stream, place in other.items():
        if stream not in found or found[stream].ns < place.ns:
            found[stream] = place
    return found


class Skip:
    """Leaves out the lines before ``start``."""

    def __init__(self, start: Positions) -> None:
        self._left = {s: (p.ns, p.seen) for s, p in start.items()}

    def rest(self, line: LogLine) -> LogLine | None:
        """The part of ``line`` that is new, None where nothing is.

        A new line end alone comes as a LogFragment.
        """
        left = self._left.get(line.stream)
        if left is None or not line.ts:
            return line
        (ns, seen), at = left, to_ns(line.ts)
        if at < ns:
            return None
        if at == ns and seen >= size(line):
            self._left[line.stream] = (ns, seen - size(line))
            return None
        del self._left[line.stream]
        return _without(line, seen) if at == ns and seen else line


def _without(line: LogLine, count: int) -> LogLine:
    if count == len(line.data):
        return LogFragment(line.stream, b"\n", line.ts)
    return type(line)(line.stream, line.data[count:], line.ts)


class _Last(Struct):
    ts: str
    seen: int
    open: bool = False


class PositionTracker:
    """The place in one container's output, kept up to date line by line."""

    def __init__(self, start: Positions | None = None) -> None:
        self._start = dict(start or {})
        self._last: dict[str, _Last] = {}

    def note(self, line: LogLine) -> None:
        """``line`` was read. Lines without a stamp are messages of the engine and do not count."""
        last = self._last.get(line.stream)
        if last is None or last.ts != line.ts:
            if not line.ts:
                return
            last = self._last[line.stream] = _Last(line.ts, self._before(line))
        last.seen += size(line)
        last.open = isinstance(line, LogFragment) and not line.data.endswith(b"\n")

    def _before(self, line: LogLine) -> int:
        known = self._start.get(line.stream)
        return known.seen if known and known.ns == to_ns(line.ts) else 0

    def positions(self) -> dict[str, Position]:
        """Where the next reading continues."""
        now = {s: Position(to_ns(m.ts), m.seen, m.open) for s, m in self._last.items()}
        return self._start | now
