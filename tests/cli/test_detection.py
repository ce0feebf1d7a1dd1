"""What the program says where detection gives no command, or nothing at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeEngine, exits, listens, never_listens

from cli.conftest import App
from debughost_cli.models import ProjectType


@pytest.fixture
def empty(workspace: Path) -> Path:
    """The workspace without a file that tells what it is."""
    for file in [path for path in workspace.rglob("*") if path.is_file()]:
        file.unlink()
    return workspace


def shown(app: App) -> dict[str, object]:
    settings = app("config", "show", "--json").document["data"]["settings"]
    return {setting["name"]: setting["value"] for setting in settings}


@pytest.mark.parametrize("type_", list(ProjectType))
def test_init_with_a_type_where_nothing_is_found(app: App, empty: Path, type_: ProjectType) -> None:
    assert app("init", "--json").error["code"] == "TYPE_UNKNOWN"
    written = app("init", "--type", type_.value, "--json")
    assert written.code == 0
    assert f'type = "{type_}"' in (empty / "debughost.toml").read_text()
    assert app("config", "validate", "--json").code == 0
    assert shown(app)["type"] == type_


def test_init_with_a_type_that_does_not_exist(app: App, empty: Path) -> None:
    assert app("init", "--type", "ruby", "--json").error["code"] == "TYPE_UNKNOWN"
    assert not (empty / "debughost.toml").exists()


def test_the_configuration_where_nothing_is_found(app: App, empty: Path) -> None:
    assert app("config", "validate", "--json").document["data"]["valid"] is True
    assert shown(app).keys() >= {"project", "memory"}
    assert not shown(app).keys() & {"type", "command", "framework"}
    (empty / "debughost.toml").write_text('memory = "1g"\n')
    assert shown(app)["memory"] == 1024**3
    assert app("up", "--json").error["code"] == "TYPE_UNKNOWN"


def test_up_names_the_parts_of_a_workspace(app: App, empty: Path) -> None:
    for part in ("client", "server"):
        (empty / part).mkdir()
        (empty / part / "package.json").write_text('{"scripts": {"dev": "node ."}}')
    error = app("up", "--json").error
    assert error["code"] == "TYPE_UNKNOWN"
    assert [part["folder"] for part in error["details"]["parts"]] == ["client", "server"]
    assert error["details"]["parts"][0]["command"] == ["npm", "run", "dev"]
    assert f"debughost up -w {empty / 'server'}" in error["hint"]


BOTS = (
    ({"package.json": '{"dependencies": {"discord.js": "*"}}', "index.js": ""}, ""),
    ({"requirements.txt": "aiogram\n", "bot.py": ""}, ""),
    ({"Procfile": "worker: python jobs.py", "requirements.txt": "rq\n"}, ""),
    ({"requirements.txt": "flask\n", "app.py": ""}, "port = false\n"),
)


@pytest.mark.parametrize(("files", "settings"), BOTS)
def test_a_program_without_a_port(
    app: App, engine: FakeEngine, empty: Path, files: dict[str, str], settings: str
) -> None:
    for name, text in files.items():
        (empty / name).write_text(text)
    (empty / "debughost.toml").write_text(settings)
    engine.program = never_listens()
    up = app("up", "--json")
    assert up.code == 0
    project = up.document["data"]["projects"][0]
    assert (project["port"], project["url"], project["ports"]) == (None, None, [])
    assert project["ready"] is True
    assert "PORT" not in engine.container("shop").spec.environment
    assert app("up", "--json").document["data"]["projects"][0]["action"] == "unchanged"


def test_a_program_gets_a_port_when_it_needs_one(app: App, empty: Path) -> None:
    (empty / "bot.py").write_text("")
    (empty / "requirements.txt").write_text("slack-bolt\n")
    assert app("up", "--json").document["data"]["projects"][0]["port"] is None
    given = app("up", "--port", "3210", "--json").document["data"]["projects"][0]
    assert (given["action"], given["port"]) == ("recreated", 3210)
    none = app("up", "--port", "none", "--json").document["data"]["projects"][0]
    assert (none["action"], none["port"]) == ("recreated", None)


def test_a_program_beside_the_one_at_the_root_is_named_once(app: App, workspace: Path) -> None:
    (workspace / "frontend").mkdir()
    (workspace / "frontend" / "package.json").write_text('{"scripts": {"dev": "vite"}}')
    warnings = app("up", "--json").document["warnings"]
    (named,) = [w["message"] for w in warnings if w["code"] == "PARTS_NOT_STARTED"]
    assert named.endswith(f"debughost up -w {workspace / 'frontend'} -p shop-frontend")
    assert not [w for w in app("up", "--json").document["warnings"] if w["code"].startswith("PART")]


def test_a_program_of_the_users_own_says_nothing_of_parts(app: App, workspace: Path) -> None:
    (workspace / "frontend").mkdir()
    (workspace / "frontend" / "package.json").write_text('{"scripts": {"dev": "vite"}}')
    assert "PARTS_NOT_STARTED" not in app("up", "--json", "--", "node", "x.js").out


@pytest.mark.parametrize(
    ("package", "script", "opened"),
    [
        ("next", '"dev": "next dev"', True),
        ("next", '"dev": "next dev -p 3", "start": "next start"', True),
        ("next", '"start": "next start"', False),
        ("vite", '"dev": "vite"', False),
    ],
)
def test_the_name_by_which_a_page_is_opened(
    app: App, empty: Path, package: str, script: str, opened: bool
) -> None:
    """Next.js refuses 127.0.0.1, by which all others are found."""
    manifest = f'{{"dependencies": {{"{package}": "*"}}, "scripts": {{{script}}}}}'
    (empty / "package.json").write_text(manifest)
    up = app("up", "--no-wait", "--json")
    port = up.project["port"]
    said = [w["message"] for w in up.document["warnings"] if w["code"] == "LOCALHOST_ALONE"]
    assert [f"http://localhost:{port}" in text for text in said] == [True] * opened
    assert app("up", "--no-wait", "--json").document["warnings"] == [], "it is known by then"


def test_a_new_wordpress_is_warned_of_its_database_once(app: App, empty: Path) -> None:
    (empty / "wp-load.php").write_text("<?php")
    said = [
        w for w in app("up", "--no-wait", "--json").document["warnings"] if "MISSING" in w["code"]
    ]
    assert ["--network debug-host-network" in warning["message"] for warning in said] == [True]
    assert app("up", "--no-wait", "--json").document["warnings"] == []


TAKEN = "[api] Error: listen EADDRINUSE: address already in use :::3725"


@pytest.mark.parametrize(
    ("script", "words", "warned"),
    [
        ("concurrently -n web,api 'next dev' 'node api.js'", [], True),
        ("run-p dev:*", [], True),
        ("npm-run-all --parallel web api", [], True),
        ("turbo run dev", [], True),
        ("node server.js", ["npx", "concurrently", "a", "b"], True),
        ("node server.js", [], False),
    ],
)
def test_a_ready_project_of_which_one_program_found_its_port_taken(
    app: App, engine: FakeEngine, workspace: Path, script: str, words: list[str], warned: bool
) -> None:
    package = {"scripts": {"dev": script}, "dependencies": {"express": "*"}}
    (workspace / "package.json").write_text(json.dumps(package))
    engine.program = listens(output=("[web] ready", TAKEN))
    run = app("up", "--json", *(["--", *words] if words else []))
    assert run.code == 0
    found = [w["message"] for w in run.document["warnings"] if w["code"] == "PORT_SHARED"]
    assert [m.startswith("The program 'api' could not listen on port 3725") for m in found] == (
        [True] if warned else []
    )
    assert "PORT_SHARED" not in app("up", "--json").out


def test_a_project_that_ended_because_its_port_was_taken(app: App, engine: FakeEngine) -> None:
    engine.program = exits(1, TAKEN, "--> Sending SIGTERM to other processes..")
    hint = app("up", "--json").error["hint"]
    assert "'api' could not listen on port 3725" in hint
    assert "--publish 3726" in hint
