"""``run``: a command in a container of its own, whatever state the project is in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, exits, install_fails, never_listens
from fakes.programs import installing
from msgspec.structs import replace

from cli.conftest import App, node_project
from debughost_cli import DebugHost
from debughost_cli.engine.port import ExecResult
from debughost_cli.planning.known_services import known_service
from debughost_cli.resources import ContainerStatus
from debughost_cli.services.one_off import IDLE

TEST = ("npm", "test")


@pytest.fixture(autouse=True)
def command(engine: FakeEngine) -> None:
    engine.execs[TEST] = ExecResult(3, b"3 failed\n", b"a warning\n")


def roles(engine: FakeEngine) -> list[str]:
    return [c.labels["debug-host.role"] for c in engine.stored_containers.values()]


@pytest.mark.parametrize("before", [(), ("up",), ("up", "stop"), ("up", "rm")], ids=" ".join)
def test_it_works_whatever_the_project_does(
    app: App, engine: FakeEngine, before: tuple[str, ...]
) -> None:
    for word in before:
        assert app(word).code == 0
    left = len(engine.stored_containers)
    run = app("run", *TEST)
    assert (run.code, run.out) == (3, "3 failed\n")
    assert "a warning" in run.err
    assert len(engine.stored_containers) == left


def test_it_works_when_the_project_crashed(app: App, engine: FakeEngine) -> None:
    engine.programs["shop"] = exits(1)
    assert app("up").code == 7
    assert app("run", *TEST).code == 3
    assert app("status", "--json").project["state"] == "crashed"


def test_the_document_is_that_of_exec(app: App) -> None:
    document = app("run", "--json", *TEST).document
    assert document["command"] == "run"
    assert document["data"] == {
        "exit_code": 3, "stdout": "3 failed\n", "stderr": "a warning\n", "truncated": False,
        "stdout_bytes": 9, "stderr_bytes": 10,
    }  # fmt: skip


@pytest.mark.parametrize(("word", "code"), [("nothing-of-the-kind", 127), ("true", 0)])
def test_it_ends_as_the_command_does(app: App, word: str, code: int) -> None:
    assert app("run", word).code == code


def test_without_a_command_and_a_terminal(app: App, engine: FakeEngine) -> None:
    for options in ((), ("--json",)):
        run = app("run", *options)
        assert run.code == 2
    assert engine.stored_containers == {}


def created(engine: FakeEngine) -> dict[str, Any]:
    """What the one-off container was created from."""
    specs = [call[2] for call in engine.changes if call[0] == "containers.create"]
    (found,) = [s for s in specs if s.labels["debug-host.role"] == "run"]
    return {name: getattr(found, name) for name in found.__struct_fields__}


def test_it_is_like_the_projects_own_container(app: App, engine: FakeEngine) -> None:
    assert app("up", "-e", "TOKEN=1", "--memory", "1g", "--port", "3456").code == 0
    (main,) = engine.stored_containers.values()
    assert app("run", *TEST).code == 3
    spec = created(engine)
    for name in ("image", "mounts", "user", "network", "limits", "workspace"):
        assert spec[name] == getattr(main.spec, name), name
    assert spec["environment"] == dict(main.spec.environment)
    assert (spec["ports"], spec["aliases"], spec["command"]) == ((), (), IDLE)
    assert spec["restart"].mode == "no"


@pytest.mark.parametrize("port", ["3100", "auto", "none"])
def test_a_port_that_is_taken_does_not_matter(app: App, engine: FakeEngine, port: str) -> None:
    engine.taken_ports |= set(range(3000, 4000))
    Path("debughost.toml").write_text(f"port = {'false' if port == 'none' else json.dumps(port)}")
    assert app("run", *TEST).code == 3


def test_it_is_found_from_a_folder_inside(
    app: App, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "src").mkdir()
    monkeypatch.chdir(workspace / "src")
    assert app("run", *TEST).code == 3
    assert app("up").code == 0
    assert app("run", *TEST).code == 3


def test_a_named_project_is_run_in_its_own_workspace(
    app: App, engine: FakeEngine, tmp_path: Path
) -> None:
    web = node_project(tmp_path / "web")
    assert app("up", "-w", str(web)).code == 0
    assert app("run", "-p", "web", *TEST).code == 3
    assert created(engine)["workspace"] == str(web)


def test_an_install_that_fails_is_explained(app: App, engine: FakeEngine) -> None:
    engine.commands[IDLE] = install_fails(1, "npm ERR! no such package")
    run = app("run", "--json", *TEST)
    assert (run.code, run.error["code"]) == (7, "DEPENDENCIES_FAILED")
    assert run.error["details"]["log_tail"] == ["npm ERR! no such package"]
    assert "logs" not in run.error["hint"]
    assert engine.stored_containers == {}
    assert engine.stored_volumes == {}


def test_an_install_has_a_time_limit(app: App, engine: FakeEngine) -> None:
    engine.commands[IDLE] = installing()
    Path("debughost.toml").write_text("install_timeout = 0.2")
    run = app("run", "--json", *TEST)
    assert (run.code, run.error["code"]) == (6, "NOT_READY")
    assert engine.stored_containers == {}


def test_nothing_is_left_in_the_workspace(app: App, workspace: Path) -> None:
    assert app("run", *TEST).code == 3
    assert not (workspace / "node_modules").exists()
    assert app("up").code == 0
    assert app("run", *TEST).code == 3
    assert (workspace / "node_modules").exists()


# What a killed command leaves


def leave(engine: FakeEngine) -> None:
    """A one-off container whose process is gone."""
    with DebugHost(engine=engine).one_off():
        (left,) = [c for c in engine.stored_containers.values() if c.spec.role == "run"]
    host = left.labels["debug-host.host"]
    labels = {**left.spec.labels, "debug-host.owner": f"{host}:4194305:1.00"}
    left.spec = replace(left.spec, labels=labels)
    engine.stored_containers[left.id] = left


@pytest.mark.parametrize("command_", [("up",), ("run", "true"), ("rm",), ("rm", "--if-exists")])
@pytest.mark.parametrize("is_up", [True, False])
def test_the_next_command_removes_what_a_killed_one_left(
    app: App, engine: FakeEngine, command_: tuple[str, ...], is_up: bool
) -> None:
    if is_up:
        assert app("up").code == 0
    leave(engine)
    assert "run" in roles(engine)
    app(*command_)
    assert "run" not in roles(engine)


@pytest.mark.parametrize("word", ["up", "status", "stop", "restart", "rm", "logs"])
def test_one_that_runs_is_no_part_of_the_project(app: App, engine: FakeEngine, word: str) -> None:
    assert app("up").code == 0
    with DebugHost(engine=engine).one_off():
        run = app(word, "--json")
        assert run.code == 0
        if word != "logs":
            assert run.project["services"] == []
        assert "run" in roles(engine)
    assert "run" not in roles(engine)


def test_an_unknown_project_runs_nowhere(app: App, engine: FakeEngine) -> None:
    engine.program = never_listens()
    run = app("run", "-p", "No Id", "--json", "true")
    assert run.error["code"] == "INVALID_PROJECT"
    assert all(c.status is not ContainerStatus.RUNNING for c in engine.stored_containers.values())


def test_the_services_of_the_project_are_there(app: App, engine: FakeEngine) -> None:
    engine.add_image("redis:8", registry=True, volumes=("/data",))
    engine.execs[("/bin/sh", "-c", known_service("redis").ready)] = ExecResult(0, b"", b"")
    Path("debughost.toml").write_text(
        'services = ["redis:8"]\nport = 3100\nports = {mail = 3101}\n'
    )
    engine.taken_ports |= {3100, 3101}
    assert app("run", *TEST).code == 3
    assert created(engine)["environment"]["REDIS_URL"] == "redis://redis:6379/0"
    assert roles(engine) == ["service"]
    assert app("run", *TEST).code == 3
    assert roles(engine) == ["service"]
    assert app("rm", "--if-exists").code == 0
    assert roles(engine) == []
