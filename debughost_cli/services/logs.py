"""``logs``: the output of projects, so far and as it comes."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Engine, OnText
from debughost_cli.errors import DebughostError, Interrupted, Usage
from debughost_cli.models import Exit
from debughost_cli.planning.log_cursor import Bookmark, encode
from debughost_cli.planning.log_lines import ProjectLine, within
from debughost_cli.planning.log_options import LogOptions
from debughost_cli.planning.log_positions import (
    STREAMS,
    Position,
    Positions,
    PositionTracker,
    later,
)
from debughost_cli.planning.log_times import to_ns
from debughost_cli.resources import LogLine, ProjectInstance
from debughost_cli.services.bounded_queue import BoundedQueue
from debughost_cli.services.log_follower import (
    LogEnd,
    LogEvent,
    LogEvents,
    LogFollower,
    LogSwitch,
)
from debughost_cli.services.log_reader import LogReader
from debughost_cli.services.log_source import Gap, LogSource
from debughost_cli.services.projects import list_instances, member, not_found
from debughost_cli.services.results import EngineReport, unanswered

_TICK = 0.25
"""Seconds after which a pause in the output is reported."""
_ID_LENGTH = 16


class LogService:
    """Reads, and changes nothing."""

    def __init__(
        self,
        engine: Engine,
        notice: OnText,
        clock: Clock = SYSTEM_CLOCK,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._engine = engine
        self._notice = notice
        self._clock = clock
        self._cancelled = cancelled

    def open(
        self,
        projects: Sequence[str],
        options: LogOptions,
        engines: Mapping[str, Engine] | None = None,
    ) -> LogReading:
        """Finds the projects; nothing is read yet. ``engines``: of those that are on another one.

        Raises ProjectNotFound, and Usage for a cursor that is not of these projects.
        """
        gaps: list[Gap] = []
        readers = []
        listed: dict[int, dict[str, ProjectInstance]] = {}
        for project in dict.fromkeys(projects):
            engine = (engines or {}).get(project, self._engine)
            found = listed.get(id(engine))
            if found is None:
                found = listed[id(engine)] = list_instances(engine)
            if project not in found:
                raise not_found(project, list(found))
            ref = member(found[project], options.service).id
            source = LogSource(engine, project, ref, options, gaps.append)
            readers.append(LogReader(source, _start(project, ref, options)))
        return LogReading(readers, gaps, options, self._notice, self._clock, self._cancelled)


def _start(project: str, ref: str, options: LogOptions) -> Positions:
    start: Positions = {}
    if options.since is not None:
        start = {s: Position(options.since) for s in STREAMS}
    if options.after is None:
        return start
    bookmark = options.after.get(project)
    hint = f"Leave --after out to start again: debughost logs -p {project}"
    if bookmark is None:
        raise Usage(
            f"the cursor is not of project {project} but of {', '.join(options.after)}", hint=hint
        )
    if not ref.startswith(bookmark.container):
        raise Usage(
            f"the cursor is of an earlier container of {project}, which was recreated since",
            hint=hint,
            details={
                "project": project,
                "container": ref[:_ID_LENGTH],
                "cursor": bookmark.container,
            },
        )
    return later(start, bookmark.positions)


class LogReading:
    """One reading of one or more projects: iterate over it, then read its properties."""

    def __init__(
        self,
        readers: Sequence[LogReader],
        gaps: Sequence[Gap],
        options: LogOptions,
        notice: OnText,
        clock: Clock,
        cancelled: Callable[[], bool],
    ) -> None:
        self._readers = readers
        self.gaps = gaps
        """What was rotated away before it was read, as far as that is known by now."""
        self._options = options
        self._notice = notice
        self._clock = clock
        self._cancelled = cancelled
        self._caught_up = False
        self._cut = False
        self.engines: Sequence[EngineReport] = ()
        """Those that were asked for the projects, where that were several."""
        self.exits: dict[str, Exit | None] = {}
        """Following: why each project ended; None where it was removed."""

    def __iter__(self) -> Iterator[ProjectLine | None]:
        """The lines of one project in the engine's order, of several merged by time.

        When following, the lines of several come as they are written. None: no output for the
        moment.
        """
        yield from self._present()
        self._caught_up = True
        if self._options.follow:
            yield None
            yield from self._follow()

    @property
    def projects(self) -> list[str]:
        """Their ids."""
        return [reader.source.project for reader in self._readers]

    @property
    def error(self) -> DebughostError | None:
        """Where some engines did not answer."""
        return unanswered(self.engines)

    @property
    def truncated(self) -> bool:
        """Whether older lines were left out for their size."""
        return self._cut or any(reader.truncated for reader in self._readers)

    @property
    def is_caught_up(self) -> bool:
        """Whether all output from before this reading has been read."""
        return self._caught_up

    @property
    def is_followed(self) -> bool:
        """Whether it continues until the projects end."""
        return self._options.follow

    def running(self) -> list[str]:
        """The projects that may go on writing."""
        return [r.source.project for r in self._readers if r.source.is_running()]

    @property
    def cursor(self) -> str | None:
        """Where the next reading continues; None until this one has caught up."""
        if not self._caught_up or self._options.is_plain:
            return None
        return encode(
            {
                r.source.project: Bookmark(r.source.ref[:_ID_LENGTH], r.tracker.positions())
                for r in self._readers
            }
        )

    def _present(self) -> Iterable[ProjectLine]:
        merged = _merged([reader.lines() for reader in self._readers])
        if self._options.max_bytes is None:
            return merged
        kept, self._cut = within(merged, self._options.max_bytes)
        return kept

    def _follow(self) -> Iterator[ProjectLine | None]:
        queue: LogEvents = BoundedQueue()
        for reader in self._readers:
            follower = LogFollower(reader, self._notice, self._clock)
            threading.Thread(target=follower.run, args=(queue,), daemon=True).start()
        try:
            while len(self.exits) < len(self._readers):
                if self._cancelled():
                    raise Interrupted
                for reader, event in queue.drain(_TICK):
                    yield from self._take(reader, event)
                yield None
        finally:
            queue.close()

    def _take(self, reader: LogReader, event: LogEvent) -> Iterator[ProjectLine | None]:
        if isinstance(event, LogLine):
            reader.tracker.note(event)
            if self._options.matches(event):
                yield ProjectLine(reader.source.project, event)
        elif isinstance(event, LogSwitch):
            reader.source, reader.tracker = event.source, PositionTracker(event.start)
            self._notice(f"{reader.source.project}: goes on in a new container")
        else:
            yield None
            self._ended(reader.source.project, event)

    def _ended(self, project: str, end: LogEnd) -> None:
        if end.error:
            raise end.error
        self.exits[project] = end.exit
        if end.message:
            self._notice(f"{project}: {end.message}")


def _merged(sources: Sequence[Iterator[ProjectLine]]) -> Iterator[ProjectLine]:
    if len(sources) == 1:
        return sources[0]
    return heapq.merge(*sources, key=lambda p: to_ns(p.line.ts) if p.line.ts else 0)
