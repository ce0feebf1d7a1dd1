"""A project goes to another engine with what it has, or stays where it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import exits
from fakes.fleet import FakeFleet
from msgspec.structs import replace

from cli.conftest import App, node_project
from debughost_cli import names
from debughost_cli.engine.port import ExecResult
from debughost_cli.errors import EngineError, EngineUnavailable, Interrupted
from debughost_cli.planning.known_services import known_service
from debughost_cli.resources import FileEntry
from debughost_cli.services.lock import is_held

DATA = "debug-host-shop-redis-data"
APP = "debug-host-shop-app"


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFleet]:
    made = FakeFleet("local", "build", "spare")
    made.write(tmp_path / "config" / "debughost" / "config.toml")
    monkeypatch.setenv("DOCKER_HOST", made.url("local"))
    ready = ("/bin/sh", "-c", known_service("redis").ready)
    for engine in made.engines.values():
        engine.add_image("redis:8", volumes=("/data",))
        engine.execs[ready] = ExecResult(0, b"", b"")
    yield made
    made.release()


@pytest.fixture
def app(fleet: FakeFleet, workspace: Path) -> App:
    return App(None, fleet.connect)


def hide(fleet: FakeFleet, workspace: Path, *engines: str) -> None:
    """These do not see the files of this machine."""
    for name in engines:
        engine = fleet[name]
        engine.hidden = workspace
        engine.info = replace(engine.info, shares_files=False)


def ids(fleet: FakeFleet) -> list[set[str]]:
    return [
        {c.spec.labels[names.PROJECT] for c in engine.stored_containers.values()}
        for engine in fleet.engines.values()
    ]


def world(fleet: FakeFleet) -> dict[str, Any]:
    """What users see of each engine; of containers without the time in their names."""
    found = {name: engine.snapshot() for name, engine in fleet.engines.items()}
    for seen in found.values():
        states = seen["containers"]
        seen["containers"] = sorted((n.rpartition("-")[0], s) for n, s in states.items())
    return found


def test_it_comes_with_its_flags_and_its_port(app: App, fleet: FakeFleet) -> None:
    assert app("up", "--port", "3456", "-e", "TOKEN=1", "-m", "1g", "--no-deps").code == 0
    before = fleet["local"].container("shop").spec
    run = app("move", "--to", "build", "--json")
    assert run.code == 0, run.out
    assert (run.project["action"], run.project["engine"]) == ("recreated", "build")
    assert (run.project["ready"], run.project["port"]) == (True, 3456)
    assert ids(fleet) == [set(), {"shop"}, set()]
    after = fleet["build"].container("shop").spec
    assert after.environment["TOKEN"] == "1"
    assert after.limits == before.limits
    assert after.labels[names.FLAGS] == before.labels[names.FLAGS]
    assert fleet["local"].snapshot() == {
        "containers": {}, "volumes": [], "networks": [names.NETWORK],
    }  # fmt: skip
    assert app("up", "--json").project["action"] == "unchanged"


def test_a_stopped_one_is_stopped_there_too(app: App, fleet: FakeFleet) -> None:
    assert app("up").code == 0
    assert app("stop").code == 0
    assert app("move", "--to", "build").code == 0
    assert app("status", "shop", "--engine", "build", "--json").project["state"] == "stopped"
    assert ids(fleet) == [set(), {"shop"}, set()]


@pytest.mark.parametrize("data", [True, False])
def test_data_comes_when_it_is_asked_for(
    app: App, fleet: FakeFleet, workspace: Path, data: bool
) -> None:
    (workspace / "debughost.toml").write_text("[services.redis]\nimage = 'redis:8'\n")
    assert app("up").code == 0
    stored = fleet["local"].stored_volumes
    stored[DATA].files["/dump"] = FileEntry("/dump", b"mine", 999, 999, 0o600)
    run = app("move", "--to", "build", *(["--data"] if data else []))
    assert run.code == 0, run.err
    there = fleet["build"].stored_volumes[DATA].files
    assert ("/dump" in there, DATA in stored) == (data, not data)
    if data:
        kept = there["/dump"]
        assert (kept.data, kept.uid, kept.gid, kept.mode) == (b"mine", 999, 999, 0o600)
        assert fleet["build"].stored_volumes[DATA].labels[names.SERVICE] == "redis"


def test_an_uploaded_workspace_comes_with_what_the_program_wrote(
    app: App, fleet: FakeFleet, workspace: Path
) -> None:
    hide(fleet, workspace, "build", "spare")
    assert app("up", "--engine", "build").code == 0
    written = fleet["build"].stored_volumes[APP].files
    written["/made.txt"] = FileEntry("/made.txt", b"made there", 1000, 1000)
    (workspace / "new.txt").write_text("new here")
    assert app("move", "--to", "spare").code == 0
    there = fleet["spare"].stored_volumes[APP].files
    assert there["/made.txt"].data == b"made there"
    assert there["/new.txt"].data == b"new here"
    assert there["/package.json"].data == (workspace / "package.json").read_bytes()
    assert APP not in fleet["build"].stored_volumes


def test_from_this_machine_to_another_and_back(app: App, fleet: FakeFleet, workspace: Path) -> None:
    hide(fleet, workspace, "build")
    assert app("up").code == 0
    assert app("move", "--to", "build").code == 0
    assert "/package.json" in fleet["build"].stored_volumes[APP].files
    assert app("move", "--to", "local").code == 0
    assert ids(fleet) == [{"shop"}, set(), set()]
    assert APP not in fleet["local"].stored_volumes


def test_what_would_be_lost_is_named(app: App, fleet: FakeFleet, workspace: Path) -> None:
    hide(fleet, workspace, "build")
    assert app("up", "--engine", "build").code == 0
    written = fleet["build"].stored_volumes[APP].files
    written["/db.sqlite"] = FileEntry("/db.sqlite", b"rows", 1000, 1000)
    before = world(fleet)
    run = app("move", "--to", "local", "--json")
    assert (run.code, run.error["details"]["files"]) == (5, ["db.sqlite"])
    assert world(fleet) == before
    assert app("move", "--to", "local", "--force").code == 0
    assert ids(fleet) == [{"shop"}, set(), set()]


@pytest.mark.parametrize(
    ("engine", "call", "error"),
    [
        ("build", "containers.create", EngineError("no")),
        ("build", "containers.start", EngineError("no")),
        ("build", "containers.put_archive", EngineError("full")),
        ("local", "containers.get_archive", EngineUnavailable("gone")),
        ("build", "containers.start", Interrupted(2)),
        ("build", "volumes.create", EngineError("no")),
    ],
)
@pytest.mark.parametrize("was_running", [True, False])
def test_a_failure_leaves_it_where_it_was(
    app: App, fleet: FakeFleet, workspace: Path, engine: str, call: str, error: BaseException,
    was_running: bool,
) -> None:  # fmt: skip
    (workspace / "debughost.toml").write_text("[services.redis]\nimage = 'redis:8'\n")
    assert app("up", "-e", "TOKEN=1").code == 0
    if not was_running:
        assert app("stop").code == 0
    before = world(fleet)
    fleet[engine].fail(call, error)
    assert app("move", "--to", "build", "--data").code != 0
    after = world(fleet)
    # The network that all projects share stays where it was made.
    after["build"]["networks"] = []
    assert after == before


def test_one_that_is_not_ready_there_stays_here(app: App, fleet: FakeFleet) -> None:
    assert app("up").code == 0
    fleet["build"].program = exits(1)
    run = app("move", "--to", "build", "--json")
    assert (run.code, run.error["code"]) == (7, "CRASHED")
    assert ids(fleet) == [{"shop"}, set(), set()]
    assert app("status", "shop", "--json").project["state"] == "running"


def test_both_engines_are_locked(
    app: App, fleet: FakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app("up").code == 0
    held: list[bool] = []
    build = fleet["build"]
    create = build.containers.create

    def look(*args: Any) -> str:
        held.extend(is_held(fleet[n].identity(), "shop") for n in ("local", "build"))
        return create(*args)

    monkeypatch.setattr(build.containers, "create", look)
    assert app("move", "--to", "build").code == 0
    assert held
    assert all(held)


def test_the_old_engine_may_end_once_the_new_one_has_it(app: App, fleet: FakeFleet) -> None:
    assert app("up").code == 0
    error = EngineUnavailable("it is gone")
    fleet["local"].fail("containers.remove", error, times=9)
    run = app("move", "--to", "build", "--json")
    assert run.code == 0
    assert "OLD_NOT_REMOVED" in [w["code"] for w in run.document["warnings"]]
    assert "shop" in ids(fleet)[1]


def test_an_engine_that_is_lost_is_left_behind_when_asked(app: App, fleet: FakeFleet) -> None:
    assert app("up", "--engine", "spare").code == 0
    fleet.refused.add("spare")
    run = app("move", "--to", "build", "--json")
    assert (run.code, run.error["code"]) == (4, "ENGINE_UNAVAILABLE")
    assert "spare" in run.error["message"]
    run = app("move", "--to", "build", "--force", "--json")
    assert run.code == 0
    assert "OLD_NOT_REMOVED" in [w["code"] for w in run.document["warnings"]]
    assert "shop" in ids(fleet)[1]
    fleet.refused.clear()
    assert app("stop", "shop", "--json").error["code"] == "WORKSPACE_CONFLICT"


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("--to", "nope"), "CONTEXT_NOT_FOUND"), (("--to", "local"), "USAGE"), ((), "USAGE"),
        (("--to", "build", "-p", "nobody"), "PROJECT_NOT_FOUND"),
        (("--to", "build", "-p", "No Id"), "INVALID_PROJECT"),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(
    app: App, fleet: FakeFleet, argv: tuple[str, ...], code: str
) -> None:
    assert app("up").code == 0
    before = world(fleet)
    run = app("move", *argv, "--json")
    assert run.error["code"] == code
    assert world(fleet) == before


def test_another_project_of_that_id_is_in_the_way(
    app: App, fleet: FakeFleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    folder = node_project(other / "shop")
    assert app("up").code == 0
    assert app("up", "-w", str(folder), "--engine", "build").code == 0
    before = world(fleet)
    run = app("move", "--to", "build", "--json")
    assert run.code == 5
    assert world(fleet) == before
