"""Waiting until a project is ready: its install, its port, and that it stays so."""

from __future__ import annotations

import pytest
from fake_clock import FakeClock
from fakes import (
    FakeEngine,
    Program,
    exits,
    install_fails,
    installing,
    listens,
    never_listens,
    start_shop,
    usable_engine,
)

from debughost_cli.errors import (
    Crashed,
    DebughostError,
    DependenciesFailed,
    EngineTimeout,
    NotReady,
)
from debughost_cli.models import WaitLimits
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.readiness import wait_ready


@pytest.fixture
def engine() -> FakeEngine:
    return usable_engine()


def becomes(engine: FakeEngine, program: Program, at: float, clock: FakeClock) -> None:
    """The program gets to another state ``at`` seconds later."""

    def on_sleep(_: float) -> None:
        (container,) = engine.stored_containers.values()
        if clock.monotonic() >= at and container.program is not program:
            container.program = program
            engine.runtime.arrive(container)

    clock.on_sleep = on_sleep


class Texts(NullProgress):
    """The phases' texts."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts

    def step(self, text: str) -> None:
        self._texts.append(text)


def test_the_programs_time_begins_where_the_install_ends(engine: FakeEngine) -> None:
    clock = FakeClock()
    phases: list[str] = []
    ref = start_shop(engine, installing())
    becomes(engine, never_listens(), 300, clock)
    with pytest.raises(NotReady, match="after 60 s: nothing listens"):
        wait_ready(engine, ref, WaitLimits(), progress=Texts(phases), clock=clock)
    assert 359.9 <= clock.monotonic() < 361
    assert phases == [
        "Installing the dependencies of shop",
        "Waiting until shop listens",
    ]


def test_an_install_has_a_time_of_its_own(engine: FakeEngine) -> None:
    clock = FakeClock()
    ref = start_shop(engine, installing())
    with pytest.raises(NotReady, match="after 600 s: its dependencies are still") as caught:
        wait_ready(engine, ref, WaitLimits(ready=1), clock=clock)
    assert 600 <= clock.monotonic() < 601
    assert "--install-timeout" in caught.value.hint


CRASHED = "Failed running 'server.js'. Waiting for file changes before restarting..."


def test_a_crash_under_a_watcher_ends_the_wait(engine: FakeEngine) -> None:
    clock = FakeClock()
    ref = start_shop(engine, never_listens(output=("Error: no database", CRASHED)))
    with pytest.raises(NotReady, match="its program has ended") as caught:
        wait_ready(engine, ref, WaitLimits(), clock=clock)
    assert 2 <= clock.monotonic() < 4
    assert caught.value.details["reason"] == "waiting_for_changes"
    assert CRASHED in str(caught.value.details["log_tail"])


@pytest.mark.parametrize("request_", ["containers.inspect", "containers.read_link"])
def test_one_answer_that_is_late_ends_no_wait(engine: FakeEngine, request_: str) -> None:
    ref = start_shop(engine, listens())
    engine.fail(request_, EngineTimeout("no answer within 30 s"))
    container, launcher = wait_ready(engine, ref, WaitLimits(), clock=FakeClock())
    assert (container.id, launcher.ready) == (ref, True)


@pytest.mark.parametrize("request_", ["containers.inspect", "containers.read_link"])
def test_an_engine_that_hangs_ends_it(engine: FakeEngine, request_: str) -> None:
    ref = start_shop(engine, listens())
    engine.fail(request_, EngineTimeout("no answer within 30 s"), times=2)
    with pytest.raises(EngineTimeout):
        wait_ready(engine, ref, WaitLimits(), clock=FakeClock())


NODEMON = "[nodemon] app crashed - waiting for file changes before starting..."
STACK = ("TypeError: x is not a function", "    at main (/app/a.js:1:1)", "Node.js v24.1.0")


@pytest.mark.parametrize(
    "output",
    [
        (CRASHED,),
        (NODEMON,),
        # What was there before the file changed.
        (*STACK, NODEMON, "[nodemon] starting `node server.js`", NODEMON),
        # Reloaders of Python and tsx watch say nothing about it.
        ("INFO:     Started reloader process [46] using StatReload",),
        (),
    ],
)
def test_a_process_that_was_killed_for_memory_under_a_watcher(
    engine: FakeEngine, output: tuple[str, ...]
) -> None:
    clock = FakeClock()
    ref = start_shop(engine, never_listens(output=output, flags=("oom",)))
    with pytest.raises(NotReady, match="used up the memory limit of 2048 MiB") as caught:
        wait_ready(engine, ref, WaitLimits(), clock=clock)
    assert 2 <= clock.monotonic() < 4
    assert caught.value.details["reason"] == "oom"
    assert "--memory 4096m" in caught.value.hint


@pytest.mark.parametrize("words", [(CRASHED,), (NODEMON,), ()])
def test_an_exception_that_followed_is_the_reason(
    engine: FakeEngine, words: tuple[str, ...]
) -> None:
    ref = start_shop(engine, never_listens(output=(*STACK, *words), flags=("oom",)))
    with pytest.raises(NotReady, match="its program has ended") as caught:
        wait_ready(engine, ref, WaitLimits(), clock=FakeClock())
    assert caught.value.details["reason"] == "waiting_for_changes"


def test_a_limit_that_a_watched_program_reached_is_named(engine: FakeEngine) -> None:
    words = "Error: ENOSPC: System limit for number of file watchers reached, watch '/app'"
    ref = start_shop(engine, never_listens(output=(words, CRASHED)))
    with pytest.raises(NotReady, match="its program has ended") as caught:
        wait_ready(engine, ref, WaitLimits(), clock=FakeClock())
    assert "inotify" in caught.value.hint


def test_one_that_listens_elsewhere_is_told_so(engine: FakeEngine) -> None:
    ref = start_shop(engine, never_listens(listening=("listens-8080",), flags=("oom",)))
    with pytest.raises(NotReady) as caught:
        wait_ready(engine, ref, WaitLimits(), clock=FakeClock())
    assert caught.value.details["reason"] == "other_port"


def test_the_last_words_of_an_earlier_run_do_not_count(engine: FakeEngine) -> None:
    ref = start_shop(engine, exits(1, CRASHED))
    engine.runtime.run(engine.stored_containers[ref], never_listens())
    clock = FakeClock()
    with pytest.raises(NotReady, match="after 20 s: nothing listens"):
        wait_ready(engine, ref, WaitLimits(ready=20), clock=clock)


def test_a_watcher_that_goes_on_is_waited_for(engine: FakeEngine) -> None:
    clock = FakeClock()
    ref = start_shop(engine, never_listens(output=(CRASHED,)))
    becomes(engine, listens(output=("Restarting 'server.js'",)), 2, clock)
    wait_ready(engine, ref, WaitLimits(), clock=clock)


def test_it_has_to_stay_ready(engine: FakeEngine) -> None:
    phases: list[str] = []
    ref = start_shop(engine, listens())
    started_at = engine.containers.inspect(ref).started_at
    assert started_at
    clock = FakeClock(started_at)
    wait_ready(
        engine,
        ref,
        WaitLimits(stable=5),
        progress=Texts(phases),
        clock=clock,
    )
    assert 5 <= clock.monotonic() < 5.2
    assert phases == ["Waiting until shop has been ready for 5 s"]


def test_what_has_run_for_long_is_stable(engine: FakeEngine) -> None:
    ref = start_shop(engine, listens())
    started_at = engine.containers.inspect(ref).started_at
    assert started_at
    clock = FakeClock(started_at)
    clock.sleep(60)
    wait_ready(engine, ref, WaitLimits(stable=5), clock=clock)
    assert clock.monotonic() == 60


@pytest.mark.parametrize(
    ("later", "error"), [(exits(1, "out of memory"), Crashed), (never_listens(), NotReady)]
)
def test_what_does_not_stay_ready(
    engine: FakeEngine, later: Program, error: type[Exception]
) -> None:
    ref = start_shop(engine, listens())
    started_at = engine.containers.inspect(ref).started_at
    assert started_at
    clock = FakeClock(started_at)
    becomes(engine, later, 3, clock)
    with pytest.raises(error):
        wait_ready(engine, ref, WaitLimits(stable=5), clock=clock)


@pytest.mark.parametrize(
    ("then", "error", "tail"),
    [
        (exits(1, "second"), Crashed, ["second"]),
        (exits(1), Crashed, []),
        (never_listens(output=("waits",)), NotReady, ["waits"]),
        (install_fails(1, "no such package"), DependenciesFailed, ["no such package"]),
    ],
)
def test_an_error_shows_the_words_of_the_last_run_alone(
    engine: FakeEngine, then: Program, error: type[DebughostError], tail: list[str]
) -> None:
    ref = start_shop(engine, exits(0, "first", "ends well"))
    engine.sleep(1)
    engine.runtime.run(engine.stored_containers[ref], then)
    with pytest.raises(error) as caught:
        wait_ready(engine, ref, WaitLimits(ready=1), clock=FakeClock())
    assert caught.value.details["log_tail"] == tail
