"""Projects of one id in two folders: a command without ``-p`` is about this folder alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEngine

from cli.conftest import App, node_project
from debughost_cli import names

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
