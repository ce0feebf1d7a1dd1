"""What ``next`` and ``status`` suggest: complete, and to be run from anywhere."""

from __future__ import annotations

import io
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import FakeEngine
from fakes.programs import Program, exits, installing, listens_on, loopback_only, never_listens
from msgspec.structs import replace

from cli.conftest import App, node_project
from debughost_cli import names
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
    people = app("status")
    assert first in people.err, "stdout is data alone"
    assert "debughost" not in people.out
    assert runs(app, first, monkeypatch, tmp_path) == 0
    assert app("status", "-p", "shop", "--json").project["flags"] == ["--memory 1024m", "-e A"]


def test_one_that_was_killed_under_a_watcher_asks_for_more(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.program = never_listens(flags=("oom",))
    run = app("up", "-m", "512m", "--wait-timeout", "0.05", "--json")
    first = run.document["next"][0]
    assert first == f"debughost up -p shop -w {workspace} --memory 1024m"
    assert first in run.error["hint"]
    assert run.error["details"]["reason"] == "oom"


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


@pytest.mark.parametrize("port", [3000, 8080, 8000])
def test_one_that_listens_elsewhere_gets_that_port(
    app: App,
    engine: FakeEngine,
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    port: int,
) -> None:
    engine.program = listens_on(port)
    first = app("up", "--port", "4321", "-e", "A=1", "--json").document["next"][0]
    assert first == f"debughost up -p shop -w {workspace} --port {port}"
    assert first in app("up", "--port", "4321", "--json").error["hint"]
    waited = app("wait", "--for", "ready", "--timeout", "0.1", "--json")
    assert waited.error["details"]["listening"] == [port]
    assert waited.document["next"][0] == first
    assert runs(app, first, monkeypatch, tmp_path) == 0


@pytest.mark.parametrize(
    "program",
    [
        loopback_only(),
        never_listens(
            output=("Failed running 'a.js'. Waiting for file changes before restarting",)
        ),
        never_listens(output=("[nodemon] app crashed - waiting for file changes before starting",)),
    ],
)
def test_one_that_has_to_be_mended_is_restarted_then(
    app: App, engine: FakeEngine, program: Program
) -> None:
    engine.program = program
    assert app("up", "--json").document["next"] == [
        "debughost logs -p shop", "debughost restart -p shop",
    ]  # fmt: skip


def a_minute_later(engine: FakeEngine) -> None:
    """It listens where it does for long enough."""
    engine.container("shop").written_at[names.STATE_LINK] -= timedelta(minutes=1)


@pytest.mark.parametrize(
    ("program", "port", "text"),
    [
        (listens_on(8080), 8080, "it listens on port 8080, not on port 4321"),
        (listens_on(5000, 9229), 5000, "it listens on port 5000, not on port 4321"),
        (listens_on(4000, 4001), 4000, "it listens on ports 4000 and 4001, not on port 4321"),
    ],
)
def test_status_names_the_port_of_one_that_listens_elsewhere(
    app: App, engine: FakeEngine, workspace: Path, program: Program, port: int, text: str
) -> None:
    engine.program = program
    app("up", "--port", "4321", "--no-wait")
    (line,) = app("status", "--json").document["next"]
    assert line.startswith("debughost wait"), "it may listen on its own port in a moment"
    a_minute_later(engine)
    seen = app("status", "--json")
    found = seen.project["not_ready"]
    assert (found["reason"], found["message"]) == ("other_port", text)
    assert found["reachable"][0] == port
    first = f"debughost up -p shop -w {workspace} --port {port}"
    assert seen.document["next"] == [first, "debughost logs -p shop"]
    people = app("status")
    assert f"shop: {text}" in people.out
    assert first in people.err
    again = app("up", "--port", "4321", "--no-wait", "--json")
    assert again.project["action"] == "unchanged"
    assert again.document["next"][0] == first


def test_status_says_that_one_listens_for_itself_alone(app: App, engine: FakeEngine) -> None:
    engine.program = loopback_only()
    app("up", "--no-wait")
    a_minute_later(engine)
    seen = app("status", "--json")
    assert seen.project["not_ready"]["reason"] == "loopback"
    assert "0.0.0.0" in seen.project["not_ready"]["hint"]
    assert seen.document["next"] == ["debughost logs -p shop", "debughost restart -p shop"]


def test_an_install_that_goes_on_is_waited_for_longer(app: App, engine: FakeEngine) -> None:
    engine.program = installing()
    run = app("up", "--install-timeout", "0.1", "--json")
    assert run.document["next"][1] == "debughost wait -p shop --for ready --timeout 600"


def test_status_tells_how_to_find_out_why_one_is_not_ready(app: App, engine: FakeEngine) -> None:
    engine.program = never_listens()
    app("up", "--no-wait")
    (line,) = app("status", "--json").document["next"]
    run = app(*shlex.split(line)[1:-1], "0.1", "--json")
    assert run.error["details"]["reason"] == "nothing_listens"
    assert run.document["next"] == [
        "debughost logs -p shop", "debughost wait -p shop --for ready --timeout 120",
    ]  # fmt: skip


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
    streams = Streams(io.StringIO(), out := io.StringIO(), err := io.StringIO())
    shown = replace(project, state=State.RUNNING, workspace="/home/me/shop")
    show(streams, [shown], remedies)
    assert f"shop: {why}" in out.getvalue()
    assert err.getvalue() == "  debughost up -p shop -w /home/me/shop\n"
    assert for_projects([shown]) == ["debughost up -p shop -w /home/me/shop"]
