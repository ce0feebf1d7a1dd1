"""A workspace or an engine that does not answer holds up neither others nor a signal."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine

from cli.conftest import App, Run, node_project
from debughost_cli.services.status import READ_EVERY, StatusService

HANGS = 30.0
"""Seconds; far more than any of the limits."""


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets go what hangs, at the end at the latest."""
    made = threading.Event()
    yield made
    made.set()


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    """On this machine, so that workspaces are read."""
    made = FakeEngine(endpoint=f"unix://{tmp_path}/fake.sock")
    made.add_base_images()
    return made


@pytest.fixture
def two(app: App, workspace: Path, tmp_path: Path) -> Path:
    """``shop`` and ``other`` run."""
    assert app("up").code == 0
    other = node_project(tmp_path / "other")
    assert app("up", "-w", str(other)).code == 0
    return workspace


class HangingVariables(dict[str, str]):
    """Variables that are read with the configuration of each project, and hang the first time."""

    def __init__(self, release: threading.Event) -> None:
        super().__init__()
        self._release = release
        self._guard = threading.Lock()
        self._first = True

    def get(self, key: str, default: Any = None) -> Any:
        with self._guard:
            hangs, self._first = self._first, False
        if hangs:
            self._release.wait(HANGS)
        return super().get(key, default)


@pytest.mark.usefixtures("two")
def test_status_does_not_wait_for_one_configuration(
    engine: FakeEngine, release: threading.Event
) -> None:
    service = StatusService(engine, HangingVariables(release))
    began = time.monotonic()
    found = service.run(stats=False)
    assert time.monotonic() - began < HANGS / 2
    assert [p.project for p in found.projects] == ["other", "shop"]
    # One at least: a busy machine may take as long over the other.
    unknown = [p for p in found.projects if p.drift_unknown]
    assert unknown
    for project, warning in zip(unknown, found.warnings, strict=True):
        assert "within 1 s" in project.drift_unknown
        assert (warning.code, warning.message) == ("CONFIG_TIMEOUT", project.drift_unknown)
        assert project.project in warning.message


@pytest.mark.usefixtures("two")
def test_why_the_drift_is_not_known_is_in_the_json(app: App, two: Path) -> None:
    (two / "debughost.toml").write_text("port = 'any'\n")
    found = {p["project"]: p for p in app("status", "--json").document["data"]["projects"]}
    assert found["other"]["drift_unknown"] is None
    assert "'any' is not a port" in found["shop"]["drift_unknown"]


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("args", "method"),
    [
        (("status",), "containers.stats"),
        (("status",), "containers.inspect"),
        (("status", "--no-stats"), "networks.find"),
        (("stop", "-p", "shop", "-p", "other"), "containers.stop"),
        (("stop", "-p", "shop"), "containers.stop"),
        (("rm", "-p", "shop", "-p", "other"), "containers.remove"),
        (("wait", "--for", "exited"), "containers.inspect"),
        (("volumes", "ls"), "disk_usage"),
    ],
)
def test_a_signal_ends_a_command_while_the_engine_hangs(
    app: App,
    engine: FakeEngine,
    release: threading.Event,
    args: tuple[str, ...],
    method: str,
    number: signal.Signals,
) -> None:
    sent: list[float] = []

    def send() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), number)

    def hang() -> None:
        threading.Timer(0.1, send).start()
        release.wait(HANGS)

    engine.before(method, hang)
    run = app(*args, "--json")
    assert (run.code, _code(run)) == (128 + number, "INTERRUPTED")
    # With the share of a busy machine; it is 0.5 s at most.
    assert time.monotonic() - sent[0] < HANGS / 6


def _code(run: Run) -> str:
    """Of the error in the last document."""
    return json.loads(run.out.splitlines()[-1])["error"]["code"]


@pytest.mark.parametrize("words", [("restart", "-p", "shop"), ("up", "-e", "A=1")])
def test_a_watch_reads_a_configuration_every_ten_seconds(
    app: App, engine: FakeEngine, workspace: Path, words: tuple[str, ...]
) -> None:
    app("up")
    clock = FakeClock()
    service = StatusService(engine, {}, clock)

    def drift() -> list[str]:
        return [d.field for d in service.run(stats=False).projects[0].drift]

    assert drift() == []
    (workspace / "debughost.toml").write_text('memory = "512m"\n')
    clock.sleep(READ_EVERY - 0.1)
    assert drift() == []
    clock.sleep(0.2)
    assert drift() == ["memory_bytes"]
    app(*words)
    assert drift() == [], "another run is compared at once"
