"""In a folder inside a workspace, a command without ``-p`` is about that workspace's project."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine

from cli.conftest import App, node_project


@pytest.fixture
def below(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, two levels inside the workspace of shop."""
    folder = workspace / "src" / "pages"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "argv", [["stop"], ["restart"], ["rm"], ["logs"], ["wait"], ["exec", "--", "true"]]
)
def test_the_nearest_parents_project_is_meant(app: App, below: Path, argv: list[str]) -> None:
    assert app("up").code == 0
    run = app(argv[0], "--json", *argv[1:])
    assert run.code == 0, run.out
    if argv[0] in ("stop", "restart", "rm", "wait"):
        assert run.project["project"] == "shop"


def test_up_brings_up_the_parent(app: App, below: Path, workspace: Path) -> None:
    run = app("up", "--json")
    assert run.project["project"] == "shop"
    assert run.project["workspace"] == str(workspace)


def test_up_of_something_named_is_about_this_folder(
    app: App, below: Path, engine: FakeEngine
) -> None:
    run = app("up", "--type", "static", "--json", "--", "serve-static")
    assert run.project["workspace"] == str(below)


def test_an_id_that_was_chosen_is_found_by_its_folder(app: App, below: Path) -> None:
    assert app("up", "-p", "other").code == 0
    assert app("stop", "--json").project["project"] == "other"


def test_of_several_projects_of_a_folder_one_must_be_named(app: App, below: Path) -> None:
    for project in ("one", "two"):
        assert app("up", "-p", project).code == 0
    run = app("stop", "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert "one, two" in run.error["message"]


def test_a_folder_named_like_another_project_is_still_inside_its_own(
    app: App, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = node_project(tmp_path / "web")
    assert app("up", "-w", str(web)).code == 0
    assert app("up").code == 0
    (workspace / "web").mkdir()
    monkeypatch.chdir(workspace / "web")
    assert app("stop", "--json").project["project"] == "shop"


def test_a_project_inside_a_workspace_is_not_taken_for_it(
    app: App, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app("up").code == 0
    monkeypatch.chdir(node_project(workspace / "client"))
    run = app("stop", "--json")
    assert (run.code, run.error["code"]) == (3, "PROJECT_NOT_FOUND")
