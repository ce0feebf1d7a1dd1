"""The methods of the port, and its errors for a container that does not exist, on every engine."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from fakes import FakeEngine

from contract.conftest import (
    World,
)
from debughost_cli.engine.docker.engine import DockerEngine
from debughost_cli.engine.port import Engine, ExecSpec, LogQuery, NotFound
from debughost_cli.resources import FileEntry

# docker-py leaves the rest of a stream that reported an error to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


METHODS = [n for n, m in vars(Engine).items() if callable(m) and not n.startswith("_")]


@pytest.mark.parametrize("cls", [FakeEngine, DockerEngine])
def test_every_method_of_the_port_is_there_with_its_parameters(cls: Any) -> None:
    for name in METHODS:
        promised = inspect.signature(getattr(Engine, name))
        kept = inspect.signature(getattr(cls, name))
        assert list(kept.parameters) == list(promised.parameters), name


def test_the_engine_says_where_and_what_it_is(world: World) -> None:
    info = world.engine.info
    assert "://" in info.endpoint
    assert info.version
    assert tuple(map(int, info.api_version.split("."))) >= (1, 41)


# What is not there


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.containers.inspect("no-such-container"),
        lambda e: e.containers.start("no-such-container"),
        lambda e: e.containers.stop("no-such-container", 1),
        lambda e: e.containers.kill("no-such-container", "SIGKILL"),
        lambda e: e.containers.unpause("no-such-container"),
        lambda e: e.containers.put_files("no-such-container", [FileEntry("/x", b"")]),
        lambda e: e.containers.put_archive("no-such-container", lambda: [bytes(1024)]),
        lambda e: e.containers.read_files("no-such-container", "/etc"),
        lambda e: e.containers.stats("no-such-container"),
        lambda e: list(e.containers.logs("no-such-container", LogQuery())),
        lambda e: e.exec.run("no-such-container", ["true"]),
        lambda e: e.exec.start("no-such-container", ExecSpec(("true",))),
    ],
)
def test_a_container_that_does_not_exist_is_missing(world: World, call: Callable[..., Any]) -> None:
    with pytest.raises(NotFound):
        call(world.engine)
