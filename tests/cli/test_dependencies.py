"""What ``up`` makes of packages: those that are missing, and those that the workspace has."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine
from fakes.programs import exits

from .conftest import App


@pytest.fixture
def python(workspace: Path) -> Path:
    """A Python project in the place of the Node.js one."""
    for file in workspace.iterdir():
        if file.is_file():
            file.unlink()
    (workspace / "main.py").write_text("import rich\n")
    return workspace


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"requirements.txt": "flask", "requirements-dev.txt": "rich"},
         "rich is not among what requirements.txt requires; requirements-dev.txt was not read"),
        ({"requirements.txt": "flask", "setup.py": "", "environment.yml": ""},
         "setup.py, environment.yml was not read"),
        ({"environment.yml": "dependencies:\n  - rich\n"},
         "rich is not installed: nothing was; environment.yml was not read"),
        ({}, "write it into requirements.txt"),
    ],
)  # fmt: skip
def test_a_missing_module_names_the_manifests(
    app: App, engine: FakeEngine, python: Path, files: dict[str, str], named: str
) -> None:
    for name, text in files.items():
        (python / name).write_text(text)
    engine.program = exits(1, "ModuleNotFoundError: No module named 'rich'")
    run = app("up", "--json")
    assert run.error["code"] == "CRASHED"
    assert named in run.error["hint"]


def test_a_module_is_missing_where_nothing_was_to_be_installed(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.program = exits(1, "Error: Cannot find module 'express'")
    assert "turned off" in app("up", "--no-deps", "--json").error["hint"]


def test_a_file_of_the_project_is_no_missing_package(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.program = exits(1, "Error: Cannot find module './missing'")
    assert "missing" not in app("up", "--json").error["hint"]


@pytest.mark.parametrize(("options", "covered"), [(["--no-deps"], False), ([], True)])
def test_packages_of_the_workspace_stay_visible_where_nothing_is_installed(
    app: App, engine: FakeEngine, workspace: Path, options: list[str], covered: bool
) -> None:
    (workspace / "node_modules" / "express").mkdir(parents=True)
    app("up", *options)
    targets = {m.target for m in engine.container("shop").spec.mounts}
    assert ("/app/node_modules" in targets) is covered
    assert app("up", *options, "--json").project["action"] == "unchanged"


def test_package_managers_have_the_settings_of_the_install(
    app: App, engine: FakeEngine, python: Path
) -> None:
    app("up")
    assert engine.container("shop").spec.environment["UV_LINK_MODE"] == "copy"
