"""What ``next`` and ``status`` suggest: complete, and to be run from anywhere."""

from __future__ import annotations

import io
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEngine
from fakes.programs import exits, never_listens

from cli.conftest import App, node_project
from debughost_cli.cli.next import for_projects, remedies
from debughost_cli.models import Drift, Freshness, Project, State
from debughost_cli.render.status import show
from debughost_cli.render.streams import Streams


def runs(app: App, line: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> int:
    """The command of ``next``, typed in another folder."""
    monkeypatch.chdir(folder)
    return app(*shlex.split(line)[1:]).code


def test_out_of_memory_asks_for_more(
    app: App,
    engine: FakeEngine,
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app("up", "-m", "512m", "-e", "A=1")
    engine.crash(engine.container("shop").id, 137, oom=True)
    first = app("status", "--json").document["next"][0]
    assert first == f"debughost up -p shop -w {workspace} --memory 1024m"
    assert first in app("status").out
    assert runs(app, first, monkeypatch, tmp_path) == 0
    assert app("status", "-p", "shop", "--json").project["flags"] == ["--memory 1024m", "-e A"]


def test_a_crash_names_its_output_and_the_way_back(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.program = exits(3)
    document = app("up", "--json").document
    assert document["next"] == ["debughost logs -p shop", f"debughost up -p shop -w {workspace}"]
    assert app("status", "--json").document["next"] == document["next"]


def test_one_that_is_not_ready_can_be_waited_for(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.program = never_listens()
    found = app("up", "--wait-timeout", "0.05", "--json").document["next"]
    assert found[0] == "debughost logs -p shop"
    assert found[1].startswith("debughost wait -p shop --for ready")


def test_every_one_of_several_projects_has_its_command(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path
) -> None:
    other = node_project(tmp_path / "other one")
    app("up")
    app("up", "-p", "other", "-w", str(other))
    found = app("stop", "--all", "--json").document["next"]
    assert f"debughost up -p shop -w {workspace}" in found
    assert f"debughost up -p other -w {shlex.quote(str(other))}" in found


def test_a_busy_port_keeps_what_else_was_asked_for(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.add_foreign("web", 3000)
    run = app("up", "--json", "--port", "3000", "--memory", "1g", "npm", "run", "x y")
    (line,) = run.document["next"]
    command = "-- npm run 'x y'"
    assert line == f"debughost up -p shop -w {workspace} --port 3001 --memory 1g {command}"
    assert "A=1" not in app("up", "--port", "3000", "-e", "A=1", "--json").out


def test_a_plan_can_be_carried_out(app: App, workspace: Path) -> None:
    (line,) = app("up", "--dry-run", "--memory", "1g", "--json").document["next"]
    assert line == f"debughost up -p shop -w {workspace} --memory 1g"


NEW = Drift("env.A", "set", None)


@pytest.mark.parametrize(
    ("project", "why"),
    [
        (
            Project(
                "shop", drift=(Drift("memory_bytes", 2**30, 2**31), Drift("env.A", "set", None))
            ),
            "differs from its configuration: memory 2g -> 1g, env.A added",
        ),
        (Project("shop", dependencies=Freshness.STALE), "its packages are older than its manifest"),
        (
            Project("shop", drift=(Drift("image", "sha256:1", "sha256:2"),)),
            "differs from its configuration: image rebuilt",
        ),
    ],
)
def test_status_says_what_differs_and_what_to_run(project: Project, why: str) -> None:
    streams = Streams(io.StringIO(), out := io.StringIO(), io.StringIO())
    shown = replace(project, state=State.RUNNING, workspace="/home/me/shop")
    show(streams, [shown], remedies)
    assert f"shop: {why}" in out.getvalue()
    assert out.getvalue().endswith("\n  debughost up -p shop -w /home/me/shop\n")
    assert for_projects([shown]) == ["debughost up -p shop -w /home/me/shop"]
