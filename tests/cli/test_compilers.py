"""The base image with compilers: built when a project first asks for it, beside the other one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeEngine

from cli.conftest import App
from debughost_cli.models import ProjectType
from debughost_cli.services.base_images import default_base, latest

EXPRESS = {"express": "^5.0.0"}


@pytest.fixture(autouse=True)
def base(engine: FakeEngine) -> None:
    """The official image can be had."""
    known = engine.stored_images[latest(ProjectType.NODE)]
    engine.registry[default_base(ProjectType.NODE)] = known


def write(workspace: Path, dependencies: dict[str, str], settings: str = "") -> None:
    package = {"dependencies": dependencies, "scripts": {"dev": "node server.js"}}
    (workspace / "package.json").write_text(json.dumps(package))
    (workspace / "debughost.toml").write_text(settings)


@pytest.mark.parametrize(
    ("dependencies", "settings", "flags"),
    [
        (EXPRESS, "", ["--compilers"]),
        (EXPRESS, "compilers = true", []),
        ({"node-pty": "^1.0.0"}, "", []),
    ],
)
def test_a_project_gets_compilers_when_it_asks_or_needs_them(
    app: App,
    engine: FakeEngine,
    workspace: Path,
    dependencies: dict[str, str],
    settings: str,
    flags: list[str],
) -> None:
    write(workspace, EXPRESS)
    plain = app("up", "--json").project["container"]["image"]
    write(workspace, dependencies, settings)
    run = app("up", *flags, "--json")
    assert run.project["container"]["image"] == f"{plain}-compilers"
    assert run.project["action"] == "recreated"
    assert run.project["flags"] == [" ".join(flags)] * bool(flags)
    assert f"Building image {plain}-compilers" in run.err
    assert {plain, latest(ProjectType.NODE)} <= engine.stored_images.keys()
    assert app("status", "--json").project["drift"] == []
    assert app("up", "--json").project["action"] == "unchanged"


@pytest.mark.parametrize("where", ["flag", "file"])
def test_compilers_can_be_declined(app: App, workspace: Path, where: str) -> None:
    write(workspace, {"node-pty": "^1.0.0"}, "compilers = false" if where == "file" else "")
    run = app("up", *(["--no-compilers"] if where == "flag" else []), "--json")
    assert not run.project["container"]["image"].endswith("-compilers")
