"""One project's output: what is there, what is new, and how it ends."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from debughost_cli.engine.port import (
    Conflict,
    Engine,
    LogQuery,
    LogsUnsupported,
    NotFound,
    OnText,
)
from debughost_cli.errors import (
    DebughostError,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    ProjectNotFound,
)
from debughost_cli.models import Exit
from debughost_cli.planning.log_cursor import (
    Bookmark,
    Positions,
    Progress,
    Skip,
    since,
)
from debughost_cli.planning.log_lines import ProjectLine, Window, joined
from debughost_cli.planning.log_times import as_seconds, to_ns
from debughost_cli.resources import Container, LogFragment, LogLine
from debughost_cli.services.projects import describe, not_found, read_launcher_status

MOST_KEPT = 10_000
"""Of more last lines than these the engine's own count is taken, and none is held in memory."""
_FIRST_WINDOW = 16
_LARGEST_WINDOW = 20_000
_OVERLAPS = (2_000, 100_000)
"""How many entries back a reading that goes on looks for the place where the last one ended."""
_PAUSE = 0.2
"""Seconds between two looks at a container that is about to start again."""
_GRACE = 1.0
"""Seconds in which a stopped project with a restart policy may come back."""


@dataclass(frozen=True)
class LogOptions:
    """What to read. ``since`` and ``until`` in nanoseconds since the epoch.

    ``whole``: lines are wanted whole (for JSON, a prefix or an expression); otherwise pieces of
    them do. ``stamps``: time stamps are wanted as well.
    """

    tail: int | None = 100
    since: int | None = None
    until: int | None = None
    follow: bool = False
    grep: re.Pattern[str] | None = None
    max_bytes: int | None = None
    after: Mapping[str, Bookmark] | None = None
    whole: bool = True
    stamps: bool = True

    def matches(self, line: LogLine) -> bool:
        """Whether the line is wanted; an end that came late is not a line of its own."""
        if self.grep is None:
            return True
        if isinstance(line, LogFragment) and line.data == b"\n":
            return False
        # A terminal's lines end with a carriage return, which "$" would not look past.
        text = line.data.decode("utf-8", "replace").removesuffix("\r")
        return bool(self.grep.search(text))

    @property
    def is_plain(self) -> bool:
        """True where the engine's bytes can go out as they come."""
        special = self.whole or self.stamps or self.follow or self.max_bytes or self.after
        counted = self.tail is not None and (self.tail <= MOST_KEPT or self.until is not None)
        return not (special or counted)


@dataclass(frozen=True)
class End:
    """Nothing more comes from a project: ``why`` in words, or the error that made an end of it."""

    why: str = ""
    exit: Exit | None = None
    error: BaseException | None = None


class BoundedQueue:
    """What several threads read, for one to take.

    Holds about ``limit`` bytes: then readers wait, and with them, at last, the program itself.
    """

    def __init__(self, limit: int = 1024**2) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._events: list[tuple[LogReader, LogLine | End]] = []
        self._size = 0

    def put(self, reader: LogReader, event: LogLine | End) -> None:
        """Waits while there is too much already."""
        with self._changed:
            while self._size > self._limit:
                self._changed.wait()
            self._events.append((reader, event))
            self._size += len(event.data) + 100 if isinstance(event, LogLine) else 0
            self._changed.notify_all()

    def drain(self, timeout: float) -> list[tuple[LogReader, LogLine | End]]:
        """All that there is; waits up to ``timeout`` seconds for something."""
        with self._changed:
            if not self._events:
                self._changed.wait(timeout)
            events, self._events, self._size = self._events, [], 0
            self._changed.notify_all()
            return events


@dataclass(eq=False)
class LogReader:
    """One project's output, from ``start`` on. ``progress``: what was handed on of it."""

    engine: Engine
    project: str
    ref: str
    start: Positions
    options: LogOptions
    progress: Progress = field(init=False)
    truncated: bool = False

    def __post_init__(self) -> None:
        self.progress = Progress(self.start)

    # What is there
    def present(self) -> Iterator[ProjectLine]:
        """The lines that there are now."""
        return (ProjectLine(self.project, line) for line in self._present())

    def _present(self) -> Iterable[LogLine]:
        tail = self.options.tail
        if self.options.is_plain:
            return self._plain()
        # The engine takes the tail first and the time after: with --until it may leave nothing.
        if tail is None or (tail > MOST_KEPT and self.options.until is None):
            return self._all(tail)
        return self._newest(tail)

    def _plain(self) -> Iterator[LogLine]:
        begin, until = as_seconds(since(self.start)), as_seconds(self.options.until)
        query = LogQuery(self.options.tail, begin, until, fragments=True, stamps=False)
        return self._read(query)

    def _all(self, tail: int | None) -> Iterator[LogLine]:
        new = self._new(self.start) if tail is None else _unseen(self._entries(tail), self.start)
        for line in self._shaped(new):
            self.progress.note(line)
            if self.options.matches(line):
                yield line

    def _newest(self, count: int) -> Iterator[LogLine]:
        """The last ``count`` lines that are wanted, looked for in ever larger windows."""
        for window in self._windows(count):
            look = Window(window, count, self.options.matches, self.start)
            look.read(self._entries(window))
            found = look.found()
            if found:
                self.progress = Progress(found.positions)
                self.truncated = found.truncated
                # Each one is let go once it is handed on: they may be long.
                while found.lines:
                    yield found.lines.popleft()
                return

    def _windows(self, count: int) -> Iterator[int | None]:
        window = count + _FIRST_WINDOW
        if self.options.grep:
            window = max(window, 2_000)
        while self.options.until is None and window <= _LARGEST_WINDOW:
            yield window
            window *= 8
        yield None

    # What comes
    def follow(self, queue: BoundedQueue, notice: OnText) -> None:
        """Puts what comes into ``queue``, then the end; runs in a thread of its own."""
        progress = Progress(self.progress.positions())

        def put(line: LogLine) -> None:
            progress.note(line)
            queue.put(self, line)

        try:
            end = self._until_the_end(progress, put, notice)
        except BaseException as exc:
            end = End(error=exc)
        queue.put(self, end)

    def _until_the_end(
        self, progress: Progress, put: Callable[[LogLine], None], notice: OnText
    ) -> End:
        """A stream ends with each run, and breaks after 30 silent seconds; then it is reopened."""
        while True:
            self._pump(progress, put, notice)
            if self.options.until is not None and time.time_ns() > self.options.until:
                return End()
            container = self._container()
            if container is None:
                return End("its container was removed")
            if container.is_running or self._comes_back(container):
                time.sleep(_PAUSE)
                continue
            self._pump(progress, put, notice, follow=False)
            return self._end_of(container)

    def _pump(
        self,
        progress: Progress,
        put: Callable[[LogLine], None],
        notice: OnText,
        *,
        follow: bool = True,
    ) -> None:
        try:
            for line in self._shaped(self._new(progress.positions(), follow=follow)):
                put(line)
        except EngineTimeout:
            """Silence: the look at the container that follows tells a quiet one from a hang."""
        except EngineUnavailable as exc:
            notice(f"{exc.message}; reading on from where it broke off")
        except (ProjectNotFound, Conflict):
            """It is being removed."""

    def _container(self) -> Container | None:
        """None where it is gone or about to be; waits until it has come back from a restart."""
        while True:
            try:
                found = self.engine.containers.inspect(self.ref)
            except NotFound:
                return None
            if found.status in ("removing", "dead"):
                return None
            if found.status != "restarting":
                return found
            time.sleep(_PAUSE)

    def _comes_back(self, container: Container) -> bool:
        """Whether a project with a restart policy runs again a moment after it was stopped."""
        if container.restart in ("", "no"):
            return False
        time.sleep(_GRACE)
        # It may have been stopped by an engine that ends: the next one starts it again.
        self.engine.ping()
        again = self._container()
        return again is not None and again.is_running

    def _end_of(self, container: Container) -> End:
        try:
            project = describe(self.engine, container, read_launcher_status(self.engine, self.ref))
        except NotFound:
            return End("its container was removed")
        why = project.exit.message if project.exit else "it is not running"
        return End(why, project.exit)

    # Reading
    def _shaped(self, entries: Iterator[LogLine]) -> Iterator[LogLine]:
        return joined(entries) if self.options.whole else entries

    def _entries(self, tail: int | None, *, follow: bool = False) -> Iterator[LogLine]:
        query = LogQuery(
            tail=tail, until=as_seconds(self.options.until), follow=follow, fragments=True
        )
        return self._read(query)

    def _new(self, start: Positions, *, follow: bool = False) -> Iterator[LogLine]:
        """The entries after ``start``.

        The engine reads its whole log to find a time. So a few of the last entries are asked for
        first, and more only where those do not reach back far enough.
        """
        return _unseen(self._from(since(start), follow), start)

    def _from(self, begin: int | None, follow: bool) -> Iterator[LogLine]:
        if begin is None:
            return self._entries(None, follow=follow)
        for tail in _OVERLAPS:
            found = self._entries(tail, follow=follow)
            first = next(found, None)
            if first and first.ts and to_ns(first.ts) < begin:
                return chain([first], found)
        until = as_seconds(self.options.until)
        query = LogQuery(since=as_seconds(begin), until=until, follow=follow, fragments=True)
        return self._read(query)

    def _read(self, query: LogQuery) -> Iterator[LogLine]:
        """As the port's, with errors that name the project."""
        try:
            yield from self.engine.containers.logs(self.ref, query)
        except NotFound as exc:
            raise not_found(self.project, ()) from exc
        except LogsUnsupported as exc:
            raise _unreadable(self.project) from exc


def _unseen(entries: Iterable[LogLine], start: Positions) -> Iterator[LogLine]:
    skip = Skip(start)
    for entry in entries:
        rest = skip.rest(entry)
        if rest is not None:
            yield rest


def _unreadable(project: str) -> DebughostError:
    return EngineError(
        f"the output of {project} cannot be read: the engine's logging driver keeps none",
        hint="Set 'log-driver' in the engine's daemon.json to json-file or local, and make the "
        f"container anew: debughost up -p {project} --recreate",
        details={"project": project},
    )
