"""What happened to projects, out of what an engine reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import make_container
from msgspec.structs import replace

from debughost_cli.models import Exit, ExitReason, Project, State
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

START = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
ONE, TWO = "1" * 64, "2" * 64


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def event(action: str, seconds: float, container: str = ONE, code: int | None = None) -> Any:
    return EngineEvent(action, container, "shop", at(seconds).timestamp(), code)


def ended(reason: ExitReason, state: State, *, started: float = 1, code: int = 1) -> Observation:
    """The engine still has the container, and knows why this run ended."""
    exit_ = Exit(code, None, reason, reason != "crashed", "its reason", at(9))
    return Observation(Project("shop", state=state, started_at=at(started), exit=exit_))


GONE = Observation()
REMOVED = Observation(has_container=False)


class Reducer:
    """Applies one input after another, and keeps the events."""

    def __init__(self) -> None:
        self.state = EventState(START)
        self.events: list[ProjectEvent] = []
        self.started: list[Run] = []

    def take(self, change: Change) -> None:
        self.state = change.state
        self.events += [change.event] if change.event else []
        self.started += [change.started] if change.started else []

    def apply(self, action: str, seconds: float, found: Observation = GONE, **more: Any) -> None:
        missed = more.pop("missed", False)
        self.take(apply_event(self.state, event(action, seconds, **more), found, missed=missed))

    @property
    def names(self) -> list[str]:
        return [e.event for e in self.events]


@pytest.fixture
def reducer() -> Reducer:
    return Reducer()


def test_a_start_is_reported_and_its_readiness_awaited(reducer: Reducer) -> None:
    reducer.apply("start", 1)
    assert reducer.events == [ProjectEvent("shop", "started", at(1))]
    assert reducer.started == [Run("shop", ONE, True, at(1))]


@pytest.mark.parametrize(
    ("reason", "state", "name"),
    [
        ("stopped", State.STOPPED, "stopped"),
        ("completed", State.COMPLETED, "completed"),
        ("oom", State.CRASHED, "crashed"),
        ("crashed", State.RESTARTING, "crashed"),
        ("killed", None, "crashed"),
    ],
)
def test_an_end_is_reported_with_the_reason_that_the_engine_has(
    reducer: Reducer, reason: ExitReason, state: Any, name: str
) -> None:
    found = ended(reason, state)
    reducer.apply("start", 1)
    reducer.apply("die", 9, found, code=1)
    assert reducer.names == ["started", name]
    assert reducer.events[-1] == ProjectEvent("shop", name, at(9), found.project.exit)


@pytest.mark.parametrize(
    ("signalled", "code", "name", "expected"),
    [
        (True, 143, "stopped", True),
        (True, 0, "stopped", True),
        (False, 0, "completed", True),
        (False, 1, "crashed", False),
        (False, None, "completed", True),
    ],
)
def test_of_a_container_that_is_gone_the_event_alone_gives_the_reason(
    reducer: Reducer, signalled: bool, code: int | None, name: str, expected: bool
) -> None:
    if signalled:
        reducer.apply("kill", 8)
    reducer.apply("die", 9, GONE, code=code)
    (found,) = reducer.events
    assert (found.event, found.exit.reason, found.exit.expected) == (name, name, expected)
    assert found.exit.code == (code or 0)
    assert found.exit.finished_at == at(9)


def test_a_signal_counts_for_one_end_only(reducer: Reducer) -> None:
    reducer.apply("kill", 1)
    reducer.apply("die", 2, code=143)
    reducer.apply("start", 3)
    reducer.apply("die", 4, code=1)
    assert reducer.names == ["stopped", "started", "crashed"]


def test_a_restart_by_the_policy_is_an_end_and_a_start(reducer: Reducer) -> None:
    """By the time that the end is looked at, the container runs again."""
    reducer.apply("start", 1)
    running_again = ended(ExitReason.CRASHED, State.RUNNING, started=5)
    reducer.apply("die", 4, running_again, code=3)
    reducer.apply("start", 5)
    assert reducer.names == ["started", "crashed", "started"]
    assert reducer.events[1].exit.code == 3
    assert reducer.events[1].exit.message != "its reason"
    assert [r.since for r in reducer.started] == [at(1), at(5)]


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("oom", "oom"),
        ("pause", "paused"),
        ("unpause", "resumed"),
        ("health_status: healthy", "healthy"),
        ("health_status: unhealthy", "unhealthy"),
    ],
)
def test_other_changes_are_reported_under_our_names(
    reducer: Reducer, action: str, name: str
) -> None:
    reducer.apply(action, 2)
    assert reducer.events == [ProjectEvent("shop", name, at(2))]


@pytest.mark.parametrize("action", ["exec_start: sh", "attach", "resize", "health_status: x", ""])
def test_what_changes_no_state_is_not_reported(reducer: Reducer, action: str) -> None:
    reducer.apply(action, 2)
    assert (reducer.events, reducer.state) == ([], EventState(START))


def test_a_container_that_names_no_project_is_ignored(reducer: Reducer) -> None:
    foreign = replace(event("start", 1), project="Not An Id")
    reducer.take(apply_event(reducer.state, foreign, GONE))
    assert (reducer.events, reducer.state) == ([], EventState(START))


def test_a_recreation_removes_no_project(reducer: Reducer) -> None:
    reducer.apply("start", 1)
    reducer.apply("kill", 2)
    reducer.apply("die", 2, GONE, code=143)
    reducer.apply("start", 3, container=TWO)
    reducer.apply("destroy", 4, Observation(has_container=True))
    assert reducer.names == ["started", "stopped", "started"]
    assert reducer.state.runs["shop"].container == TWO


def test_a_removal_forgets_the_project(reducer: Reducer) -> None:
    reducer.apply("start", 1)
    reducer.take(apply_ready(reducer.state, reducer.started[0], at(1), at(2)))
    reducer.apply("kill", 3)
    reducer.apply("destroy", 4, REMOVED)
    assert reducer.names == ["started", "ready", "removed"]
    assert reducer.state == EventState(START)


def test_each_run_is_ready_once(reducer: Reducer) -> None:
    run = Run("shop", ONE, True, at(1))
    for started in (1, 1, 6, 6):
        reducer.take(apply_ready(reducer.state, run, at(started), at(started + 1)))
    assert reducer.events == [
        ProjectEvent("shop", "ready", at(2)),
        ProjectEvent("shop", "ready", at(7)),
    ]


def test_a_readiness_before_the_time_that_was_requested_is_not_reported(reducer: Reducer) -> None:
    run = Run("shop", ONE, True, at(-9))
    reducer.take(apply_ready(reducer.state, run, at(-9), at(-1)))
    assert reducer.events == []


def test_a_run_without_a_start_time_is_ready_once(reducer: Reducer) -> None:
    run = Run("shop", ONE, True, at(1))
    for _ in range(2):
        reducer.take(apply_ready(reducer.state, run, None, at(2)))
    assert reducer.names == ["ready"]


def reconnect(reducer: Reducer, *now: Run) -> None:
    """The engine has no event of what happened; what it holds is ``now``."""
    before = reducer.state.runs
    held = {r.project: r for r in now}
    reducer.state, missed = compare(reducer.state, before, held, at(100))
    for found in missed:
        observed = {"die": ended(ExitReason.CRASHED, State.CRASHED), "destroy": REMOVED}
        change = apply_event(reducer.state, found, observed.get(found.action, GONE), missed=True)
        reducer.take(change)


def test_a_project_that_is_there_from_the_beginning_is_no_event(reducer: Reducer) -> None:
    reconnect(reducer, Run("shop", ONE, True, at(-50)))
    assert reducer.events == []
    assert reducer.state.runs["shop"].since == at(-50)


def test_a_change_since_the_time_that_was_requested_is_found_at_the_first_reading(
    reducer: Reducer,
) -> None:
    reconnect(reducer, Run("shop", ONE, True, at(3)))
    assert reducer.events == [ProjectEvent("shop", "started", at(3), missed=True)]


def test_a_start_without_an_event_is_found_by_comparing(reducer: Reducer) -> None:
    reducer.apply("start", 1)
    reducer.apply("die", 2, code=0)
    reconnect(reducer, Run("shop", ONE, True, at(3)))
    assert reducer.names == ["started", "completed", "started"]
    assert reducer.events[-1] == ProjectEvent("shop", "started", at(3), missed=True)
    assert reducer.started[-1].since == at(3)


def test_an_end_without_an_event_is_found_by_comparing(reducer: Reducer) -> None:
    reducer.apply("start", 1)
    reconnect(reducer, Run("shop", ONE, False, at(9)))
    assert reducer.names == ["started", "crashed"]
    assert reducer.events[-1].missed
    assert reducer.events[-1].exit.message == "its reason"


def test_a_removal_without_an_event_is_found_by_comparing(reducer: Reducer) -> None:
    reducer.apply("start", 1)
    reconnect(reducer)
    assert reducer.events[-1] == ProjectEvent("shop", "removed", at(100), missed=True)
    assert reducer.state.runs == {}


@pytest.mark.parametrize(("action", "runs"), [("start", True), ("die", False)])
def test_an_event_that_comes_after_the_comparison_is_a_duplicate(
    reducer: Reducer, action: str, runs: bool
) -> None:
    """The engine's own times of an event and of its cause differ by a moment."""
    first = Run("shop", ONE, not runs, at(1))
    reducer.state = reducer.state.with_run(first)
    reconnect(reducer, Run("shop", ONE, runs, at(5)))
    reducer.apply(action, 5.2, code=None if runs else 1)
    assert len(reducer.events) == 1
    assert not reducer.state.runs["shop"].compared
    reducer.apply(action, 7, code=None if runs else 1)
    assert len(reducer.events) == 2


@pytest.mark.parametrize(("action", "container"), [("start", TWO), ("die", ONE)])
def test_another_change_after_the_comparison_is_reported(
    reducer: Reducer, action: str, container: Any
) -> None:
    reducer.state = reducer.state.with_run(Run("shop", ONE, False, at(1)))
    reconnect(reducer, Run("shop", ONE, True, at(5)))
    reducer.apply(action, 6, container=container)
    assert len(reducer.events) == 2


def test_what_was_read_meanwhile_is_newer_than_the_reading(reducer: Reducer) -> None:
    """The look shows the project as running; the history then has its end."""
    reducer.apply("start", 1)
    before = reducer.state.runs
    looked = {"shop": Run("shop", ONE, True, at(1))}
    reducer.apply("die", 2, code=0)
    _, missed = compare(reducer.state, before, looked, at(3))
    assert missed == []


def test_a_project_that_was_removed_and_made_again_meanwhile_is_not_removed(
    reducer: Reducer,
) -> None:
    reducer.apply("start", 1)
    before = reducer.state.runs
    reducer.apply("start", 2, container=TWO)
    _, missed = compare(reducer.state, before, {}, at(3))
    assert missed == []


@pytest.mark.parametrize(
    ("status", "started", "finished", "runs", "since"),
    [
        ("running", at(1), None, True, at(1)),
        ("paused", at(1), None, True, at(1)),
        ("running", at(5), at(4), True, at(5)),
        ("exited", at(1), at(4), False, at(4)),
        ("restarting", at(1), at(4), False, at(4)),
        ("created", None, None, False, datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_the_run_of_a_container(
    status: str, started: Any, finished: Any, runs: bool, since: Any
) -> None:
    made = make_container(status=status, started_at=started, finished_at=finished)
    assert run_of(made) == Run("shop", made.id, runs, since)


@pytest.mark.parametrize(
    ("action", "code", "found", "name"),
    [
        ("start", None, GONE, "service_started"),
        ("die", 1, ended(ExitReason.CRASHED, State.CRASHED), "service_crashed"),
        ("die", 0, ended(ExitReason.STOPPED, State.STOPPED), "service_stopped"),
        ("die", 3, GONE, "service_crashed"),
    ],
)
def test_changes_of_a_service_have_names_of_their_own(
    action: str, code: int | None, found: Observation, name: str
) -> None:
    of_service = replace(event(action, 5, TWO, code), role="service", service="db")
    before = EventState(START)
    change = apply_event(before, of_service, found)
    assert change.event
    assert (change.event.event, change.event.service) == (name, "db")
    assert change.state == before
    assert change.started is None
