"""An engine that goes away and comes back: the fake one, and the adapter before a failing server.

A real engine cannot be ended here; what the adapter makes of its absence is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes import FakeEngine
from unit.fault_server import VERSION, serving

from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker.engine import DockerEngine
from debughost_cli.engine.port import Engine, LogQuery
from debughost_cli.errors import EngineUnavailable

# docker-py leaves sockets that could not connect to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


class Outage(NamedTuple):
    """An engine with its switch."""

    engine: Engine
    go_away: Callable[[], None]
    come_back: Callable[[], None]


@pytest.fixture(params=["fake", "adapter"])
def outage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outage]:
    if request.param == "fake":
        fake = FakeEngine()
        yield Outage(fake, fake.go_away, fake.come_back)
        return
    is_away = False

    def answer(method: str, path: str) -> tuple[int, Any] | None:
        if path == "/version":
            return 200, VERSION
        if is_away:
            return None
        return (200, b"OK") if path.endswith("/_ping") else (200, [])

    def switch(away: bool) -> None:
        nonlocal is_away
        is_away = away

    with serving(tmp_path, answer) as server:
        engine = DockerEngine.connect(Address(server.url, "flag"), on_retry=None)
        yield Outage(engine, lambda: switch(True), lambda: switch(False))
        engine.close()


CALLS = {
    "ping": lambda e: e.ping(),
    "list": lambda e: e.containers.list(),
    "start": lambda e: e.containers.start("x"),
    "logs": lambda e: list(e.containers.logs("x", LogQuery())),
    "events": lambda e: list(e.events.read(1.0, 2.0)),
    "networks": lambda e: e.networks.list(),
    "disk": lambda e: e.disk_usage(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_fails_during_an_outage_and_is_counted(
    outage: Outage, call: Callable[[Any], Any]
) -> None:
    assert outage.engine.connection_failures == 0
    outage.go_away()
    for count in (1, 2):
        with pytest.raises(EngineUnavailable) as caught:
            call(outage.engine)
        assert caught.value.retryable
        assert outage.engine.info.endpoint in caught.value.message
        assert outage.engine.connection_failures == count


def test_an_engine_that_came_back_answers(outage: Outage) -> None:
    outage.go_away()
    with pytest.raises(EngineUnavailable):
        outage.engine.ping()
    outage.come_back()
    outage.engine.ping()
    assert outage.engine.containers.list() == []
    assert outage.engine.connection_failures == 1


def test_an_outage_of_the_fake_engine_may_last_for_some_calls() -> None:
    engine = FakeEngine()
    engine.go_away(calls=2)
    for _ in range(2):
        with pytest.raises(EngineUnavailable):
            engine.containers.list()
    assert engine.containers.list() == []
    assert engine.changes == []


def test_a_followed_log_of_the_fake_engine_breaks_off() -> None:
    engine = FakeEngine()
    container = engine.add_foreign("other", 1234)
    engine.write_log(container.id, "one")
    lines = engine.containers.logs(container.id, LogQuery(follow=True))
    assert next(lines).data == b"one"
    engine.go_away()
    with pytest.raises(EngineUnavailable):
        next(lines)
