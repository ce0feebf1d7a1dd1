"""From what an engine reports to what happened to projects: a pure reducer.

The engine reports starts and ends of containers. Their project, the reason of an end, whether a
removal was a recreation, and what the engine has no event of are decided here, from the state so
far and from what was observed when the event came. The caller reads the engine and the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct, field
from msgspec.structs import replace

from debughost_cli.models import Exit, ExitReason, Project, State
from debughost_cli.names import is_project
from debughost_cli.resources import Container, ContainerStatus, EngineEvent
from debughost_cli.specs import Role

_RENAMED = {
    "pause": "paused",
    "unpause": "resumed",
    "oom": "oom",
    "health_status: healthy": "healthy",
    "health_status: unhealthy": "unhealthy",
}
_ENDS = {State.STOPPED: "stopped", State.COMPLETED: "completed", State.CRASHED: "crashed"}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class ProjectEvent(Struct, frozen=True):
    """A change of a project. ``at``: when it happened, by the engine's clock; ``exit`` where it
    ended; ``missed`` where the engine has no event of it and it was found by comparing states.
    ``service``: the companion service that it is about; None for the project itself.
    """

    project: str
    event: str
    at: datetime
    exit: Exit | None = None
    missed: bool = False
    service: str | None = None


class Run(Struct, frozen=True):
    """Whether a project's container runs, and since when, by the engine's clock.

    ``compared``: found by comparing states, so a later event of the same change is a duplicate.
    """

    project: str
    container: str
    runs: bool
    since: datetime
    compared: bool = False


class Observation(Struct, frozen=True):
    """What the engine holds when an event has come.

    ``project``: the container of the event, described; None where it is gone or was not needed.
    ``has_container``: whether the project still has a container.
    """

    project: Project | None = None
    has_container: bool = True


class EventState(Struct, frozen=True):
    """What is known so far. ``since``: earlier changes are not reported.

    ``runs``: the last known run of each project. ``signalled``: containers that were sent a signal
    through the engine and have not ended yet. ``ready``: container to the start of the run that
    was reported as ready.
    """

    since: datetime
    runs: Mapping[str, Run] = field(default_factory=dict)
    signalled: frozenset[str] = frozenset()
    ready: Mapping[str, datetime | None] = field(default_factory=dict)

    def with_run(self, run: Run) -> EventState:
        """With ``run`` as its project's last known one."""
        return replace(self, runs={**self.runs, run.project: run})


class Change(Struct, frozen=True):
    """What follows from an event. ``started``: a run whose readiness is to be awaited."""

    state: EventState
    event: ProjectEvent | None = None
    started: Run | None = None


def run_of(container: Container) -> Run:
    """The container's present run, or its last one."""
    times = [t for t in (container.started_at, container.finished_at) if t]
    runs = container.status in (ContainerStatus.RUNNING, ContainerStatus.PAUSED)
    return Run(container.project, container.id, runs, max(times, default=_LONG_AGO))


def apply_event(
    state: EventState, event: EngineEvent, found: Observation, *, missed: bool = False
) -> Change:
    """One event of the engine. ``missed``: one that ``compare`` made."""
    if not is_project(event.project) or event.role not in (Role.MAIN, Role.SERVICE):
        return Change(state)
    at = datetime.fromtimestamp(event.at, UTC)
    if event.action == "kill":
        return Change(replace(state, signalled=state.signalled | {event.container}))
    if event.role == Role.SERVICE:
        return _of_service(state, event, at, found)
    if event.action in ("start", "die"):
        return _turn(state, event, at, found, missed=missed)
    if event.action == "destroy":
        return _destroy(state, event, at, found, missed=missed)
    if event.action in _RENAMED:
        return Change(state, ProjectEvent(event.project, _RENAMED[event.action], at))
    return Change(state)


def apply_ready(state: EventState, run: Run, started_at: datetime | None, at: datetime) -> Change:
    """A run listens on its port, since ``at``. Each run is reported once."""
    if run.container in state.ready and state.ready[run.container] == started_at:
        return Change(state)
    state = replace(state, ready={**state.ready, run.container: started_at})
    return Change(state, ProjectEvent(run.project, "ready", at) if at >= state.since else None)


def compare(
    state: EventState, before: Mapping[str, Run], now: Mapping[str, Run], at: datetime
) -> tuple[EventState, list[EngineEvent]]:
    """After the engine's events were read: the events that it does not have (any more).

    ``before``: the last known runs before reading. ``now``: what the engine held then. ``at``: the
    time for what was removed, which no engine remembers.
    """
    missed = [
        EngineEvent("destroy", known.container, project, at.timestamp())
        for project, known in before.items()
        if project not in now and state.runs.get(project) == known
    ]
    for project, seen in now.items():
        known = state.runs.get(project)
        if known is None:
            known = replace(seen, since=min(seen.since, state.since))
            state = state.with_run(known)
        # An event that was read may be newer than ``now``; it comes a moment after its cause.
        if seen.since > known.since:
            action = "start" if seen.runs else "die"
            missed.append(EngineEvent(action, seen.container, project, seen.since.timestamp()))
    return state, missed


def _turn(
    state: EventState, event: EngineEvent, at: datetime, found: Observation, *, missed: bool
) -> Change:
    """A start or an end."""
    known = state.runs.get(event.project)
    run = Run(event.project, event.container, event.action == "start", at, compared=missed)
    changed = state.with_run(run)
    if not run.runs:
        changed = replace(changed, signalled=state.signalled - {event.container})
    if known and known.compared and _same_change(known, run):
        return Change(changed)
    if run.runs:
        return Change(changed, ProjectEvent(run.project, "started", at, missed=missed), run)
    signalled = event.container in state.signalled
    return Change(changed, replace(_end(event, at, found, signalled=signalled), missed=missed))


def _of_service(state: EventState, event: EngineEvent, at: datetime, found: Observation) -> Change:
    """A companion service is no project of its own: its changes have names of their own."""
    if event.action == "start":
        name, exit_ = "service_started", None
    elif event.action == "die":
        ended = _end(event, at, found, signalled=event.container in state.signalled)
        state = replace(state, signalled=state.signalled - {event.container})
        name, exit_ = f"service_{ended.event}", ended.exit
    else:
        return Change(state)
    return Change(state, ProjectEvent(event.project, name, at, exit_, service=event.service))


def _same_change(one: Run, other: Run) -> bool:
    return (one.container, one.runs) == (other.container, other.runs)


def _destroy(
    state: EventState, event: EngineEvent, at: datetime, found: Observation, *, missed: bool
) -> Change:
    """A recreation removes a container, not the project."""
    state = replace(
        state,
        signalled=state.signalled - {event.container},
        ready={c: t for c, t in state.ready.items() if c != event.container},
    )
    if found.has_container:
        return Change(state)
    runs = {p: r for p, r in state.runs.items() if p != event.project}
    return Change(
        replace(state, runs=runs), ProjectEvent(event.project, "removed", at, missed=missed)
    )


def _end(event: EngineEvent, at: datetime, found: Observation, *, signalled: bool) -> ProjectEvent:
    """With the full reason, where the container still is in the state after this run."""
    project = found.project
    if project and project.exit and (project.started_at is None or project.started_at <= at):
        name = _ENDS.get(project.state or State.CRASHED, "crashed")
        return ProjectEvent(event.project, name, at, project.exit)
    exit_ = _outline(event, at, signalled=signalled)
    return ProjectEvent(event.project, exit_.reason, at, exit_)


def _outline(event: EngineEvent, at: datetime, *, signalled: bool) -> Exit:
    """What the event alone reports of an end: the container is gone, or runs again already."""
    code = event.exit_code or 0
    by_itself = ExitReason.COMPLETED if code == 0 else ExitReason.CRASHED
    reason = ExitReason.STOPPED if signalled else by_itself
    message = f"ended with exit code {code}, and was removed or started again at once"
    return Exit(code, None, reason, reason is not ExitReason.CRASHED, message, at)
