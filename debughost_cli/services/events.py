"""``events``: state changes as they happen, with their reason.

The engine tells of starts and ends; readiness it does not know, so each run is followed until the
project listens. Whenever the engine's stream has ended, what the engine still remembers is read
first; comparing the state before and after then tells what it forgot.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import DebughostError, EngineTimeout, EngineUnavailable
from debughost_cli.models import Exit, State
from debughost_cli.names import is_project
from debughost_cli.resources import Container, EngineEvent
from debughost_cli.services.projects import MANAGED_FILTER, by_project, describe, not_found, observe
from debughost_cli.services.readiness import POLL

_PLAIN = {
    "pause": "paused",
    "unpause": "resumed",
    "oom": "oom",
    "health_status: healthy": "healthy",
    "health_status: unhealthy": "unhealthy",
}
_ENDS = {State.STOPPED: "stopped", State.COMPLETED: "completed", State.CRASHED: "crashed"}
_REOPEN_PAUSE = 1.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class ProjectEvent:
    """A change of a project. ``at``: when it happened, by the engine's clock; ``exit`` where it
    ended; ``missed`` where the engine forgot it and it was found by comparing.
    """

    project: str
    event: str
    at: datetime
    exit: Exit | None = None
    missed: bool = False


@dataclass(frozen=True)
class _Known:
    """Whether a project's container runs, and since when, by the engine's clock.

    ``compared``: found by comparing, so that an event of it would be told a second time.
    """

    container: str
    runs: bool
    since: datetime
    compared: bool = False


class EventService:
    """Follows the engine in threads that end with the process.

    ``engine`` is one that does not try again by itself: that is done here, for ever.
    ``say`` hears when it goes away and when it is back.
    """

    def __init__(self, engine: Engine, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._say = say
        self._found: queue.Queue[ProjectEvent | DebughostError] = queue.Queue()
        self._since = self._last = 0.0
        """Seconds since the epoch: what is wanted, and what is told already."""
        self._known: dict[str, _Known] = {}
        self._asked: set[str] = set()
        """Containers that were sent a signal through the engine, and have not ended yet."""
        self._ready: dict[str, datetime | None] = {}
        """Container to the start of the run that was told to be ready."""
        self._guard = threading.Lock()

    def run(
        self, projects: Sequence[str] = (), since: float | None = None
    ) -> Iterator[ProjectEvent]:
        """Events for ever, of all projects or of those named. Raises ProjectNotFound."""
        self._since = self._last = time.time() if since is None else since
        existing = self._look()
        for project in projects:
            if project not in existing:
                raise not_found(project, list(existing))
        threading.Thread(target=self._follow, args=(existing,), daemon=True).start()
        while True:
            # With a timeout, for a wait without one would not be interrupted by a signal.
            try:
                found = self._found.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(found, DebughostError):
                raise found
            if not projects or found.project in projects:
                yield found

    def _follow(self, on_their_way: dict[str, _Known]) -> None:
        """Reads the engine's stream, and opens it again whenever it ends.

        It ends after 30 s of silence as well, so that a connection that died is always noticed.
        """
        is_away = False
        while True:
            try:
                self._catch_up()
                while on_their_way:
                    self._follow_ready(*on_their_way.popitem())
                if is_away:
                    self._say("the engine is back")
                is_away = False
                self._read()
            except (EngineUnavailable, EngineTimeout) as exc:
                if not is_away:
                    self._say(f"{exc.message}; following again when it is back")
                is_away = True
                time.sleep(_REOPEN_PAUSE)
            except DebughostError as exc:
                self._found.put(exc)
                return

    def _read(self, until: float | None = None) -> None:
        for event in self._engine.events.read(self._last, until):
            self._handle(event)
            # Only now: one that could not be handled comes again.
            self._last = max(self._last, event.at + 1e-6)

    def _catch_up(self) -> None:
        """First what the engine still remembers, then what only its state tells."""
        before, now = dict(self._known), self._look()
        start = datetime.fromtimestamp(self._since, UTC)
        self._read(until=time.time())
        for project, known in before.items():
            if project not in now and self._known.get(project) == known:
                del self._known[project]
                self._found.put(ProjectEvent(project, "removed", datetime.now(UTC), missed=True))
        for project, seen in now.items():
            known = self._known.setdefault(project, replace(seen, since=min(seen.since, start)))
            # What was read may be newer than the look; an event comes a moment after its cause.
            if seen.since > known.since:
                self._miss(project, seen)

    def _miss(self, project: str, seen: _Known) -> None:
        """Tells what the engine has no event of any more."""
        if seen.runs:
            self._found.put(ProjectEvent(project, "started", seen.since, missed=True))
            self._follow_ready(project, seen)
        else:
            ended = EngineEvent("die", seen.container, project, seen.since.timestamp())
            self._found.put(replace(self._end(ended, seen.since), missed=True))
        self._known[project] = replace(seen, compared=True)

    def _look(self) -> dict[str, _Known]:
        """Each project as its container is now."""
        found = {}
        for project, group in by_project(self._engine.containers.list([MANAGED_FILTER])).items():
            try:
                found[project] = _known(self._engine.containers.inspect(group[0].id))
            except NotFound:
                continue
        return found

    def _handle(self, event: EngineEvent) -> None:
        if not is_project(event.project):
            return
        moment = datetime.fromtimestamp(event.at, UTC)
        known = self._known.get(event.project)
        if event.action == "kill":
            self._asked.add(event.container)
        elif event.action in ("start", "die"):
            runs = event.action == "start"
            is_told = known and known.compared and known.runs == runs
            if not (is_told and known and known.container == event.container):
                self._turn(event, moment)
            self._known[event.project] = _Known(event.container, runs, moment)
        elif event.action == "destroy":
            self._destroy(event, moment)
        elif event.action in _PLAIN:
            self._found.put(ProjectEvent(event.project, _PLAIN[event.action], moment))

    def _turn(self, event: EngineEvent, moment: datetime) -> None:
        """A start or an end."""
        if event.action == "die":
            self._found.put(self._end(event, moment))
            self._asked.discard(event.container)
            return
        self._found.put(ProjectEvent(event.project, "started", moment))
        self._follow_ready(event.project, _Known(event.container, True, moment))

    def _destroy(self, event: EngineEvent, moment: datetime) -> None:
        """A recreation removes a container, not the project."""
        self._asked.discard(event.container)
        self._ready.pop(event.container, None)
        if event.project not in by_project(self._engine.containers.list([MANAGED_FILTER])):
            self._known.pop(event.project, None)
            self._found.put(ProjectEvent(event.project, "removed", moment))

    def _end(self, event: EngineEvent, moment: datetime) -> ProjectEvent:
        """With the full reason, where the container can still be asked about this run."""
        try:
            container, launcher = observe(self._engine, event.container)
            if container.started_at is None or container.started_at <= moment:
                project = describe(self._engine, container, launcher)
                if project.exit:
                    word = _ENDS.get(project.state or State.CRASHED, "crashed")
                    return ProjectEvent(event.project, word, moment, project.exit)
        except NotFound:
            pass
        ended = _outline(event, moment, is_asked=event.container in self._asked)
        return ProjectEvent(event.project, ended.reason, moment, ended)

    def _follow_ready(self, project: str, known: _Known) -> None:
        if known.runs:
            words = (project, known)
            threading.Thread(target=self._await_ready, args=words, daemon=True).start()

    def _await_ready(self, project: str, known: _Known) -> None:
        """Tells once when this run listens; gives up when it has ended."""
        while True:
            try:
                container, launcher = observe(self._engine, known.container)
            except (EngineUnavailable, EngineTimeout):
                time.sleep(_REOPEN_PAUSE)
                continue
            except DebughostError:
                return
            now = _known(container)
            if not now.runs or now.since > known.since:
                return
            if launcher.ready:
                self._tell_ready(project, container, launcher.at or datetime.now(UTC))
                return
            time.sleep(POLL)

    def _tell_ready(self, project: str, container: Container, moment: datetime) -> None:
        with self._guard:
            is_told = self._ready.get(container.id) == container.started_at
            self._ready[container.id] = container.started_at
        if not is_told and moment.timestamp() >= self._since:
            self._found.put(ProjectEvent(project, "ready", moment))


def _known(container: Container) -> _Known:
    times = [t for t in (container.started_at, container.finished_at) if t]
    runs = container.status in ("running", "paused")
    return _Known(container.id, runs, max(times, default=_LONG_AGO))


def _outline(event: EngineEvent, moment: datetime, *, is_asked: bool) -> Exit:
    """What the event alone tells of an end: the container is gone, or runs again already."""
    code = event.exit_code or 0
    reason = "stopped" if is_asked else "completed" if code == 0 else "crashed"
    message = f"ended with exit code {code}, and was removed or started again at once"
    return Exit(code, None, reason, reason != "crashed", message, moment)
