"""A failed ``up`` leaves what it found."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, exits, ignores_sigterm
from msgspec.structs import replace

from cli.conftest import App
from debughost_cli import names
from debughost_cli.engine.port import ContainerCorrupted, NotFound
from debughost_cli.errors import (
    DiskFull,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    Interrupted,
    NameConflict,
    StartFailed,
)

FAILURES = [
    EngineError("odd"),
    EngineUnavailable("gone"),
    EngineTimeout("hangs"),
    DiskFull("full"),
    Interrupted(),
    ZeroDivisionError("a defect"),
]
FRESH = [
    "networks.create",
    "volumes.create",
    "containers.create",
    "containers.put_files",
    "containers.start",
]


@pytest.fixture
def ready(app: App, engine: FakeEngine) -> FakeEngine:
    """An engine where the network is there already: nobody takes that back."""
    app("network", "ensure")
    return engine


def is_as_before(engine: FakeEngine, world: Any, workspace: Path) -> None:
    assert engine.snapshot() == world
    assert not (workspace / "node_modules").exists()


@pytest.mark.parametrize("error", FAILURES, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("method", FRESH[1:])
def test_a_fresh_up_that_fails_leaves_nothing(
    app: App, ready: FakeEngine, workspace: Path, method: Any, error: Any
) -> None:
    world = ready.snapshot()
    ready.fail(method, error)
    run = app("up", "--json")
    assert run.code != 0
    assert not run.document["ok"]
    is_as_before(ready, world, workspace)
    assert app("up", "--json").project["action"] == "created"


@pytest.mark.parametrize("method", FRESH[1:])
def test_a_fresh_up_whose_answer_is_lost_leaves_nothing(
    app: App, ready: FakeEngine, workspace: Path, method: Any
) -> None:
    """The engine did it, and nobody heard of it."""
    world = ready.snapshot()
    ready.lose_answer(method, EngineTimeout("hangs"))
    run = app("up", "--json")
    assert run.error["code"] == "ENGINE_TIMEOUT"
    is_as_before(ready, world, workspace)


def test_the_second_of_two_volumes_fails(app: App, ready: FakeEngine, workspace: Path) -> None:
    world = ready.snapshot()
    cache = names.cache_name("shop")
    ready.fail("volumes.create", DiskFull("full"), when=lambda name, labels: name == cache)
    assert app("up", "--json").error["code"] == "DISK_FULL"
    is_as_before(ready, world, workspace)


def test_what_was_there_before_stays(app: App, ready: FakeEngine, workspace: Path) -> None:
    app("up")
    app("rm")
    (workspace / "node_modules").mkdir()
    ready.fail("containers.start", StartFailed("no"))
    world = ready.snapshot()
    app("up")
    assert ready.snapshot() == world
    assert "debug-host-shop-node_modules" in ready.stored_volumes
    assert (workspace / "node_modules").is_dir()


def test_a_network_that_could_not_be_made(app: App, engine: FakeEngine, workspace: Path) -> None:
    world = engine.snapshot()
    engine.fail("networks.create", EngineError("odd"))
    assert app("up", "--json").code == 1
    is_as_before(engine, world, workspace)


def test_a_name_that_is_taken(app: App, ready: FakeEngine, workspace: Path) -> None:
    world = ready.snapshot()
    ready.fail("containers.create", NameConflict("taken"))
    assert app("up", "--json").error["code"] == "NAME_CONFLICT"
    is_as_before(ready, world, workspace)


def test_what_cannot_be_rolled_back_is_reported(app: App, ready: FakeEngine) -> None:
    ready.fail("containers.start", StartFailed("no"))
    ready.fail("containers.remove", EngineError("stuck"))
    run = app("up", "--json")
    assert run.error["code"] == "START_FAILED"
    warnings = run.document["warnings"]
    assert {w["code"] for w in warnings} == {"CLEANUP_FAILED"}
    assert "stuck" in warnings[0]["message"]
    # The next run sweeps up.
    assert app("up", "--json").code == 0
    assert len(ready.all_of("shop")) == 1


def test_a_workspace_that_vanishes_is_no_defect(
    app: App, ready: FakeEngine, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.before("volumes.create", lambda: shutil.rmtree(workspace))
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_WORKSPACE")
    monkeypatch.chdir("/")
    assert ready.all_of("shop") == []


# A container that the end of an engine has corrupted


CORRUPTED = ContainerCorrupted("task 12: already exists")


def test_a_new_container_that_is_corrupted_is_recreated(app: App, ready: FakeEngine) -> None:
    ready.fail("containers.start", CORRUPTED)
    found = app("up", "--json").project
    assert (found["action"], found["ready"]) == ("created", True)
    assert len(ready.all_of("shop")) == 1


@pytest.mark.parametrize("command", ["up", "restart"])
def test_a_stopped_one_that_is_corrupted_is_replaced(
    app: App, ready: FakeEngine, command: str
) -> None:
    old = app("up", "--json").project["container"]["id"]
    app("stop")
    ready.fail("containers.start", CORRUPTED, times=9, when=lambda ref: ref == old)
    run = app(command, "-p", "shop", "--json")
    assert (run.project["action"], run.project["ready"]) == ("recreated", True)
    assert run.document["warnings"] == []
    assert [c.id for c in ready.all_of("shop")] == [run.project["container"]["id"]]


def test_one_that_is_corrupted_again_and_again_is_abandoned(
    app: App, ready: FakeEngine, workspace: Path
) -> None:
    world = ready.snapshot()
    ready.fail("containers.start", CORRUPTED, times=9)
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (1, "ENGINE_ERROR")
    assert len([c for c in ready.calls if c[0] == "containers.start"]) == 3
    is_as_before(ready, world, workspace)


def test_one_whose_launcher_was_lost_is_recreated(app: App, ready: FakeEngine) -> None:
    """An engine that was about to end took the files, and forgot them."""
    ready.before("containers.start", lambda: ready.container("shop").files.pop(names.LAUNCHER))
    found = app("up", "--json").project
    assert (found["action"], found["ready"]) == ("created", True)
    assert len(ready.all_of("shop")) == 1


def test_one_that_is_removed_while_it_is_waited_for_is_not_recreated(
    app: App, ready: FakeEngine
) -> None:
    ready.queue.append(exits(2, phase=""))

    def removed(ref: Any, path: Any) -> Any:
        if path == names.LAUNCHER:
            ready.stored_containers.clear()
        return path == names.LAUNCHER

    ready.fail("containers.read_files", NotFound("no such container"), when=removed)
    assert app("up", "--json").code != 0
    assert ready.all_of("shop") == []


# Recreation


RECREATE = ["containers.create", "containers.put_files", "containers.stop", "containers.start"]


@pytest.mark.parametrize("error", FAILURES[::2] + FAILURES[-1:], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("method", RECREATE)
def test_a_recreation_that_fails_leaves_the_old_one_running(
    app: App, ready: FakeEngine, workspace: Path, method: Any, error: Any
) -> None:
    app("up")
    first = ready.container("shop")
    world = ready.snapshot()
    ready.fail(method, error)
    run = app("up", "--cpus", "1", "--json")
    assert run.code != 0
    assert ready.snapshot() == world
    assert ready.container("shop").id == first.id
    assert first.is_running
    assert app("status", "--json").project["ready"] is True


@pytest.mark.parametrize("method", RECREATE)
def test_a_recreation_whose_answer_is_lost_leaves_the_old_one_running(
    app: App, ready: FakeEngine, method: Any
) -> None:
    app("up")
    first = ready.container("shop")
    world = ready.snapshot()
    ready.lose_answer(method, EngineTimeout("hangs"))
    assert app("up", "--recreate", "--json").error["code"] == "ENGINE_TIMEOUT"
    assert ready.snapshot() == world
    assert first.is_running


def test_a_stopped_one_stays_stopped_when_its_recreation_fails(app: App, ready: FakeEngine) -> None:
    app("up")
    app("stop")
    world = ready.snapshot()
    ready.fail("containers.start", EngineError("odd"))
    assert app("up", "--recreate", "--json").code == 1
    assert ready.snapshot() == world


@pytest.mark.parametrize("method", ["containers.stop", "containers.start"])
def test_a_restart_that_fails_leaves_it_running(app: App, ready: FakeEngine, method: str) -> None:
    app("up")
    ready.fail(method, EngineError("odd"))
    assert app("restart", "--json").code == 1
    assert ready.container("shop").is_running


def test_a_start_that_fails_leaves_it_stopped(app: App, ready: FakeEngine) -> None:
    app("up")
    app("stop")
    world = ready.snapshot()
    ready.lose_answer("containers.start", EngineTimeout("hangs"))
    assert app("up", "--json").error["code"] == "ENGINE_TIMEOUT"
    assert ready.snapshot() == world


def test_one_that_crashes_in_the_place_of_one_that_ran(app: App, ready: FakeEngine) -> None:
    app("up")
    first = ready.container("shop").id
    ready.queue.append(exits(1, "boom"))
    run = app("up", "--cpus", "1", "--json")
    assert run.error["code"] == "CRASHED"
    assert run.error["details"]["log_tail"] == ["boom"]
    (left,) = ready.all_of("shop")
    assert left.id == first
    assert left.is_running


def test_a_stubborn_old_one_is_put_back_as_well(app: App, ready: FakeEngine) -> None:
    ready.program = ignores_sigterm()
    app("up")
    first = ready.container("shop").id
    ready.fail("containers.start", EngineError("odd"))
    app("up", "--recreate")
    assert ready.container("shop").id == first
    assert ready.container("shop").is_running


# The failures of looking leave no trace at all


@pytest.mark.parametrize(
    "method",
    [
        "containers.list",
        "images.find",
        "networks.find",
        "volumes.list",
        "containers.inspect",
        "containers.read_link",
    ],
)
def test_a_dry_run_that_fails_changes_nothing(app: App, ready: FakeEngine, method: str) -> None:
    app("up")
    before, world = len(ready.changes), ready.snapshot()
    ready.fail(method, EngineError("odd"), times=99)
    assert app("up", "--cpus", "1", "--dry-run", "--json").code in (0, 1)
    assert ready.changes[before:] == []
    assert ready.snapshot() == world


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_when_the_new_one_is_up_leaves_only_the_new_one(
    app: App, engine: FakeEngine, number: Any
) -> None:
    old = app("up", "--json").project["container"]["id"]
    engine.before("containers.remove", lambda: os.kill(os.getpid(), number))
    assert app("up", "-e", "WHAT=new", "--json").error["code"] == "INTERRUPTED"
    (left,) = engine.stored_containers.values()
    assert left.id != old
    assert app("up", "-e", "WHAT=new", "--json").project["action"] == "unchanged"


def test_a_removal_that_is_cut_off_does_not_forget_the_port(app: App, engine: FakeEngine) -> None:
    app("up", "--port", "21000")
    engine.lose_answer("containers.remove", Interrupted())
    assert app("rm", "--json").error["code"] == "INTERRUPTED"
    assert app("up", "--json").project["port"] == 21000


def test_a_port_that_was_noted_before_the_removal_was_cut_off_is_not_kept_for_long(
    app: App, engine: FakeEngine
) -> None:
    app("up", "--port", "21000")
    engine.fail("containers.remove", Interrupted())
    app("rm")
    app("up", "--port", "22000")
    app("rm")
    assert app("up", "--json").project["port"] == 22000


def test_what_another_user_has_under_the_containers_name_stays(
    app: App, ready: FakeEngine, workspace: Path
) -> None:
    def swap() -> None:
        (made,) = ready.stored_containers.values()
        made.spec = replace(made.spec, labels={})

    ready.before("containers.put_files", swap)
    ready.fail("containers.put_files", EngineError("odd"))
    assert app("up").code == 1
    (left,) = ready.stored_containers.values()
    assert left.spec.labels == {}


def test_a_volume_of_another_user_under_the_name_of_a_note_stays(
    app: App, ready: FakeEngine, workspace: Path
) -> None:
    ready.volumes.create(names.port_note_name("shop"), {})
    assert app("up", "--port", "21000").code == 0
    assert app("rm").code == 0
    assert ready.stored_volumes[names.port_note_name("shop")].labels == {}
