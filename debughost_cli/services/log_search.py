"""Searches a project's output for an expression of the user's, in limited time.

The project chooses what the expression is tried on. Most expressions take time in proportion to the
square of a line's length where they do not match: one as harmless as ``error.*timeout`` took half
an hour for a line of 1.5 MB.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from debughost_cli.errors import Usage
from debughost_cli.planning.log_options import LogOptions
from debughost_cli.resources import LogLine

LIMIT = 30.0
"""Seconds of searching in one reading of the log; 45 MB of ordinary output take 1 or 2."""
_LONG = 256
"""Bytes of a line from which on its search is timed; shorter ones take microseconds."""


class LogSearch:
    """Whether lines match ``options``."""

    def __init__(self, options: LogOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        self._left = LIMIT

    def __call__(self, line: LogLine) -> bool:
        """Raises Usage where the lines so far took too long."""
        if self._options.grep is None or len(line.data) < _LONG:
            return self._options.matches(line)
        started = self._clock()
        found = self._options.matches(line)
        self._left -= self._clock() - started
        if self._left < 0:
            raise Usage(
                f"the search for {self._options.grep.pattern[:60]!r} took more than {LIMIT:.0f} s",
                hint="Use an expression with fewer '*' and '+', or less output with --since",
            )
        return found
