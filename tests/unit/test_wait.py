"""Waiting for a condition, without waiting."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine, Program, never_listens, start_shop, usable_engine

from debughost_cli import names
from debughost_cli.errors import (
    Crashed,
    Interrupted,
    NetworkConflict,
    ProjectNotFound,
    Unhealthy,
    WaitTimeout,
)
from debughost_cli.models import State
from debughost_cli.services.conditions import parse_condition
from debughost_cli.services.network import SETTLE_SECONDS, NetworkService
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.wait import WaitService


@pytest.fixture(autouse=True)
def state_folder(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", f"{tmp_path}/state")


@pytest.fixture
def engine() -> FakeEngine:
    return usable_engine()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


Start = Callable[..., str]


@pytest.fixture
def start(engine: FakeEngine) -> Start:
    def make(program: Program) -> str:
        return start_shop(engine, program)

    return make


def wait(engine: FakeEngine, clock: FakeClock, condition: str, timeout: float = 60) -> State | None:
    service = WaitService(engine, clock=clock)
    return service.run("shop", parse_condition(condition, clock), timeout).project.state


def test_it_reads_until_the_condition_is_true(
    engine: FakeEngine, clock: FakeClock, start: Start
) -> None:
    start(Program(ready=True, late=5))
    assert wait(engine, clock, "ready") is State.RUNNING
    assert clock.slept == [0.05] * 5


def test_it_ends_after_its_timeout(engine: FakeEngine, clock: FakeClock, start: Start) -> None:
    start(never_listens())
    with pytest.raises(WaitTimeout, match="not ready within 5 s") as caught:
        wait(engine, clock, "ready", timeout=5)
    assert caught.value.details["status"] == "running"
    assert clock.monotonic() == pytest.approx(5, abs=0.1)


def test_an_end_is_found_when_it_comes(engine: FakeEngine, clock: FakeClock, start: Start) -> None:
    ref = start(never_listens())
    clock.on_sleep = lambda _: engine.crash(ref, 3) if len(clock.slept) == 4 else None
    assert wait(engine, clock, "exited") is State.CRASHED
    assert len(clock.slept) == 4


def test_a_condition_that_can_no_longer_come_true_ends_it_at_once(
    engine: FakeEngine, clock: FakeClock, start: Start
) -> None:
    ref = start(never_listens())
    clock.on_sleep = lambda _: engine.crash(ref, 3) if len(clock.slept) == 2 else None
    with pytest.raises(Crashed):
        wait(engine, clock, "ready")
    assert len(clock.slept) == 2


@pytest.mark.parametrize("condition", ["log=^ready$", "healthy"])
def test_logs_and_health_are_read_each_time(
    engine: FakeEngine, clock: FakeClock, start: Start, condition: str
) -> None:
    ref = start(never_listens(health="starting"))

    def change(_: float) -> None:
        if len(clock.slept) == 3:
            engine.write_log(ref, "ready")
            engine.stored_containers[ref].health = "healthy"

    clock.on_sleep = change
    assert wait(engine, clock, condition) is State.RUNNING
    assert len(clock.slept) == 3


def test_an_image_without_a_health_check(
    engine: FakeEngine, clock: FakeClock, start: Start
) -> None:
    start(never_listens())
    with pytest.raises(Unhealthy, match="has no health check"):
        wait(engine, clock, "healthy")


def test_a_project_that_is_removed_meanwhile(
    engine: FakeEngine, clock: FakeClock, start: Start
) -> None:
    ref = start(never_listens())
    clock.on_sleep = lambda _: engine.containers.remove(ref, force=True)
    with pytest.raises(ProjectNotFound):
        wait(engine, clock, "ready")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (never_listens(), "nothing_listens"),
        (
            never_listens(output=("[nodemon] app crashed - waiting for changes",)),
            "waiting_for_changes",
        ),
        (never_listens(output=("Error: no database", "Node.js v24.1.0")), "waiting_for_changes"),
    ],
)
def test_what_was_in_the_way_of_readiness(
    engine: FakeEngine, clock: FakeClock, start: Start, program: Program, reason: str
) -> None:
    """The wait goes on: a program that is mended becomes ready."""
    start(program)
    with pytest.raises(WaitTimeout) as caught:
        wait(engine, clock, "ready", 10)
    assert caught.value.details["reason"] == reason
    assert clock.monotonic() >= 10


def test_it_ends_when_it_is_cancelled(engine: FakeEngine, clock: FakeClock, start: Start) -> None:
    start(never_listens())
    service = WaitService(engine, lambda: len(clock.slept) == 2, clock)
    with pytest.raises(Interrupted):
        service.run("shop", parse_condition("ready"), 60)


def test_another_clients_network_may_appear_a_moment_later(
    engine: FakeEngine, clock: FakeClock
) -> None:
    """The engine takes the addresses before it lists the network."""
    engine.stored_networks.clear()
    engine.routes.add(names.SUBNET)

    def appear(_: float) -> None:
        if clock.monotonic() >= 5 and not engine.stored_networks:
            engine.add_network(names.NETWORK, names.SUBNET, labels={names.MANAGED: "true"})

    clock.on_sleep = appear
    result = NetworkService(engine, NullProgress(), clock).ensure()
    assert not result.changed
    assert clock.monotonic() == pytest.approx(5, abs=0.1), "a busy engine takes that long"


def test_a_network_that_does_not_appear_is_a_route_in_the_way(
    engine: FakeEngine, clock: FakeClock
) -> None:
    engine.stored_networks.clear()
    engine.routes.add(names.SUBNET)
    with pytest.raises(NetworkConflict, match="a route or interface"):
        NetworkService(engine, NullProgress(), clock).ensure()
    assert clock.monotonic() == pytest.approx(SETTLE_SECONDS, abs=0.1)
