"""The log of one project's container, as entries of the engine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain

from msgspec import Struct

from debughost_cli.engine.port import Engine, LogQuery, LogsUnsupported, NotFound
from debughost_cli.errors import EngineError
from debughost_cli.names import rfc3339
from debughost_cli.planning.log_lines import joined
from debughost_cli.planning.log_options import LogOptions
from debughost_cli.planning.log_positions import Positions, Skip, since
from debughost_cli.planning.log_times import SECOND, as_seconds, to_ns
from debughost_cli.resources import LogLine
from debughost_cli.services.projects import not_found

_OVERLAPS = (2_000, 100_000)
"""How many of the last entries are searched for the position where the last reading ended."""


class Gap(Struct, frozen=True):
    """Output of ``project`` that may be lost: after ``since``, before ``until``, in nanoseconds."""

    project: str
    since: int
    until: int

    @property
    def message(self) -> str:
        """For people."""
        since, until = (
            rfc3339(datetime.fromtimestamp(ns / SECOND, UTC)) for ns in (self.since, self.until)
        )
        return (
            f"{self.project}: what it wrote between {since} and {until} is lost, if anything: "
            "the engine keeps the newest 45 MB"
        )


class LogSource(Struct, frozen=True):
    """Where the output of ``project`` is, and what of it to read. ``ref``: the container.

    ``on_gap`` gets what was rotated away before it was read.
    """

    engine: Engine
    project: str
    ref: str
    options: LogOptions
    on_gap: Callable[[Gap], None] = lambda _: None

    def is_running(self) -> bool:
        """Whether more output may come."""
        try:
            return self.engine.containers.inspect(self.ref).is_running
        except NotFound:
            return False

    def lines(self, entries: Iterator[LogLine]) -> Iterator[LogLine]:
        """The entries as lines, where whole lines are needed."""
        return joined(entries) if self.options.whole else entries

    def last(self, tail: int | None, *, follow: bool = False) -> Iterator[LogLine]:
        """The last ``tail`` entries; None: all."""
        until = as_seconds(self.options.until)
        return self.read(LogQuery(tail=tail, until=until, follow=follow, fragments=True))

    def after(self, start: Positions, *, follow: bool = False) -> Iterator[LogLine]:
        """The entries after ``start``.

        To find a time, the engine reads its whole log. So a few of the last entries are read first,
        and more only where those do not reach back far enough.
        """
        return unread(self._from(start, follow), start)

    def _from(self, start: Positions, follow: bool) -> Iterator[LogLine]:
        begin = since(start)
        if begin is None:
            return self.last(None, follow=follow)
        for tail in _OVERLAPS:
            found = self.last(tail, follow=follow)
            first = next(found, None)
            if first and first.ts and to_ns(first.ts) < begin:
                return chain([first], found)
        self._check_gap(start)
        until = as_seconds(self.options.until)
        query = LogQuery(since=as_seconds(begin), until=until, follow=follow, fragments=True)
        return self.read(query)

    def _check_gap(self, start: Positions) -> None:
        """The engine removes the oldest output; where the last reading ended may be gone as well.

        Whether anything came after that cannot be known.
        """
        read = [p.ns for p in start.values() if p.seen]
        with closing(self.read(LogQuery(fragments=True))) as entries:
            oldest = next(entries, None)
        if read and oldest and oldest.ts and to_ns(oldest.ts) > max(read):
            self.on_gap(Gap(self.project, max(read), to_ns(oldest.ts)))

    def read(self, query: LogQuery) -> Generator[LogLine]:
        """As the port's, with errors that name the project."""
        try:
            yield from self.engine.containers.logs(self.ref, query)
        except NotFound as exc:
            raise not_found(self.project, ()) from exc
        except LogsUnsupported as exc:
            raise _unreadable(self.project) from exc


def unread(entries: Iterable[LogLine], start: Positions) -> Iterator[LogLine]:
    """What of ``entries`` is after ``start``."""
    skip = Skip(start)
    for entry in entries:
        rest = skip.rest(entry)
        if rest is not None:
            yield rest


def _unreadable(project: str) -> EngineError:
    return EngineError(
        f"the output of {project} cannot be read: the engine's logging driver does not keep it",
        hint="Set 'log-driver' in the engine's daemon.json to json-file or local, and recreate the "
        f"container: debughost up -p {project} --recreate",
        details={"project": project},
    )
