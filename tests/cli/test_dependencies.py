"""What ``up`` makes of packages: those that are missing, and those that the workspace has."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine
from fakes.programs import Program, exits, install_fails, listens, never_listens

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


UNAPPLIED = (
    "You have 2 unapplied migration(s). Your project may not work properly until you apply the "
    "migrations for app(s): auth, shop."
)
MIGRATE = "debughost exec -p shop python manage.py migrate"


@pytest.fixture
def django(python: Path) -> Path:
    (python / "manage.py").write_text("import django\n")
    return python


def codes(run: Run) -> list[str]:
    return [w["code"] for w in run.document["warnings"] if w["code"].startswith("MIGRATIONS")]


def test_pending_migrations_are_named_with_the_command(
    app: App, engine: FakeEngine, django: Path
) -> None:
    engine.program = listens(output=(UNAPPLIED,))
    run = app("up", "--json")
    assert run.project["ready"]
    assert run.document["next"][0] == MIGRATE
    assert {"code": "MIGRATIONS_PENDING",
            "message": f"2 migrations (auth, shop) are not applied: {MIGRATE}"} in (
        run.document["warnings"]
    )  # fmt: skip
    # They may have been applied since.
    assert not codes(app("up", "--json"))


def test_migrations_of_which_nothing_is_known(app: App, django: Path) -> None:
    run = app("up", "--json")
    assert codes(run) == ["MIGRATIONS_UNKNOWN"]
    assert MIGRATE not in run.document["next"]
    assert not codes(app("restart", "--json"))


def test_an_empty_database_has_no_tables(app: App, python: Path) -> None:
    (python / "alembic.ini").write_text("[alembic]\nsqlalchemy.url = sqlite:///shop.db\n")
    run = app("up", "--json")
    assert codes(run) == ["MIGRATIONS_PENDING"]
    assert run.document["next"][0] == "debughost exec -p shop alembic upgrade head"
    (python / "shop.db").write_bytes(b"SQLite format 3\0")
    assert not codes(app("restart", "--json"))


def test_a_program_that_ends_for_want_of_a_table_names_the_command(
    app: App, engine: FakeEngine, django: Path
) -> None:
    engine.program = exits(1, "django.db.utils.OperationalError: no such table: shop_order")
    hint = app("up", "--json").error["hint"]
    run = "python manage.py migrate && exec python manage.py runserver 0.0.0.0:$PORT"
    assert f"debughost up -p shop -w {django} -- sh -c '{run}'" in hint


def test_a_watched_program_that_lacks_a_table_can_be_helped_at_once(
    app: App, engine: FakeEngine, django: Path
) -> None:
    engine.program = never_listens(output=('ERROR: relation "shop" does not exist',))
    hint = app("up", "--wait-timeout", "0.2", "--json").error["hint"]
    assert hint.startswith(
        f'its database lacks a table (relation "shop" does not exist): {MIGRATE}'
    )
    assert "0.0.0.0" not in hint
