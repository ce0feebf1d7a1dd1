"""When the launcher's status is read again, and that following it leaves nothing behind."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock

from debughost_cli.engine.port import Conflict, NotFound, OnOutput
from debughost_cli.errors import EngineUnavailable
from debughost_cli.services.launcher_news import DIRECT, LONGEST, LauncherNews


class Command:
    """A command in a container that writes and ends when the test says so, or with its stdin."""

    def __init__(self) -> None:
        self.began, self.ended, self.ends = (threading.Event() for _ in range(3))
        self.write: OnOutput = lambda *_: None

    def pump(self, stdin: int, on_output: OnOutput) -> None:
        self.write = on_output
        on_output("stdout", memoryview(b"\n"))
        self.began.set()
        while not self.ends.is_set() and not select.select([stdin], [], [], 0.01)[0]:
            pass

    def close(self) -> None:
        self.ended.set()


class Engine:
    """Its only part is commands in containers. ``error``: what it answers in place of one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.command = Command()
        self.started = 0

    @property
    def exec(self) -> Engine:
        return self

    def start(self, ref: str, spec: Any) -> Command:
        self.started += 1
        if self.error:
            raise self.error
        return self.command


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def news(engine: Any, clock: FakeClock) -> Iterator[LauncherNews]:
    made = LauncherNews(engine, "c1", clock)
    yield made
    made.close()


def until_followed(news: LauncherNews, engine: Engine, clock: FakeClock) -> None:
    """Past the time in which the status is read at each look, and the command's first output."""
    while clock.monotonic() < DIRECT - 0.06:
        assert news.wait()
    news.wait()
    assert engine.command.began.wait(5)
    news.wait()


def test_a_project_that_is_soon_ready_costs_no_command(
    news: LauncherNews, engine: Engine, clock: FakeClock
) -> None:
    while clock.monotonic() < DIRECT - 0.1:
        assert news.wait()
    assert engine.started == 0


def test_from_then_on_it_is_read_when_there_is_news(
    news: LauncherNews, engine: Engine, clock: FakeClock
) -> None:
    until_followed(news, engine, clock)
    assert not any(news.wait() for _ in range(20))
    engine.command.write("stdout", memoryview(b"\n"))
    assert news.wait()
    assert not news.wait()
    assert engine.started == 1


def test_it_is_read_now_and_then_in_any_case(
    news: LauncherNews, engine: Engine, clock: FakeClock
) -> None:
    until_followed(news, engine, clock)
    before = clock.monotonic()
    while not news.wait():
        pass
    assert clock.monotonic() - before == pytest.approx(LONGEST, abs=0.1)


@pytest.mark.parametrize(
    "error", [Conflict("paused"), NotFound("gone"), EngineUnavailable("away", hint="start it")]
)
def test_where_it_cannot_be_followed_it_is_read_at_each_look(
    clock: FakeClock, error: Exception
) -> None:
    refusing: Any = Engine(error)
    news = LauncherNews(refusing, "c1", clock)
    assert all(news.wait() for _ in range(100))
    assert refusing.started == 1
    news.close()


def test_the_end_of_the_command_is_noticed(
    news: LauncherNews, engine: Engine, clock: FakeClock
) -> None:
    """As where the container ends: what it ended with is read at once."""
    until_followed(news, engine, clock)
    assert not news.wait()
    engine.command.ends.set()
    assert engine.command.ended.wait(5)
    assert any(news.wait() for _ in range(50))


def test_nothing_is_left_behind(engine: Any, clock: FakeClock) -> None:
    # Those of earlier tests may still be at their end.
    for thread in threading.enumerate():
        if "_follow" in thread.name:
            thread.join(5)
    threads = set(threading.enumerate())
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    news = LauncherNews(engine, "c1", clock)
    until_followed(news, engine, clock)
    news.close()
    news.close()
    assert engine.command.ended.wait(5)
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
    assert set(threading.enumerate()) <= threads
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
