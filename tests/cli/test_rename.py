"""``rename``: the same project under another id, or all as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine, exits

from cli.conftest import App, node_project
from debughost_cli.errors import EngineError, Interrupted
from debughost_cli.services.lock import is_held
from debughost_cli.services.volume_copies import COPY
from debughost_cli.specs import ServiceSpec


def snapshot(engine: FakeEngine) -> tuple[list[tuple[str, str, int]], list[str]]:
    containers = [
        (c.labels["debug-host.project"], c.status, c.spec.port)
        for c in engine.stored_containers.values()
    ]
    volumes = [v for v in engine.stored_volumes if not v.endswith("-port")]
    return containers, sorted(volumes)


@pytest.mark.parametrize("stopped", [False, True])
def test_port_flags_and_state_stay(
    app: App, engine: FakeEngine, workspace: Path, *, stopped: bool
) -> None:
    before = app("up", "-e", "TOKEN=1", "--memory", "1g", "--json").project
    if stopped:
        assert app("stop").code == 0
    run = app("rename", "store", "--json")
    assert run.code == 0, run.out
    after = run.project
    assert (after["project"], after["action"], after["port"]) == (
        "store",
        "recreated",
        before["port"],
    )
    assert after["state"] == ("stopped" if stopped else "running")
    assert (workspace / "debughost.toml").read_text() == 'project = "store"\n'
    (left,) = engine.stored_containers.values()
    assert left.spec.environment["TOKEN"] == "1"
    assert [v for v in engine.stored_volumes if "shop" in v] == []
    assert {"debug-host-store-home", "debug-host-store-node_modules"} <= set(engine.stored_volumes)
    again = app("up", "--json").project
    assert (again["project"], again["action"]) == ("store", "started" if stopped else "unchanged")


def test_a_file_keeps_its_comments(app: App, workspace: Path) -> None:
    file = workspace / "debughost.toml"
    file.write_text("# ours\nproject = 'shop'\ncpus = 1\n")
    assert app("up").code == 0
    assert app("rename", "store").code == 0
    assert file.read_text() == '# ours\nproject = "store"\ncpus = 1\n'


def test_services_and_their_data_get_the_new_id(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.add_image("mailpit:1")
    (workspace / "debughost.toml").write_text('[services.mail]\nimage = "mailpit:1"\n')
    assert app("up").code == 0
    before = {v.replace("shop", "store") for v in engine.stored_volumes}
    run = app("rename", "store", "--json")
    assert run.code == 0, run.out
    assert [s["state"] for s in run.project["services"]] == ["running"]
    assert run.document["warnings"] == []
    assert {v for v in engine.stored_volumes if "shop" in v} == set()
    assert set(engine.stored_volumes) >= before
    labels = engine.stored_volumes["debug-host-store-mail-data"].labels
    assert (labels["debug-host.project"], labels["debug-host.service"]) == ("store", "mail")
    assert app("up", "--json").project["action"] == "unchanged"


def test_volumes_that_cannot_be_copied_leave_all_as_it_was(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    assert app("up").code == 0
    before = snapshot(engine)
    engine.commands[COPY] = exits(1, "cp: error writing: No space left on device")
    error = app("rename", "store", "--json").error
    assert "No space left on device" in error["message"]
    assert snapshot(engine) == before
    assert not (workspace / "debughost.toml").exists()
    assert app("up", "--json").project["action"] == "unchanged"


def test_both_ids_are_locked_meanwhile(
    app: App, engine: FakeEngine, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app("up").code == 0
    held: list[bool] = []
    create = engine.containers.create

    def look(name: str, spec: ServiceSpec) -> str:
        held.extend(is_held(engine.identity(), project) for project in ("shop", "store"))
        return create(name, spec)

    monkeypatch.setattr(engine.containers, "create", look)
    assert app("rename", "store").code == 0
    assert held == [True] * 4  # The copy, and the project.
    assert not is_held(engine.identity(), "shop")


def test_a_project_that_crashed_is_renamed_as_well(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.program = exits(1)
    assert app("up").code == 7
    assert app("rename", "store").code == 0
    assert set(app("status", "--json").projects) == {"store"}


@pytest.mark.parametrize(
    ("new", "code"),
    [("web", "NAME_CONFLICT"), ("shop", "NAME_CONFLICT"), ("old", "NAME_CONFLICT"),
     ("No Id", "INVALID_PROJECT"), ("project-x", "INVALID_PROJECT")],
)  # fmt: skip
def test_what_is_refused_changes_nothing(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path, new: str, code: str
) -> None:
    for name in ("web", "old"):
        assert app("up", "-w", str(node_project(tmp_path / name))).code == 0
    assert app("rm", "-p", "old").code == 0
    assert app("up").code == 0
    before = snapshot(engine)
    assert app("rename", new, "--json").error["code"] == code
    assert snapshot(engine) == before
    assert not (workspace / "debughost.toml").exists()


def test_the_id_is_written_where_the_settings_are(app: App, workspace: Path) -> None:
    file = workspace / "pyproject.toml"
    file.write_text("[tool.debughost]\nproject = 'shop'  # ours\n")
    assert app("up").code == 0
    assert app("rename", "store").code == 0
    assert file.read_text() == '[tool.debughost]\nproject = "store"  # ours\n'
    assert not (workspace / "debughost.toml").exists()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("containers.create", EngineError("no")),
        ("containers.start", EngineError("no")),
        ("containers.start", Interrupted(2)),
    ],
)
def test_a_failure_brings_the_old_one_back(
    app: App, engine: FakeEngine, workspace: Path, call: str, error: BaseException
) -> None:
    assert app("up", "-e", "TOKEN=1").code == 0
    before = snapshot(engine)
    engine.fail(call, error)
    assert app("rename", "store").code != 0
    assert snapshot(engine) == before
    assert app("up", "--json").project["action"] == "unchanged"
