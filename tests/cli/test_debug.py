"""Projects that are started with their language's debugger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, listens_on

from cli.conftest import App, Run, node_project
from debughost_cli import names
from debughost_cli.models import ProjectType
from debughost_cli.planning.ports import preferred_port
from debughost_cli.specs import Role

RUN = f"{names.DEBUG_DIR}/run"


def debug_port(run: Run) -> tuple[int, int] | None:
    """Of the host and of the container."""
    found = (p for p in run.project["ports"] if p["name"] == "debug")
    return next(((p["host_port"], p["container_port"]) for p in found), None)


@pytest.fixture
def python(tmp_path: Path) -> str:
    folder = tmp_path / "api"
    folder.mkdir()
    (folder / "main.py").write_text("import http.server\n")
    (folder / "requirements.txt").write_text("uvicorn\nfastapi\n")
    return str(folder)


@pytest.fixture
def php(tmp_path: Path) -> str:
    folder = tmp_path / "blog"
    folder.mkdir()
    (folder / "index.php").write_text("<?php phpinfo();\n")
    return str(folder)


def test_the_inspector_is_published_and_goes_again(app: App, engine: FakeEngine) -> None:
    app("up")
    plain = engine.container("shop").spec
    run = app("up", "--debug", "--json")
    assert (run.project["action"], debug_port(run)) == ("recreated", (9229, 9229))
    assert "debug_port added" in run.project["why"]
    made = engine.container("shop")
    assert (made.spec.debug_port, made.spec.command) == (9229, plain.command)
    assert made.files[RUN].data.startswith(b"port=9229\nprogram_port=3725\n")
    assert names.DEBUG_DIR + "/attach.cjs" in made.files
    assert run.project["flags"] == ["--debug"]
    for again in (app("up", "--json"), app("restart", "--json")):
        assert debug_port(again) == (9229, 9229)
        assert again.project["action"] in ("unchanged", "restarted")
    run = app("up", "--no-debug", "--json")
    assert debug_port(run) is None
    assert (
        engine.container("shop").spec.labels[names.CONFIG_HASH] == plain.labels[names.CONFIG_HASH]
    )
    assert RUN not in engine.container("shop").files


def test_a_second_project_gets_the_next_port_and_keeps_it(
    app: App, engine: FakeEngine, tmp_path: Path
) -> None:
    app("up", "--debug")
    other = ("up", "--debug", "--json", "-w", str(node_project(tmp_path / "web")))
    assert debug_port(app(*other)) == (9230, 9229)
    app("rm")
    assert debug_port(app(*other)) == (9230, 9229)
    app("rm", "-p", "web")
    assert debug_port(app(*other)) == (9230, 9229)
    assert names.port_note_name("web") not in engine.stored_volumes


@pytest.mark.parametrize(
    ("ports", "expected"),
    [("debug = 9300", (9300, 9300)), ('debug = "9300:9229"', (9300, 9229)), ("x = 1234", None)],
)
def test_the_user_may_choose_the_port(
    app: App, engine: FakeEngine, workspace: Path, ports: str, expected: Any
) -> None:
    (workspace / "debughost.toml").write_text(f"debug = true\n[ports]\n{ports}\n")
    run = app("up", "--json")
    assert debug_port(run) == (expected or (9229, 9229))
    assert engine.container("shop").spec.debug_port == debug_port(run)[1]
    config = app("debug-config", "--json").document["data"]["config"]
    assert config["port"] == debug_port(run)[0]


def test_a_debugger_is_not_taken_for_the_page(app: App, engine: FakeEngine) -> None:
    engine.program = listens_on(9300)
    run = app("up", "--debug", "--publish=debug=9300", "--wait-timeout", "0.1", "--json")
    assert run.error["details"]["reason"] == "nothing_listens"


def test_a_debugger_listens_beside_the_program(app: App, engine: FakeEngine, python: str) -> None:
    other = next(p for p in map(str, range(9999)) if preferred_port(p, ProjectType.PYTHON) == 5678)
    run = app("up", "--json", "-w", python, "-p", other)
    assert run.project["port"] == 5678
    run = app("up", "--json", "-w", python, "-p", other, "--debug")
    assert (run.project["port"], debug_port(run)) == (5679, (5678, 5678))
    run = app("up", "--json", "--port", "9229", "--debug")
    assert debug_port(run) == (9230, 9230)


def test_debugpy_is_published(app: App, engine: FakeEngine, python: str) -> None:
    run = app("up", "--json", "-w", python, "--debug")
    assert debug_port(run) == (5678, 5678)
    made = engine.container("api")
    assert names.DEBUG_DIR + "/sitecustomize.py" in made.files
    assert b"debugpy" in made.files[RUN].data
    assert "PYTHONPATH" not in made.environment


def test_xdebug_connects_to_the_editor(app: App, engine: FakeEngine, php: str) -> None:
    run = app("up", "--json", "-w", php, "--debug")
    assert debug_port(run) is None
    assert engine.container("blog").spec.debug_port == 9003
    assert names.DEBUG_DIR + "/xdebug.ini" in engine.container("blog").files
    assert engine.container("blog").spec.image.endswith("-packages")
    assert engine.container("blog").environment["XDEBUG_MODE"] == "off"
    assert app("up", "--json", "-w", php).project["action"] == "unchanged"
    assert app("status", "--json", "-p", "blog").project["drift"] == []
    config = app("debug-config", "-p", "blog", "--json").document["data"]["config"]
    assert (config["request"], config["port"]) == ("listen", 9003)
    app("up", "-w", php, "-e", "XDEBUG_CONFIG=idekey=x client_port=9004")
    config = app("debug-config", "-p", "blog", "--json").document["data"]["config"]
    assert config["port"] == 9004


@pytest.mark.parametrize(
    ("given", "code"), [(("--debug",), "USAGE"), ((), "INVALID_CONFIG")], ids=["flag", "file"]
)
def test_a_static_site_has_none(
    app: App, engine: FakeEngine, tmp_path: Path, given: tuple[str, ...], code: str
) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("hello")
    (folder / "debughost.toml").write_text("" if given else "debug = true\n")
    run = app("up", "-w", str(folder), "--json", *given)
    assert (run.code, run.error["code"]) == (2, code)
    assert not engine.stored_containers


def test_each_editor_gets_its_configuration(app: App, python: str, php: str) -> None:
    app("up", "--debug")
    app("up", "--debug", "-w", python)
    app("up", "--debug", "-w", php)
    launch = json.loads(app("debug-config").out)
    (node,) = launch["configurations"]
    assert (node["port"], node["remoteRoot"], node["restart"]) == (9229, "/app", True)
    (debugpy,) = json.loads(app("debug-config", "vscode", "-p", "api").out)["configurations"]
    assert debugpy["connect"] == {"host": "127.0.0.1", "port": 5678}
    assert debugpy["pathMappings"][0]["remoteRoot"] == "/app"
    (xdebug,) = json.loads(app("debug-config", "-p", "blog").out)["configurations"]
    assert xdebug["pathMappings"] == {"/app": "${workspaceFolder}"}
    for editor in ("jetbrains", "neovim"):
        for project, port in (("shop", "9229"), ("api", "5678"), ("blog", "/app")):
            out = app("debug-config", editor, "-p", project).out
            assert port in out
            assert "/app" in out


def test_without_a_debugger_it_says_how_to_start_one(app: App) -> None:
    assert app("debug-config", "--json").error["code"] == "PROJECT_NOT_FOUND"
    app("up")
    run = app("debug-config", "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert run.error["hint"] == "Start it with one: debughost up -p shop --debug"
    assert app("debug-config", "emacs", "--json").error["code"] == "USAGE"


def test_a_one_off_command_is_not_debugged(app: App, engine: FakeEngine) -> None:
    app("up", "--debug")
    app("run", "true")
    *_, spec = (args[1] for name, *args in engine.changes if name == "containers.create")
    assert (spec.role, spec.debug_port, spec.ports) == (Role.RUN, 0, ())
