"""How far a project's output was read, so that the next reading goes on just there.

The engine knows no positions, only time stamps, and many lines may carry one stamp. So a place is
a stamp and the bytes of that stamp that were read, for stdout and stderr each: within one stream
stamps never go back, between the two they may by a little.
"""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from debughost_cli.planning.log_times import SECOND, to_ns
from debughost_cli.resources import LogFragment, LogLine

STREAMS = ("stdout", "stderr")
ALL = 1 << 62
"""As ``seen``: whatever carries that stamp was there before."""
SKEW = 2 * SECOND
"""By how much one stream's stamps may be behind the other's in the order of the log."""
_VERSION = 1


@dataclass(frozen=True)
class Position:
    """A place in one stream: ``seen`` bytes of what carries the stamp ``ns``, line ends included.

    ``open``: the line that was read last has no end yet.
    """

    ns: int
    seen: int = 0
    open: bool = False


Positions = Mapping[str, Position]
"""Stream to place; a stream that is missing was never seen to say anything."""


@dataclass(frozen=True)
class Bookmark:
    """A place in a container's output. ``container``: the first characters of its id."""

    container: str
    positions: Positions


class BadCursor(ValueError):
    """Text that this program never gave as a cursor."""


def size(line: LogLine) -> int:
    """The line's bytes in the output, its end included."""
    return len(line.data) + (not isinstance(line, LogFragment))


def since(positions: Positions) -> int | None:
    """The earliest stamp that what comes next may carry; None for any."""
    if not positions:
        return None
    newest = max(p.ns for p in positions.values())
    places = [positions.get(s, Position(newest - SKEW)) for s in STREAMS]
    # A line that goes on keeps the stamp of its beginning, however long ago that was.
    return min(p.ns if p.open else max(p.ns, newest - SKEW) for p in places)


def later(one: Positions, other: Positions) -> dict[str, Position]:
    """For each stream the place that is further on."""
    found = dict(one)
    for stream, place in other.items():
        if stream not in found or found[stream].ns < place.ns:
            found[stream] = place
    return found


class Skip:
    """Leaves out what was read before ``start``."""

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


@dataclass
class _Mark:
    ts: str
    seen: int
    open: bool = False


class Progress:
    """How far one container's output was read, kept up to date line by line."""

    def __init__(self, start: Positions | None = None) -> None:
        self._start = dict(start or {})
        self._marks: dict[str, _Mark] = {}

    def note(self, line: LogLine) -> None:
        """``line`` was read. Lines without a stamp are the engine's own words and do not count."""
        mark = self._marks.get(line.stream)
        if mark is None or mark.ts != line.ts:
            if not line.ts:
                return
            mark = self._marks[line.stream] = _Mark(line.ts, self._before(line))
        mark.seen += size(line)
        mark.open = isinstance(line, LogFragment) and not line.data.endswith(b"\n")

    def _before(self, line: LogLine) -> int:
        known = self._start.get(line.stream)
        return known.seen if known and known.ns == to_ns(line.ts) else 0

    def positions(self) -> dict[str, Position]:
        """Where the next reading goes on."""
        now = {s: Position(to_ns(m.ts), m.seen, m.open) for s, m in self._marks.items()}
        return self._start | now


def encode(bookmarks: Mapping[str, Bookmark]) -> str:
    """Project to place, as text that fits into a URL and a shell word."""
    places = {
        project: [b.container, {s: [p.ns, p.seen, int(p.open)] for s, p in b.positions.items()}]
        for project, b in bookmarks.items()
    }
    raw = json.dumps([_VERSION, places], separators=(",", ":")).encode()
    return urlsafe_b64encode(zlib.crc32(raw).to_bytes(4) + raw).decode().rstrip("=")


def decode(text: str) -> dict[str, Bookmark]:
    """What ``encode`` was given. Raises BadCursor."""
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        if zlib.crc32(data[4:]).to_bytes(4) != data[:4]:
            raise BadCursor("it is not complete")
        version, places = json.loads(data[4:])
        if version != _VERSION:
            raise BadCursor(f"it is of another version ({version})")
        return {project: _bookmark(*place) for project, place in places.items()}
    except BadCursor:
        raise
    except (ValueError, TypeError, AttributeError) as exc:
        raise BadCursor(str(exc)) from None


def _bookmark(container: str, places: Mapping[str, tuple[int, int, int]]) -> Bookmark:
    positions = {s: Position(ns, seen, bool(rest)) for s, (ns, seen, rest) in places.items()}
    return Bookmark(container, positions)
