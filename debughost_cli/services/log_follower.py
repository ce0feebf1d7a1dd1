"""The output that a project writes from now on, across restarts and new containers."""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Conflict, NotFound, OnText
from debughost_cli.errors import EngineTimeout, EngineUnavailable, ProjectNotFound
from debughost_cli.models import Exit
from debughost_cli.planning.log_positions import Positions, PositionTracker
from debughost_cli.planning.log_times import SECOND
from debughost_cli.resources import Container, LogFragment, LogLine
from debughost_cli.services.bounded_queue import BoundedQueue, QueueClosed
from debughost_cli.services.log_reader import LogReader
from debughost_cli.services.log_source import LogSource
from debughost_cli.services.log_successor import POLL, Successor
from debughost_cli.services.projects import describe, read_launcher_status

_OVERHEAD = 100
"""Bytes that a line takes beside its data, in memory and, about so many, in the engine's file."""
_WINDOW = 4 * 1024**2
"""Bytes after which a followed log is read again from where the last line was: an engine that
follows a log skips what it rotates in the meantime, and repeats other parts, without a word. What
is read without following is complete, and finds out what is gone.
"""
_STALL = 0.5
"""Seconds of waiting for the reader after which it is read again as well."""


class LogEnd(Struct, frozen=True):
    """A project has no further output. ``message``: why; ``error``: what made reading fail."""

    message: str = ""
    exit: Exit | None = None
    error: BaseException | None = None


class LogSwitch(Struct, frozen=True):
    """What follows is the output of another container, from ``start`` on."""

    source: LogSource
    start: Positions


REMOVED = LogEnd("its container was removed")
LogEvent = LogLine | LogSwitch | LogEnd
LogEvents = BoundedQueue[tuple[LogReader, LogEvent]]


class LogFollower:
    """Continues where ``reader`` has ended, and runs in a thread of its own.

    Its tracker is not the reader's: lines are in the queue before they are passed on.
    """

    def __init__(self, reader: LogReader, notice: OnText, clock: Clock = SYSTEM_CLOCK) -> None:
        self._reader = reader
        self._source = reader.source
        self._tracker = PositionTracker(reader.tracker.positions())
        self._known = {self._source.ref: self._tracker}
        self._notice = notice
        self._clock = clock
        self._successor = Successor(
            self._source.engine, self._source.project, clock, self._source.options.service
        )

    def run(self, queue: LogEvents) -> None:
        """Puts new lines into ``queue``, then the end. Returns early when the queue is closed."""
        with suppress(QueueClosed):
            try:
                end = self._until_the_end(queue)
            except QueueClosed:
                raise
            except BaseException as exc:
                end = LogEnd(error=exc)
            queue.put((self._reader, end))

    def _until_the_end(self, queue: LogEvents) -> LogEnd:
        """A stream ends with each run, and after 30 s of silence; then it is opened again."""
        while True:
            while self._read(queue):
                # All that there is, as it is at this moment; then it is followed from there.
                self._read(queue, follow=False)
            if self._is_past_until():
                return LogEnd()
            container = self._successor.of(self._source.ref)
            if container and container.id != self._source.ref:
                self._switch(queue, container.id)
            elif container and container.is_running:
                self._clock.sleep(POLL)
            else:
                self._read(queue, follow=False)
                return self._end_of(container) if container else REMOVED

    def _switch(self, queue: LogEvents, ref: str) -> None:
        """To a new container; or back to the one before, where the new one failed."""
        self._source = replace(self._source, ref=ref)
        self._tracker = self._known.setdefault(ref, PositionTracker())
        queue.put((self._reader, LogSwitch(self._source, self._tracker.positions())))

    def _is_past_until(self) -> bool:
        until = self._source.options.until
        return until is not None and self._clock.now().timestamp() * SECOND > until

    def _read(self, queue: LogEvents, *, follow: bool = True) -> bool:
        """True where it left off in the middle, to be called again."""
        size = 0
        try:
            entries = self._source.after(self._tracker.positions(), follow=follow)
            for line in self._source.lines(entries):
                self._tracker.note(line)
                began = self._clock.monotonic()
                queue.put((self._reader, line), len(line.data) + _OVERHEAD)
                size += len(line.data) + _OVERHEAD
                waited = self._clock.monotonic() - began
                # Parts of a line share a stamp: of one that is rotated away in parts, a new reading
                # would not find the place again.
                is_end = not isinstance(line, LogFragment) or line.data.endswith(b"\n")
                if follow and is_end and (size > _WINDOW or waited > _STALL):
                    return True
        except EngineTimeout:
            """Silence. Inspecting the container, which is next, finds out whether it hangs."""
        except EngineUnavailable as exc:
            self._notice(f"{exc.message}; reading continues from there when it is back")
        except (ProjectNotFound, Conflict):
            """It is being removed."""
        return False

    def _end_of(self, container: Container) -> LogEnd:
        engine = self._source.engine
        try:
            project = describe(engine, container, read_launcher_status(engine, container.id))
        except NotFound:
            return REMOVED
        message = project.exit.message if project.exit else "it is not running"
        return LogEnd(message, project.exit)
