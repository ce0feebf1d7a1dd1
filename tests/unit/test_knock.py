"""Whether a program that listens also accepts: what a connection and the launcher say together."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from fake_clock import FakeClock
from fakes import make_container, make_spec
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.resources import Container
from debughost_cli.services.knock import GRACE, PATIENCE, Knock

READY = LauncherStatus(ready=True)
IPV6 = replace(READY, ipv6=True)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(5)
        yield made


def of(listener: socket.socket) -> Container:
    return with_port(listener.getsockname()[1])


def with_port(port: int) -> Container:
    made = make_container(make_spec("/"))
    return replace(made, labels={**made.labels, names.PORT: str(port)})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def knock(clock: FakeClock) -> Iterator[Knock]:
    with closing(Knock(clock, shares_machine=True)) as made:
        yield made


def test_one_that_accepts_is_ready(listener: socket.socket, knock: Knock) -> None:
    container = of(listener)
    assert not knock.is_over(container, READY), "the launcher has not seen the connection"
    with listener.accept()[0] as there:
        assert knock.is_over(container, replace(READY, accepts=True))
        knock.close()
        assert there.recv(1) == b"", "nothing is sent"


def test_without_a_word_of_the_launcher_nothing_is_known(
    listener: socket.socket, knock: Knock, clock: FakeClock
) -> None:
    container = of(listener)
    assert not knock.is_over(container, READY)
    clock.sleep(PATIENCE)
    assert knock.is_over(container, READY)
    assert not knock.was_refused


def test_one_connection_is_held(listener: socket.socket, knock: Knock) -> None:
    container = of(listener)
    for _ in range(3):
        assert not knock.is_over(container, READY)
    with listener.accept()[0]:
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()


def close_each(listener: socket.socket) -> None:
    """As the engine's port proxy does where the container refuses."""
    listener.accept()[0].close()


def test_one_that_refuses_ipv4_for_2_s_goes_on_doing_so(
    listener: socket.socket, knock: Knock, clock: FakeClock
) -> None:
    container = of(listener)
    while clock.monotonic() < GRACE:
        assert not knock.is_over(container, IPV6)
        assert not knock.is_refused(IPV6)
        close_each(listener)
        assert not knock.is_over(container, IPV6)
        assert knock.was_refused
        clock.sleep(0.5)
    assert knock.is_refused(IPV6)
    assert not knock.is_refused(replace(IPV6, ready=False)), "it has ceased to listen"


def test_one_that_closes_each_connection_is_ready(listener: socket.socket, knock: Knock) -> None:
    container = of(listener)
    assert not knock.is_over(container, READY)
    close_each(listener)
    assert knock.is_over(container, READY)


def test_ports_of_another_machine_are_not_asked(listener: socket.socket, clock: FakeClock) -> None:
    with closing(Knock(clock, shares_machine=False)) as knock:
        assert knock.is_over(of(listener), READY)


def test_ports_that_are_not_here_say_nothing(listener: socket.socket, knock: Knock) -> None:
    container = of(listener)
    listener.close()
    assert knock.is_over(container, IPV6)


def test_a_project_without_a_port_is_not_asked(knock: Knock) -> None:
    assert knock.is_over(with_port(0), READY)
