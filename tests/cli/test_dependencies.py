"""What ``up`` makes of packages: those that are missing, and those that the workspace has."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine
from fakes.programs import Program, exits, install_fails, never_listens

from .conftest import App, Run


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


def mismatch(run: Run) -> str:
    found = [w["message"] for w in run.document["warnings"] if w["code"] == "RUNTIME_MISMATCH"]
    return found[0] if found else ""


def test_a_version_that_the_image_does_not_have_is_named(app: App, workspace: Path) -> None:
    (workspace / ".nvmrc").write_text("v18.17.0\n")
    run = app("up", "--json")
    assert run.code == 0
    has = "the image has 24; --image node:18 has it"
    assert mismatch(run) == f".nvmrc asks for Node.js 18.17.0, {has}"
    assert has in app("up").err
    (workspace / ".nvmrc").write_text("24.1.0\n")
    assert mismatch(app("up", "--json")) == ""


def test_the_version_of_a_named_image_is_its_own(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    (workspace / ".nvmrc").write_text("18")
    engine.add_image("node:18", environment={"NODE_VERSION": "18.20.1"})
    engine.add_image("shop/tools:1", environment={"NODE_VERSION": "16.1.0"})
    assert mismatch(app("up", "--image", "node:18", "--json")) == ""
    assert "the image has 16.1.0" in mismatch(app("up", "--image", "shop/tools:1", "--json"))


@pytest.mark.parametrize("program", [install_fails(1, "error"), exits(1, "SyntaxError")])
def test_a_failure_names_the_version_that_may_be_its_reason(
    app: App, engine: FakeEngine, python: Path, program: Program
) -> None:
    pins = '[project]\nname = "shop"\nrequires-python = ">=3.8,<3.12"\n'
    (python / "pyproject.toml").write_text(pins)
    engine.program = program
    hint = app("up", "--json").error["hint"]
    assert "pyproject.toml (project.requires-python) asks for Python >=3.8,<3.12" in hint
    assert "--image python:3.11" in hint


def test_a_missing_module_under_a_watcher_names_the_manifests(
    app: App, engine: FakeEngine, python: Path
) -> None:
    (python / "requirements.txt").write_text("flask")
    engine.program = never_listens(output=("ModuleNotFoundError: No module named 'rich'",))
    run = app("up", "--wait-timeout", "0.2", "--json")
    assert run.error["code"] == "NOT_READY"
    assert "rich is not among what requirements.txt requires" in run.error["hint"]
