"""The adapter over a server that answers as a test scripts it."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker.engine import DockerEngine
from unit.fault_server import VERSION, serving


class Script:
    """Answers by the first line of a request; what is not scripted is 404."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}

    def on(self, text: Any, *answers: Any) -> Any:
        """The answers, one after another, the last repeatedly; None hangs up."""
        self.answers[text] = list(answers)
        return self

    def __call__(self, method: str, path: str) -> tuple[Any, ...] | None:
        for text, queue in self.answers.items():
            if text in f"{method} {path}":
                return queue.pop(0) if len(queue) > 1 else queue[0]
        return None if path == "/version" else (404, {"message": f"no such thing: {path}"})


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept where a person's own state is."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="module")
def no_sockets_left() -> Iterator[Any]:
    """Whatever is unclosed is collected while the warning is off."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def script() -> Any:
    return Script().on("/version", (200, VERSION))


@pytest.fixture
def server(tmp_path: Path, script: Any) -> Iterator[Any]:
    with serving(tmp_path, script) as made:
        yield made


@pytest.fixture
def slept() -> Any:
    return []


@pytest.fixture
def reported() -> Any:
    return []


@pytest.fixture
def connect(server: Any, slept: Any, reported: Any) -> Iterator[Any]:
    """Connects to the server, and closes the engines afterwards."""
    made = []

    def connect(**more: Any) -> Any:
        address = Address(server.url, "flag")
        engine = DockerEngine.connect(address, on_retry=reported.append, sleep=slept.append, **more)
        made.append(engine)
        return engine

    yield connect
    for engine in made:
        engine.close()


@pytest.fixture(autouse=True)
def no_user_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's user counts."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")
