"""A workspace inside that of another project: its folder may be replaced at any time."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine
from msgspec.structs import replace

from cli.conftest import App, node_project
from debughost_cli import names


@pytest.fixture
def inner(workspace: Path) -> Path:
    (workspace / "packages").mkdir()
    return node_project(workspace / "packages" / "web")


def test_beside_another_project_there_is_no_question(app: App, workspace: Path) -> None:
    """``shopping`` begins like ``shop``, and is not inside it."""
    beside = node_project(workspace.parent / f"{workspace.name}ping")
    assert app("up").code == 0
    assert app("up", "-w", str(beside)).code == 0


@pytest.mark.parametrize("inner_first", [False, True])
def test_inside_a_running_project_it_is_refused_and_names_both(
    app: App, engine: FakeEngine, workspace: Path, inner: Path, *, inner_first: bool
) -> None:
    first, second = (inner, workspace) if inner_first else (workspace, inner)
    assert app("up", "-w", str(first)).code == 0
    before = len(engine.changes)
    run = app("up", "-w", str(second), "--json")
    assert (run.code, run.error["code"]) == (5, "WORKSPACE_CONFLICT")
    assert str(workspace) in run.error["message"]
    assert str(inner) in run.error["message"]
    assert "--allow-nested" in run.error["hint"]
    assert engine.changes[before:] == []


def test_the_other_one_may_be_stopped(app: App, inner: Path) -> None:
    app("up")
    app("stop")
    assert app("up", "-w", str(inner)).code == 0
    assert app("up", "--json").error["code"] == "WORKSPACE_CONFLICT"


def test_the_user_may_allow_it_and_restart_keeps_that(app: App, inner: Path) -> None:
    app("up")
    assert app("up", "-w", str(inner), "--allow-nested").code == 0
    assert app("stop", "-p", "web").code == 0
    assert app("restart", "-p", "web").code == 0


def test_a_workspace_file_cannot_allow_it(app: App, inner: Path) -> None:
    (inner / "debughost.toml").write_text("allow_nested = true\n")
    app("up")
    assert app("up", "-w", str(inner), "--json").error["code"] == "INVALID_CONFIG"


def test_a_path_of_another_machine_is_another_path(
    app: App, engine: FakeEngine, inner: Path
) -> None:
    app("up")
    container = engine.container("shop")
    container.spec = replace(container.spec, labels={**container.spec.labels, names.HOST: "f" * 32})
    assert app("up", "-w", str(inner)).code == 0
