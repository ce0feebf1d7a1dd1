"""``logs``: the projects' output, as it is and as it comes."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable, Iterator, Sequence

from debughost_cli.engine.port import Engine, OnText
from debughost_cli.errors import (
    Usage,
)
from debughost_cli.models import Exit
from debughost_cli.planning.log_cursor import (
    Bookmark,
    Position,
    Positions,
    encode,
    later,
)
from debughost_cli.planning.log_lines import ProjectLine, within
from debughost_cli.planning.log_times import to_ns
from debughost_cli.resources import LogLine
from debughost_cli.services.log_reader import BoundedQueue, End, LogOptions, LogReader
from debughost_cli.services.projects import MANAGED_FILTER, by_project, not_found

_TICK = 0.25
_ID = 16


class LogService:
    """Reads, and changes nothing."""

    def __init__(self, engine: Engine, notice: OnText) -> None:
        self._engine = engine
        self._notice = notice

    def open(self, projects: Sequence[str], options: LogOptions) -> LogReading:
        """Finds the projects; nothing is read yet.

        Raises ProjectNotFound, and Usage for a cursor that is not of these projects.
        """
        groups = by_project(self._engine.containers.list([MANAGED_FILTER]))
        for project in projects:
            if project not in groups:
                raise not_found(project, list(groups))
        readers = [
            LogReader(self._engine, project, ref, _start(project, ref, options), options)
            for project, ref in ((p, groups[p][0].id) for p in dict.fromkeys(projects))
        ]
        return LogReading(readers, options, self._notice)


def _start(project: str, ref: str, options: LogOptions) -> Positions:
    start: Positions = {}
    if options.since is not None:
        start = {s: Position(options.since) for s in ("stdout", "stderr")}
    if options.after is None:
        return start
    mark = options.after.get(project)
    fresh = f"Leave --after out to begin anew: debughost logs -p {project}"
    if mark is None:
        raise Usage(
            f"the cursor is not of project {project} but of {', '.join(options.after)}", hint=fresh
        )
    if not ref.startswith(mark.container):
        raise Usage(
            f"the cursor is of an earlier container of {project}, which was recreated since",
            hint=fresh,
            details={"project": project, "container": ref[:_ID], "cursor": mark.container},
        )
    return later(start, mark.positions)


class LogReading:
    """One reading of one or more projects: iterate over it, then ask what it came to."""

    def __init__(self, readers: Sequence[LogReader], options: LogOptions, notice: OnText) -> None:
        self._readers = readers
        self._wish = options
        self._notice = notice
        self._caught_up = False
        self._cut = False
        self.exits: dict[str, Exit | None] = {}
        """Following: why each project ended, None where it is gone."""

    def __iter__(self) -> Iterator[ProjectLine | None]:
        """The lines of one project in the engine's order, of several merged by time.

        Followed, several come as they come. None: there is nothing more for the moment.
        """
        yield from self._present()
        self._caught_up = True
        if self._wish.follow:
            yield None
            yield from self._follow()

    @property
    def truncated(self) -> bool:
        """Whether older lines were left out for their size."""
        return self._cut or any(reader.truncated for reader in self._readers)

    @property
    def is_caught_up(self) -> bool:
        """Whether all that was there at the beginning has been read."""
        return self._caught_up

    @property
    def is_followed(self) -> bool:
        """Whether it goes on until the projects end."""
        return self._wish.follow

    @property
    def cursor(self) -> str | None:
        """Where the next reading goes on; None before all that there was has been read."""
        if not self._caught_up or self._wish.is_plain:
            return None
        places = {t.project: Bookmark(t.ref[:_ID], t.progress.positions()) for t in self._readers}
        return encode(places)

    def _present(self) -> Iterable[ProjectLine]:
        merged = _merged([reader.present() for reader in self._readers])
        if self._wish.max_bytes is None:
            return merged
        kept, self._cut = within(merged, self._wish.max_bytes)
        return kept

    def _follow(self) -> Iterator[ProjectLine | None]:
        queue = BoundedQueue()
        for reader in self._readers:
            threading.Thread(target=reader.follow, args=(queue, self._notice), daemon=True).start()
        while len(self.exits) < len(self._readers):
            for reader, event in queue.drain(_TICK):
                if isinstance(event, LogLine):
                    reader.progress.note(event)
                    if self._wish.matches(event):
                        yield ProjectLine(reader.project, event)
                else:
                    yield None
                    self._ended(reader, event)
            yield None

    def _ended(self, reader: LogReader, end: End) -> None:
        if end.error:
            raise end.error
        self.exits[reader.project] = end.exit
        if end.why:
            self._notice(f"{reader.project}: {end.why}")


def _merged(sources: Sequence[Iterator[ProjectLine]]) -> Iterator[ProjectLine]:
    if len(sources) == 1:
        return sources[0]
    return heapq.merge(*sources, key=lambda p: to_ns(p.line.ts) if p.line.ts else 0)
