"""The output that a project has written so far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from debughost_cli.engine.port import LogQuery
from debughost_cli.planning.log_lines import ProjectLine
from debughost_cli.planning.log_options import MOST_KEPT
from debughost_cli.planning.log_positions import Positions, PositionTracker, since
from debughost_cli.planning.log_times import as_seconds
from debughost_cli.planning.log_window import Window
from debughost_cli.resources import LogLine
from debughost_cli.services.log_search import LogSearch
from debughost_cli.services.log_source import LogSource, unread

_FIRST_WINDOW = 16
_FIRST_WINDOW_TO_SEARCH = 2_000
_LARGEST_WINDOW = 20_000
_GROWTH = 8


class LogReader:
    """One project's output, from ``start`` on. ``tracker``: up to where it was passed on."""

    def __init__(self, source: LogSource, start: Positions) -> None:
        self.source = source
        self.tracker = PositionTracker(start)
        self.truncated = False
        """Whether lines were left out for their size."""
        self._start = start
        self._matches = LogSearch(source.options)

    def lines(self) -> Iterator[ProjectLine]:
        """The lines that there are now."""
        return (ProjectLine(self.source.project, line) for line in self._lines())

    def _lines(self) -> Iterable[LogLine]:
        options = self.source.options
        if options.is_plain:
            return self._plain()
        # The engine applies the tail before the time: with --until it may leave nothing.
        if options.tail is None or (options.tail > MOST_KEPT and options.until is None):
            return self._all(options.tail)
        return self._newest(options.tail)

    def _plain(self) -> Iterator[LogLine]:
        options = self.source.options
        begin, until = as_seconds(since(self._start)), as_seconds(options.until)
        query = LogQuery(options.tail, begin, until, fragments=True, stamps=False)
        return self.source.read(query)

    def _all(self, tail: int | None) -> Iterator[LogLine]:
        new = (
            self.source.after(self._start)
            if tail is None
            else unread(self.source.last(tail), self._start)
        )
        for line in self.source.lines(new):
            self.tracker.note(line)
            if self._matches(line):
                yield line

    def _newest(self, count: int) -> Iterator[LogLine]:
        """The last ``count`` lines that match, searched in ever larger windows."""
        for size in self._window_sizes(count):
            window = Window(size, count, self._matches, self._start)
            window.read(self.source.last(size))
            found = window.found()
            if found:
                self.tracker = PositionTracker(found.positions)
                self.truncated = found.truncated
                # No line is held longer than needed: they may be long.
                while found.lines:
                    yield found.lines.popleft()
                return

    def _window_sizes(self, count: int) -> Iterator[int | None]:
        options = self.source.options
        size = count + _FIRST_WINDOW
        if options.is_selective:
            size = max(size, _FIRST_WINDOW_TO_SEARCH)
        while options.until is None and size <= _LARGEST_WINDOW:
            yield size
            size *= _GROWTH
        yield None
