"""Following an engine: threads, connections, and what is read from it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine, Program, exits, make_spec, never_listens, usable_engine

from debughost_cli import names
from debughost_cli.errors import (
    EngineError,
    EnginePermissionDenied,
    EngineUnavailable,
    ProjectNotFound,
)
from debughost_cli.planning.events import ProjectEvent
from debughost_cli.resources import FileEntry
from debughost_cli.services.events import EventService

AWAY = EngineUnavailable("no engine answers")


Create = Callable[..., str]


@pytest.fixture
def engine() -> FakeEngine:
    return usable_engine()


@pytest.fixture
def create(engine: FakeEngine) -> Create:
    def make(project: str = "shop", port: int = 3000, program: Program | None = None) -> str:
        """A container that was created, with its launcher."""
        image = next(iter(engine.stored_images))
        labels = {names.MANAGED: "true", names.PROJECT: project}
        spec = make_spec("/", project=project, port=port, image=image, labels=labels)
        engine.programs[project] = program or engine.program
        ref = engine.containers.create(f"debug-host-{project}-{port}", spec)
        engine.containers.put_files(ref, [FileEntry(names.LAUNCHER, b"")])
        return ref

    return make


class Follower:
    """Takes events one by one. The service's threads end with it."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self.notices: list[str] = []
        # Ahead of the fake engine's, which is the real one: all that has happened is history.
        self.clock = FakeClock(datetime.now(UTC) + timedelta(hours=1))
        self._service = EventService(engine, self.notices.append, self.clock)
        self._found: queue.Queue[ProjectEvent | BaseException] = queue.Queue()
        self._ended = threading.Event()

    def begin(self, *projects: str, since: float | None = None) -> None:
        """Returns once the engine's stream is open."""
        before = len(self._engine.calls)
        threading.Thread(target=self._collect, args=(projects, since), daemon=True).start()
        while not any(c[0].startswith("events.") for c in self._engine.calls[before:]):
            if not self._found.empty():
                return
            time.sleep(0.001)

    def _collect(self, projects: tuple[str, ...], since: float | None) -> None:
        events = self._service.run(projects, since)
        try:
            for event in events:
                self._found.put(event)
                if self._ended.is_set():
                    break
        except BaseException as exc:
            self._found.put(exc)
        assert isinstance(events, Generator)
        events.close()

    def next(self, count: int = 1) -> list[ProjectEvent]:
        return [self._one() for _ in range(count)]

    def _one(self) -> ProjectEvent:
        found = self._found.get(timeout=20)
        if isinstance(found, BaseException):
            raise found
        return found

    def names(self, count: int) -> list[str]:
        return [f"{e.project} {e.event}" for e in self.next(count)]

    def close(self) -> None:
        self._ended.set()
        self._service._found.put(ProjectEvent("shop", "end", self.clock.now()))


@pytest.fixture
def follower(engine: FakeEngine) -> Iterator[Follower]:
    made = Follower(engine)
    yield made
    made.close()


def now() -> float:
    return datetime.now(UTC).timestamp()


def an_hour_ago() -> float:
    return now() - 3600


def test_a_life_is_reported_from_start_to_removal(
    engine: FakeEngine, create: Callable[..., str], follower: Follower
) -> None:
    create("other", 3001)
    ref = create()
    follower.begin("shop", since=an_hour_ago())
    engine.containers.start(ref)
    assert follower.names(2) == ["shop started", "shop ready"]
    engine.pause(ref)
    engine.containers.unpause(ref)
    assert follower.names(2) == ["shop paused", "shop resumed"]
    engine.containers.stop(ref, 10)
    (stopped,) = follower.next()
    assert (stopped.event, stopped.exit.reason, stopped.missed) == ("stopped", "stopped", False)
    engine.containers.remove(ref)
    assert follower.names(1) == ["shop removed"]


def test_a_crash_is_reported_with_the_last_lines(
    engine: FakeEngine, create: Callable[..., str], follower: Follower
) -> None:
    ref = create(program=exits(3, "no database"))
    follower.begin(since=an_hour_ago())
    engine.containers.start(ref)
    started, crashed = follower.next(2)
    assert (started.event, crashed.event) == ("started", "crashed")
    assert (crashed.exit.code, crashed.exit.log_tail) == (3, ("no database",))


def test_an_end_of_a_container_that_is_gone_is_reported_all_the_same(
    engine: FakeEngine, create: Callable[..., str], follower: Follower
) -> None:
    ref = create(program=never_listens())
    engine.containers.start(ref)
    engine.crash(ref, 3)
    engine.containers.remove(ref)
    follower.begin(since=an_hour_ago())
    started, crashed, removed = follower.next(3)
    assert [started.event, crashed.event, removed.event] == ["started", "crashed", "removed"]
    assert crashed.exit.code == 3


def test_a_project_that_becomes_ready_later_is_reported_once(
    engine: FakeEngine, create: Callable[..., str], follower: Follower
) -> None:
    ref = create(program=Program(ready=True, late=4))
    engine.containers.start(ref)
    follower.begin(since=now())
    assert follower.names(1) == ["shop ready"]
    engine.crash(ref, 1)
    assert follower.names(1) == ["shop crashed"]


def test_only_projects_that_exist_can_be_followed(
    create: Callable[..., str], follower: Follower
) -> None:
    create()
    follower.begin("nope")
    with pytest.raises(ProjectNotFound) as caught:
        follower.next()
    assert caught.value.details["known"] == ["shop"]


def test_what_happened_while_the_engine_was_away_is_found_by_comparing(
    engine: FakeEngine, create: Callable[..., str], follower: Follower
) -> None:
    refs = {p: create(p, port) for p, port in (("a", 3001), ("b", 3002), ("c", 3003))}
    for ref in refs.values():
        engine.containers.start(ref)
    follower.begin(since=an_hour_ago())
    assert sorted(follower.names(6)) == sorted(
        f"{p} {e}" for p in refs for e in ("started", "ready")
    )

    def forget() -> None:
        engine.crash(refs["a"], 255)
        engine.containers.stop(refs["b"], 10)
        engine.containers.start(refs["b"])
        engine.crash(refs["c"], 1)
        engine.containers.remove(refs["c"])
        engine.happened.clear()

    engine.before("containers.list", forget)
    engine.fail("containers.list", AWAY, times=3)
    found = {(e.project, e.event): e.missed for e in follower.next(4)}
    assert found == {
        ("a", "crashed"): True,
        ("b", "started"): True,
        ("b", "ready"): False,
        ("c", "removed"): True,
    }
    assert follower.notices == [
        "no engine answers; following again when it is back",
        "the engine is back",
    ]
    assert follower.clock.slept.count(1.0) == 3


def test_an_event_whose_handling_failed_is_read_again(
    engine: FakeEngine, create: Callable[..., str], follower: Follower
) -> None:
    ref = create(program=exits(3))
    follower.begin(since=an_hour_ago())
    engine.fail("containers.inspect", AWAY, times=1, when=lambda r: engine.happened != [])
    engine.containers.start(ref)
    assert follower.names(2) == ["shop started", "shop crashed"]


@pytest.mark.parametrize("error", [EnginePermissionDenied("no"), EngineError("no"), KeyError("x")])
def test_a_failure_that_does_not_pass_ends_it(
    engine: FakeEngine, create: Callable[..., str], follower: Follower, error: Any
) -> None:
    create()
    follower.begin()
    engine.fail("containers.list", error)
    with pytest.raises(type(error)):
        follower.next()


def test_its_threads_end_with_it(
    engine: FakeEngine, create: Callable[..., str], follower: Follower
) -> None:
    before = set(threading.enumerate())
    engine.containers.start(create(program=never_listens()))
    follower.begin(since=an_hour_ago())
    assert follower.names(1) == ["shop started"]
    threads: set[threading.Thread] = set()
    deadline = time.monotonic() + 20
    while len(threads) < 2 and time.monotonic() < deadline:
        # One follows the stream, the other one the run, a moment later.
        threads = {t for t in threading.enumerate() if t.name.endswith("(run)") and t.is_alive()}
        threads -= before
    assert len(threads) >= 2
    follower.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
