"""Projects of one id in two folders: a command without ``-p`` is about this folder alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes import FakeEngine, exits, listens, make_spec
from msgspec.structs import replace

from cli.conftest import App, node_project
from debughost_cli import names
from debughost_cli.specs import Mount, MountType

COMMANDS = [
    ["up"],
    ["up", "--recreate"],
    ["up", "--dry-run"],
    ["stop"],
    ["restart"],
    ["rm"],
    ["rm", "--volumes"],
    ["rm", "--dry-run"],
    ["exec", "--", "true"],
    ["logs"],
    ["wait"],
]
ids = [" ".join(argv) for argv in COMMANDS]


@pytest.fixture
def theirs(app: App, workspace: Path) -> Path:
    """The workspace of shop, which runs."""
    assert app("up").code == 0
    return workspace


@pytest.fixture
def mine(theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: another one of the same name."""
    (tmp_path / "other").mkdir()
    folder = node_project(tmp_path / "other" / "shop")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("argv", COMMANDS, ids=ids)
def test_a_folder_of_the_same_name_reaches_no_other_project(
    app: App, engine: FakeEngine, theirs: Path, mine: Path, argv: list[str]
) -> None:
    before, changes = engine.snapshot(), len(engine.changes)
    run = app(argv[0], "--json", *argv[1:])
    error = run.lines[-1]["error"] if argv == ["logs"] else run.error
    assert (run.code, error["code"]) == (5, "WORKSPACE_CONFLICT")
    assert str(theirs) in error["message"]
    assert str(mine) in error["message"]
    assert "-p shop" in error["hint"]
    assert "--project NAME" in error["hint"]
    assert "rm" not in error["hint"].split()
    assert error["details"]["same_machine"] is True
    assert engine.snapshot() == before
    assert engine.changes[changes:] == []


@pytest.mark.parametrize("argv", [["up"], ["up", "--dry-run"]])
def test_nothing_of_the_other_project_is_shown(
    app: App, engine: FakeEngine, theirs: Path, mine: Path, argv: list[str]
) -> None:
    """Its last lines, for example, which it may have ended with."""
    ref = engine.container("shop").id
    engine.write_log(ref, "its last words")
    engine.crash(ref)
    run = app(*argv, "--json")
    assert run.project["container"] is None
    assert run.project["exit"] is None
    assert run.document["next"] == []
    assert "its last words" not in run.out + run.err


@pytest.mark.parametrize("argv", [["stop"], ["rm", "--volumes"], ["exec", "--", "true"]])
def test_an_id_from_a_file_of_the_workspace_reaches_no_other_project(
    app: App, theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    folder = node_project(tmp_path / "hostile")
    (folder / "debughost.toml").write_text('project = "shop"\n')
    monkeypatch.chdir(folder)
    run = app(argv[0], "--json", *argv[1:])
    assert (run.code, run.error["code"]) == (5, "WORKSPACE_CONFLICT")


@pytest.mark.parametrize("argv", [["stop"], ["logs"], ["exec", "--", "true"], ["wait"], ["rm"]])
def test_an_id_that_was_named_means_that_project(
    app: App, mine: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    assert app(argv[0], "-p", "shop", *argv[1:]).code == 0


def test_an_id_in_a_variable_was_named_by_the_user(
    app: App, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUGHOST_PROJECT", "shop")
    assert app("stop").code == 0


def test_the_same_path_of_another_machine_is_named(
    app: App, engine: FakeEngine, theirs: Path
) -> None:
    made = engine.container("shop")
    made.spec = replace(made.spec, labels={**made.spec.labels, names.HOST: "f" * 32})
    run = app("stop", "--json")
    assert (run.code, run.error["code"]) == (5, "WORKSPACE_CONFLICT")
    assert f"{theirs} of another machine" in run.error["message"]
    assert app("stop", "-p", "shop").code == 0


def test_a_folder_that_moved_is_still_the_projects(
    app: App, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app("up").code == 0
    (tmp_path / "other").mkdir()
    moved = workspace.rename(tmp_path / "other" / "shop")
    monkeypatch.chdir(moved)
    assert app("stop").code == 0


def test_a_link_to_the_workspace_is_the_workspace(
    app: App, theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from debughost_cli.api import DebugHost

    link = tmp_path / "link" / "shop"
    link.parent.mkdir()
    link.symlink_to(theirs)
    with DebugHost(folder=link, engine=app.engine) as host:
        assert host.stop().items[0].project.project == "shop"


def test_status_lists_everything_all_the_same(app: App, mine: Path) -> None:
    assert [*app("status", "--json").projects] == ["shop"]


@pytest.mark.parametrize("given", ["project-shop", "project-", "project-project-x"])
def test_no_project_takes_the_alias_of_another(
    app: App, engine: FakeEngine, workspace: Path, given: str
) -> None:
    run = app("up", "-p", given, "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_PROJECT")
    assert f"--project {names.project_id_from(given)}" in run.error["hint"]
    (workspace / "debughost.toml").write_text(f'project = "{given}"\n')
    assert app("up", "--json").error["code"] == "INVALID_PROJECT"
    assert engine.changes == []


def test_a_folder_that_is_called_like_an_alias_gives_an_id_with_that_alias(
    app: App, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(node_project(tmp_path / "project-alpha"))
    assert app("up", "--json").project["project"] == "alpha"
    assert "project-alpha" in engine.container("alpha").spec.aliases
    assert app("stop", "--json").project["project"] == "alpha"


def test_a_project_with_such_an_id_from_an_older_version_can_be_removed(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    assert app("up").code == 0
    made = engine.container("shop")
    labels = {**made.spec.labels, names.PROJECT: "project-shop"}
    made.spec = replace(made.spec, labels=labels, project="project-shop")
    assert app("stop", "-p", "project-shop").code == 0
    assert app("rm", "--all", "--yes").code == 0


# Volumes

VOLUMES = {f"debug-host-shop-{kind}" for kind in ("node_modules", "cache", "home")}


@pytest.fixture
def left(app: App, engine: FakeEngine, workspace: Path) -> Path:
    """The workspace of shop, which was removed; its volumes are left, with something in them."""
    assert app("up").code == 0
    assert app("rm").code == 0
    mark(engine)
    return workspace


def mark(engine: FakeEngine) -> None:
    for name in VOLUMES:
        engine.stored_volumes[name].size_bytes = 31337


def marked(engine: FakeEngine) -> set[str]:
    return {v.name for v in engine.stored_volumes.values() if v.size_bytes == 31337}


def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "other").mkdir()
    folder = node_project(tmp_path / "other" / "shop")
    monkeypatch.chdir(folder)
    return folder


def test_the_packages_of_another_folder_are_replaced(
    app: App, engine: FakeEngine, left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(tmp_path, monkeypatch)
    plan = app("up", "--dry-run", "--json").project["plan"]
    assert {s["target"] for s in plan if s["step"] == "remove_volume"} == VOLUMES
    assert marked(engine) == VOLUMES
    run = app("up", "--json")
    assert run.project["action"] == "created"
    warnings = {w["message"] for w in run.document["warnings"] if w["code"] == "VOLUME_REPLACED"}
    assert len(warnings) == len(VOLUMES)
    assert all(str(left) in w for w in warnings)
    assert marked(engine) == set()
    for name in VOLUMES:
        assert engine.stored_volumes[name].labels[names.WORKSPACE] == str(folder)
    mark(engine)
    assert app("rm").code == 0
    assert app("up", "--json").document["warnings"] == []
    assert marked(engine) == VOLUMES


def test_the_packages_of_a_folder_that_is_gone_are_replaced(
    app: App, engine: FakeEngine, left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever removes a folder does not hand on what ran in it."""
    elsewhere(tmp_path, monkeypatch)
    shutil.rmtree(left)
    assert app("up").code == 0
    assert marked(engine) == set()


def test_the_same_path_on_another_machine_has_other_packages(
    app: App, engine: FakeEngine, left: Path
) -> None:
    for name in VOLUMES:
        volume = engine.stored_volumes[name]
        volume.labels = {**volume.labels, names.HOST: "f" * 32}
    run = app("up", "--json")
    assert "of another machine" in run.document["warnings"][0]["message"]
    assert marked(engine) == set()


def test_volumes_of_0_1_0_name_no_workspace_and_are_kept(
    app: App, engine: FakeEngine, left: Path
) -> None:
    for name in VOLUMES:
        volume = engine.stored_volumes[name]
        labels = {k: v for k, v in volume.labels.items() if k not in (names.HOST, names.WORKSPACE)}
        volume.labels = labels
    assert app("up", "--json").document["warnings"] == []
    assert marked(engine) == VOLUMES


@pytest.mark.parametrize("user", ["7:7", "0:7", None])
def test_packages_of_the_owner_before_a_chown_are_replaced(
    app: App, engine: FakeEngine, workspace: Path, user: str | None
) -> None:
    assert app("up").code == 0
    mark(engine)
    for name in VOLUMES:
        volume = engine.stored_volumes[name]
        labels = {k: v for k, v in volume.labels.items() if k != names.VOLUME_USER}
        assert volume.labels[names.VOLUME_USER] == str(engine.container("shop").spec.user)
        volume.labels = labels | ({names.VOLUME_USER: user} if user else {})
    assert app("rm").code == 0
    assert app("up").code == 0
    assert marked(engine) == (set() if user else VOLUMES)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_container_that_still_uses_them_gives_way(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, stopped: bool,
) -> None:  # fmt: skip
    """The folder of a project that is still there was removed, and another one has its id."""
    assert app("up").code == 0
    if stopped:
        assert app("stop").code == 0
    mark(engine)
    elsewhere(tmp_path, monkeypatch)
    shutil.rmtree(workspace)
    run = app("up", "--json")
    assert (run.code, run.project["action"]) == (0, "recreated")
    assert marked(engine) == set()
    assert len(engine.stored_containers) == 1


def test_a_failure_then_leaves_what_there_is(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app("up").code == 0
    elsewhere(tmp_path, monkeypatch)
    shutil.rmtree(workspace)
    engine.program = exits(1, "boom")
    run = app("up", "--json")
    assert run.error["code"] == "CRASHED"
    assert "started again" not in run.error["hint"]
    assert {w["code"] for w in run.document["warnings"]} == {"VOLUME_REPLACED"}
    engine.program = listens()
    assert app("up").code == 0


def test_packages_that_somebody_uses_are_not_taken_away(
    app: App, engine: FakeEngine, left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec("/", mounts=(Mount(MountType.VOLUME, "debug-host-shop-cache", "/x"),))
    image = next(iter(engine.stored_images))
    engine.containers.create("somebodys", replace(spec, labels={}, image=image))
    elsewhere(tmp_path, monkeypatch)
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (5, "IN_USE")
    assert "debug-host-shop-cache" in marked(engine)


@pytest.mark.parametrize("argv", [["stop"], ["rm", "--volumes"], ["exec", "--", "true"]])
def test_a_program_does_not_turn_commands_to_a_project_whose_folder_is_gone(
    app: App, engine: FakeEngine, theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
) -> None:  # fmt: skip
    """It runs already when it changes its id in the workspace's file."""
    folder = node_project(tmp_path / "hostile")
    monkeypatch.chdir(folder)
    assert app("up").code == 0
    (folder / "debughost.toml").write_text('project = "shop"\n')
    shutil.rmtree(theirs)
    before = engine.container("shop").started_at
    assert app(*argv).code == 0
    assert engine.container("shop").started_at == before
    assert engine.container("shop").status == "running"


@pytest.mark.parametrize("text", ["[", 'project = "../x"\n', "a = 1\n" * 30_000])
@pytest.mark.parametrize("argv", [["stop"], ["rm"], ["logs"], ["exec", "--", "true"]])
def test_a_program_cannot_keep_itself_alive_with_an_unreadable_configuration(
    app: App, theirs: Path, argv: list[str], text: str
) -> None:
    (theirs / "debughost.toml").write_text(text)
    assert app(*argv).code == 0
    if argv == ["rm"]:
        assert app("rm", "--json").code == 2


def test_with_an_unreadable_configuration_an_id_in_a_variable_is_not_replaced(
    app: App, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (theirs / "debughost.toml").write_text("[")
    monkeypatch.setenv("DEBUGHOST_PROJECT", "other")
    assert app("stop", "--json").error["code"] == "INVALID_CONFIG"
