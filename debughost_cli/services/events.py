"""``events``: state changes as they happen, with their reason.

The engine tells of starts and ends; readiness it does not know, so each start is followed until the
project listens. When the engine was away, the state before and after tells what may be missed.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError, EngineUnavailable
from debughost_cli.models import EngineEvent, Exit, Project, State
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import (
    OURS,
    by_project,
    containers_of,
    describe,
    not_found,
    observe,
)
from debughost_cli.services.readiness import POLL

_PLAIN = {
    "start": "started",
    "pause": "paused",
    "unpause": "resumed",
    "oom": "oom",
    "health_status: healthy": "healthy",
    "health_status: unhealthy": "unhealthy",
}
_ENDS = {State.STOPPED: "stopped", State.COMPLETED: "completed", State.CRASHED: "crashed"}
_REOPEN_PAUSE = 1.0


@dataclass(frozen=True)
class ProjectEvent:
    """A change of a project. ``at``: when it happened, by the engine's clock; ``exit`` where it
    ended; ``missed`` where it was found by comparing and may have happened at any time before.
    """

    project: str
    event: str
    at: datetime
    exit: Exit | None = None
    missed: bool = False


class EventService:
    """Follows the engine in threads that end with the process."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress
        self._found: queue.Queue[ProjectEvent | DebughostError] = queue.Queue()
        self._running: dict[str, str] = {}
        """Project to the container that runs; empty where none does."""

    def run(
        self, projects: Sequence[str] = (), since: float | None = None
    ) -> Iterator[ProjectEvent]:
        """Events for ever, of all projects or of those named. Raises ProjectNotFound."""
        known = self._look()
        for project in projects:
            if project not in known:
                raise not_found(project, list(known))
        self._running = known
        threading.Thread(target=self._follow, args=(since,), daemon=True).start()
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

    def _follow(self, since: float | None) -> None:
        """Reads the engine's stream, and opens it again whenever it ends."""
        last = since if since is not None else time.time()
        while True:
            try:
                for event in self._engine.events(last):
                    last = max(last, event.at + 1e-6)
                    self._handle(event)
            except EngineUnavailable as exc:
                self._progress.step(f"{exc.message}; following again when it is back")
                self._catch_up()
            except DebughostError as exc:
                self._found.put(exc)
                return

    def _catch_up(self) -> None:
        """Waits until the engine is back, then compares what was with what is."""
        while True:
            try:
                now = self._look()
                break
            except DebughostError:
                time.sleep(_REOPEN_PAUSE)
        before, self._running = self._running, now
        for project in sorted(before.keys() | now.keys()):
            if before.get(project) != now.get(project):
                self._found.put(self._missed(project, now.get(project)))

    def _missed(self, project: str, container: str | None) -> ProjectEvent:
        moment = datetime.now(UTC)
        if container is None:
            return ProjectEvent(project, "removed", moment, missed=True)
        if container:
            return ProjectEvent(project, "started", moment, missed=True)
        ended = EngineEvent("die", self._newest(project), project, moment.timestamp())
        return replace(self._end(ended, moment), missed=True)

    def _newest(self, project: str) -> str:
        group = containers_of(self._engine, project)
        return group[0].id if group else ""

    def _look(self) -> dict[str, str]:
        """Each project's running container, empty where it has ended."""
        groups = by_project(self._engine.list_containers([OURS]))
        return {p: g[0].id if g[0].is_running else "" for p, g in groups.items()}

    def _handle(self, event: EngineEvent) -> None:
        moment = datetime.fromtimestamp(event.at, UTC)
        self._remember(event)
        if event.action in _PLAIN:
            self._found.put(ProjectEvent(event.project, _PLAIN[event.action], moment))
        if event.action == "start":
            threading.Thread(target=self._await_ready, args=(event,), daemon=True).start()
        elif event.action == "die":
            self._found.put(self._end(event, moment))
        elif event.action == "destroy" and not self._lives_on(event.project):
            self._found.put(ProjectEvent(event.project, "removed", moment))

    def _remember(self, event: EngineEvent) -> None:
        """What is known of each project, for the day the engine goes away."""
        if event.action == "start":
            self._running[event.project] = event.container
        elif event.action == "die" and self._running.get(event.project) == event.container:
            self._running[event.project] = ""
        elif event.action == "destroy" and not self._running.get(event.project):
            self._running.pop(event.project, None)

    def _end(self, event: EngineEvent, moment: datetime) -> ProjectEvent:
        """With the full reason, where the container can still be asked."""
        try:
            project = describe(self._engine, *observe(self._engine, event.container))
        except DebughostError:
            code = event.exit_code or 0
            reason = "completed" if code == 0 else "crashed"
            gone = Exit(code, None, reason, False, "ended and was removed at once", moment)
            return ProjectEvent(event.project, reason, moment, gone)
        word = _ENDS.get(project.state, "crashed") if project.state else "crashed"
        return ProjectEvent(event.project, word, moment, _fresh(project, event))

    def _lives_on(self, project: str) -> bool:
        """A recreation removes a container, not the project."""
        try:
            return project in self._look()
        except DebughostError:
            return False

    def _await_ready(self, event: EngineEvent) -> None:
        """Tells when the project listens; gives up when its container has ended."""
        while True:
            try:
                container, marks = observe(self._engine, event.container)
            except DebughostError:
                return
            if container.status != "running":
                return
            if marks.ready:
                moment = marks.at or datetime.now(UTC)
                self._found.put(ProjectEvent(event.project, "ready", moment))
                return
            time.sleep(POLL)


def _fresh(project: Project, event: EngineEvent) -> Exit | None:
    """The exit of this end; a restart policy may have started the project again already."""
    if project.exit or event.exit_code is None:
        return project.exit
    message = f"ended with exit code {event.exit_code} and was started again by its policy"
    reason = "completed" if event.exit_code == 0 else "crashed"
    return Exit(event.exit_code, None, reason, False, message, None)
