"""``events``: state changes as they happen, with their reason.

Threads read the engine and apply what they read to the reducer in ``planning.events``. The engine
reports starts and ends, but not readiness, so each run is watched until the project listens.
Whenever the engine's stream has ended, the events that the engine still has are read first; then
the states before and after are compared, which shows the changes that it has no events of.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import DebughostError, EngineTimeout, EngineUnavailable, Interrupted
from debughost_cli.planning.events import (
    Change,
    EventState,
    Observation,
    ProjectEvent,
    Run,
    apply_event,
    apply_ready,
    compare,
    run_of,
)
from debughost_cli.resources import EngineEvent
from debughost_cli.services.launcher_news import POLL
from debughost_cli.services.projects import describe, list_instances, not_found, observe

_REOPEN_PAUSE = 1.0
_QUEUE_TIMEOUT = 0.2


class EventService:
    """Reads the engine in threads that end with the iteration, or with the process.

    ``engine`` is one that does not retry by itself: here it is retried without an end.
    ``notice`` is called when the engine goes away and when it is back.
    """

    def __init__(
        self,
        engine: Engine,
        notice: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._engine = engine
        self._notice = notice
        self._clock = clock
        self._cancelled = cancelled
        self._found: queue.Queue[ProjectEvent | BaseException] = queue.Queue()
        self._state = EventState(datetime.min.replace(tzinfo=UTC))
        self._read_until = 0.0
        """Seconds since the epoch: the place in the engine's stream."""
        self._guard = threading.Lock()
        self._closed = threading.Event()

    def run(
        self, projects: Sequence[str] = (), since: float | None = None
    ) -> Iterator[ProjectEvent]:
        """Events without an end, of all projects or of those named.

        Raises ProjectNotFound, and Interrupted once it is cancelled.
        """
        self._read_until = self._clock.now().timestamp() if since is None else since
        self._state = EventState(datetime.fromtimestamp(self._read_until, UTC))
        existing = self._look()
        for project in projects:
            if project not in existing:
                raise not_found(project, list(existing))
        self._in_thread(lambda: self._follow(list(existing.values())))
        try:
            yield from self._reported(projects)
        finally:
            self._closed.set()

    def _reported(self, projects: Sequence[str]) -> Iterator[ProjectEvent]:
        while True:
            if self._cancelled():
                raise Interrupted
            # With a timeout, since a signal does not interrupt a wait without one.
            try:
                found = self._found.get(timeout=_QUEUE_TIMEOUT)
            except queue.Empty:
                continue
            if isinstance(found, BaseException):
                raise found
            if not projects or found.project in projects:
                yield found

    def _in_thread(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except BaseException as exc:
                self._found.put(exc)

        threading.Thread(target=run, daemon=True).start()

    def _follow(self, starting: list[Run]) -> None:
        """Reads the engine's stream, and opens it again whenever it ends.

        It ends after 30 s of silence as well, so that a connection that died is always noticed.
        ``starting``: runs that may still become ready.
        """
        is_away = False
        while not self._closed.is_set():
            try:
                self._catch_up()
                while starting:
                    self._await_ready(starting.pop())
                if is_away:
                    self._notice("the engine is back")
                is_away = False
                self._read()
            except (EngineUnavailable, EngineTimeout) as exc:
                if not is_away:
                    self._notice(f"{exc.message}; following again when it is back")
                is_away = True
                self._clock.sleep(_REOPEN_PAUSE)

    def _catch_up(self) -> None:
        """First the events that the engine still has, then what only its state shows."""
        before, now = self._state.runs, self._look()
        self._read(until=self._clock.now().timestamp())
        with self._guard:
            self._state, missed = compare(self._state, before, now, self._clock.now())
        for event in missed:
            self._handle(event, missed=True)

    def _read(self, until: float | None = None) -> None:
        for event in self._engine.events.read(self._read_until, until):
            self._handle(event)
            # Only now: an event whose handling failed is read again.
            self._read_until = max(self._read_until, event.at + 1e-6)
            if self._closed.is_set():
                return

    def _look(self) -> dict[str, Run]:
        """The run of each project's container, as it is now."""
        found = {}
        for project, instance in list_instances(self._engine).items():
            try:
                found[project] = run_of(self._engine.containers.inspect(instance.main.id))
            except NotFound:
                continue
        return found

    def _handle(self, event: EngineEvent, *, missed: bool = False) -> None:
        observed = self._observe(event)
        self._apply(lambda state: apply_event(state, event, observed, missed=missed))

    def _observe(self, event: EngineEvent) -> Observation:
        """What the reducer needs to know for this event."""
        if event.action == "destroy":
            listed = list_instances(self._engine)
            return Observation(has_container=event.project in listed)
        if event.action == "die":
            try:
                return Observation(describe(self._engine, *observe(self._engine, event.container)))
            except NotFound:
                return Observation()
        return Observation()

    def _apply(self, step: Callable[[EventState], Change]) -> None:
        with self._guard:
            change = step(self._state)
            self._state = change.state
            if change.event:
                self._found.put(change.event)
        if change.started:
            self._await_ready(change.started)

    def _await_ready(self, run: Run) -> None:
        if run.runs:
            self._in_thread(lambda: self._watch(run))

    def _watch(self, run: Run) -> None:
        """Reports once when this run listens; returns when it has ended."""
        while not self._closed.is_set():
            try:
                container, launcher = observe(self._engine, run.container)
            except (EngineUnavailable, EngineTimeout):
                self._clock.sleep(_REOPEN_PAUSE)
                continue
            except DebughostError:
                return
            now = run_of(container)
            if not now.runs or now.since > run.since:
                return
            if launcher.ready:
                at = launcher.at or self._clock.now()
                self._apply(partial(apply_ready, run=run, started_at=container.started_at, at=at))
                return
            self._clock.sleep(POLL)
