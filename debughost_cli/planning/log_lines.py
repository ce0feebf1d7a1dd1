"""Whole lines from the entries of an engine's log, and the newest bytes of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from debughost_cli.planning.log_positions import size
from debughost_cli.resources import LogFragment, LogLine

LONGEST = 12 * 1024**2
"""Bytes of a line that are held in memory; a longer one comes in pieces of at least this size."""
_BLOCK = 4096
"""Engines cut long lines at multiples of this (Docker: 16 KiB). Any other size is a line's end."""


class ProjectLine(Struct, frozen=True):
    """A line and its project."""

    project: str
    line: LogLine


class _Open(Struct):
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


def within(lines: Iterable[ProjectLine], limit: int) -> tuple[list[ProjectLine], bool]:
    """The newest whole lines of at most ``limit`` bytes together, and whether any were left out.

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
