"""Which lines of a log to read, and which of them to show."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from debughost_cli.planning.log_cursor import Bookmark
from debughost_cli.resources import LogFragment, LogLine

MOST_KEPT = 10_000
"""Above this number of last lines the engine counts them, and none is held in memory."""


LONGEST_SEARCHED = 16 * 1024
"""Bytes of a line, from its begin, that are searched for an expression."""


def is_found(pattern: re.Pattern[str], line: bytes) -> bool:
    """Whether a line matches."""
    # A terminal's lines end with a carriage return, before which "$" does not match.
    text = line[:LONGEST_SEARCHED].decode("utf-8", "replace").removesuffix("\r")
    return pattern.search(text) is not None


class LogOptions(Struct, frozen=True):
    """What to read. ``since`` and ``until`` in nanoseconds since the epoch.

    ``stream``: of stdout and stderr the one to show; None for both.
    ``whole``: each line must be whole (for JSON, a prefix or an expression); otherwise fragments
    will do. ``stamps``: time stamps are needed.
    """

    tail: int | None = 100
    since: int | None = None
    until: int | None = None
    follow: bool = False
    grep: re.Pattern[str] | None = None
    stream: str | None = None
    max_bytes: int | None = None
    after: Mapping[str, Bookmark] | None = None
    whole: bool = True
    stamps: bool = True
    service: str | None = None
    """The service of the project to read; None for its own program."""

    def matches(self, line: LogLine) -> bool:
        """Whether the line is to be shown; a line end that came late is not a line of its own."""
        if self.stream not in (None, line.stream):
            return False
        if self.grep is None:
            return True
        if isinstance(line, LogFragment) and line.data == b"\n":
            return False
        return is_found(self.grep, line.data)

    @property
    def is_selective(self) -> bool:
        """Whether some lines are left out for what they are."""
        return self.grep is not None or self.stream is not None

    @property
    def is_plain(self) -> bool:
        """True where the engine's bytes can be written as they come."""
        special = (
            self.is_selective
            or self.whole
            or self.stamps
            or self.follow
            or self.max_bytes
            or self.after
        )
        counted = self.tail is not None and (self.tail <= MOST_KEPT or self.until is not None)
        return not (special or counted)
