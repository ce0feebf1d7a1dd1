"""``up``: created, started, recreated, restarted, unchanged, planned."""

from __future__ import annotations

import io
import json
import re
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest
from certificates import KEY, PEM
from fakes import (
    FakeEngine,
    command_not_found,
    crash_loops,
    exits,
    ignores_sigterm,
    install_fails,
    installing,
    listens,
    listens_on,
    loopback_only,
    never_listens,
    refused,
    volume_not_writable,
)
from msgspec.structs import replace

from cli.conftest import App, node_project
from debughost_cli import names
from debughost_cli.container import control_files
from debughost_cli.errors import EngineUnavailable
from debughost_cli.models import ProjectType
from debughost_cli.planning.ports import preferred_port
from debughost_cli.services.lock import project_lock
from debughost_cli.services.owner_process import parse

SHOP_PORT = preferred_port("shop", ProjectType.NODE)


def changes(engine: FakeEngine) -> Any:
    return [name for name, *_ in engine.changes]


# What it makes


def test_a_fresh_project(app: App, engine: FakeEngine, workspace: Path) -> None:
    run = app("up", "--json")
    assert run.code == 0
    assert run.document["changed"] is True
    project = run.project
    assert project["action"] == "created"
    assert (project["state"], project["ready"]) == ("running", True)
    assert project["url"] == f"http://127.0.0.1:{SHOP_PORT}"
    assert project["workspace"] == str(workspace)
    assert project["command"] == ["npm", "run", "dev"]
    assert run.document["next"] == ["debughost logs -p shop"]
    assert project["container"]["id"] == engine.container("shop").id


def test_what_it_makes_is_what_the_contract_says(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    assert app("up").code == 0
    container = engine.container("shop")
    spec = container.spec
    assert re.fullmatch(r"debug-host-shop-\d{8}T\d{9}Z", container.name)
    (network,) = engine.stored_networks.values()
    assert (network.name, network.driver) == ("debug-host-network", "bridge")
    assert (network.subnet, network.gateway) == ("172.28.0.0/16", "172.28.0.1")
    assert set(spec.aliases) == {"shop", "project-shop"}
    expected = {
        "managed",
        "project",
        "type",
        "created",
        "version",
        "workspace",
        "port",
        "config-hash",
    }
    assert {f"debug-host.{w}" for w in expected} <= set(spec.labels)
    assert spec.labels[names.WORKSPACE] == str(workspace)
    assert (
        spec.environment.items()
        >= {
            "PORT": str(SHOP_PORT),
            "PROJECT_ID": "shop",
            "DEBUG_HOST": "true",
        }.items()
    )
    mounts = {m.target: (m.type, m.source, m.read_only) for m in spec.mounts}
    assert mounts["/app"] == ("bind", str(workspace), False)
    assert mounts["/app/node_modules"] == ("volume", "debug-host-shop-node_modules", False)
    assert (spec.limits.cpus, spec.limits.memory_bytes, spec.limits.pids) == (2.0, 2 * 1024**3, 512)
    owner = workspace.stat()
    assert str(spec.user) == f"{owner.st_uid}:{owner.st_gid}"
    volume = engine.stored_volumes["debug-host-shop-node_modules"]
    shared = {"managed", "project", "type", "created", "version"}
    assert {f"debug-host.{w}" for w in shared} <= set(volume.labels)
    assert {"debug-host.managed", "debug-host.created"} <= set(network.labels)


def test_the_mount_point_in_the_workspace_belongs_to_its_owner(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    assert app("up").code == 0
    made = workspace / "node_modules"
    assert made.is_dir()
    assert made.stat().st_uid == workspace.stat().st_uid


def test_the_volume_belongs_to_the_projects_user(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    assert app("up").code == 0
    root = engine.stored_volumes["debug-host-shop-node_modules"].files["/"]
    owner = workspace.stat()
    assert (root.uid, root.gid) == (owner.st_uid, owner.st_gid)


def test_on_an_engine_that_maps_users_the_image_decides(workspace: Path) -> None:
    engine = FakeEngine(maps_users=True)
    engine.add_base_images()
    assert App(engine)("up").code == 0
    assert engine.container("shop").spec.user is None


@pytest.mark.parametrize(
    ("files", "type_", "volume"),
    [
        ({"app.py": "from flask import Flask\napp = Flask(__name__)\n"}, "python", "venv"),
        ({"index.php": "<?php"}, "php", "vendor"),
        ({"index.html": "<html>"}, "static", None),
    ],
)
def test_the_other_types(
    app: App,
    engine: FakeEngine,
    tmp_path: Path,
    files: dict[str, str],
    type_: str,
    volume: str | None,
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    run = app("up", "--json", "-w", str(folder))
    assert run.code == 0
    assert run.project["type"] == type_
    assert run.project["port"] in names.PORT_RANGES[ProjectType(type_)]
    own = {v for v in engine.stored_volumes if v.startswith("debug-host-other-")}
    kinds = {"home", volume, "cache"} if volume else set()
    assert own == {f"debug-host-other-{kind}" for kind in kinds}


def test_flags_make_their_way_into_the_container(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "vars").write_text("A=file\nB=file\n")
    run = app(
        "up", "-p", "other", "--port", "3456", "-e", "B=flag", "--env-file", str(tmp_path / "vars"),
        "--cpus", "0.5", "-m", "512m", "--pids", "99", "--restart", "always", "--json",
        "--", "node", "x.js", "--port", "{port}",
    )  # fmt: skip
    assert run.code == 0
    spec = engine.container("other").spec
    assert spec.command == ("node", "x.js", "--port", "{port}")
    assert spec.port == 3456
    assert (spec.environment["A"], spec.environment["B"]) == ("file", "flag")
    assert (spec.limits.cpus, spec.limits.memory_bytes, spec.limits.pids) == (
        0.5,
        512 * 1024**2,
        99,
    )
    assert str(spec.restart) == "always"


def test_no_secret_of_a_variable_shows_anywhere(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    app("up", "-e", "TOKEN=hunter2")
    shown = [
        app("up", "-e", "TOKEN=swordfish", "--dry-run", "--json"),
        app("up", "-e", "TOKEN=swordfish", "--dry-run"),
        app("up", "-e", "TOKEN=swordfish", "-v"),
        app("status", "--json"),
        app("restart", "-v"),
    ]
    for run in shown:
        assert "hunter2" not in run.out + run.err
        assert "swordfish" not in run.out + run.err
    (container,) = engine.all_of("shop")
    assert "swordfish" not in json.dumps(dict(container.spec.labels))
    assert container.spec.environment["TOKEN"] == "swordfish"


def test_certificates(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text(KEY + PEM)
    monkeypatch.setenv("DEBUGHOST_CA_BUNDLE", str(bundle))
    assert app("up").code == 0
    spec = engine.container("shop").spec
    assert [m.source for m in spec.mounts if m.type == "bind"] == [str(workspace)]
    file = engine.container("shop").files["/.debughost/ca-bundle.pem"]
    assert (file.data.decode(), file.uid, file.mode) == (PEM, 0, 0o444)
    trusted = {"NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE", "CURL_CA_BUNDLE"}
    assert {spec.environment[v] for v in trusted} == {file.path}
    bundle.write_text(PEM * 2)
    (drift,) = app("up", "--dry-run", "--json").project["drift"]
    assert drift["field"] == "ca_bundle"
    assert app("up", "--json").project["action"] == "recreated"


# Run again


def test_run_again_nothing_changes(app: App, engine: FakeEngine) -> None:
    app("up")
    before = len(engine.changes)
    run = app("up", "--json")
    assert (run.code, run.project["action"], run.document["changed"]) == (0, "unchanged", False)
    assert engine.changes[before:] == []


def test_a_stopped_one_is_started(app: App, engine: FakeEngine) -> None:
    app("up")
    app("stop")
    first = engine.container("shop").id
    run = app("up", "--json")
    assert (run.code, run.project["action"]) == (0, "started")
    assert run.project["exit"] is None
    assert engine.container("shop").id == first


def test_a_paused_one_runs_on(app: App, engine: FakeEngine) -> None:
    app("up")
    engine.pause(engine.container("shop").id)
    run = app("up", "--json")
    assert (run.code, run.project["action"], run.project["state"]) == (0, "started", "running")


def test_a_crashed_one_is_started(app: App, engine: FakeEngine) -> None:
    app("up")
    engine.crash(engine.container("shop").id, 3)
    run = app("up", "--json")
    assert (run.code, run.project["action"]) == (0, "started")


def test_a_changed_configuration_recreates_and_keeps_port_and_volumes(
    app: App, engine: FakeEngine
) -> None:
    app("up")
    first, volumes = engine.container("shop").id, set(engine.stored_volumes)
    run = app("up", "--cpus", "1", "--json")
    assert (run.code, run.project["action"]) == (0, "recreated")
    assert run.project["port"] == SHOP_PORT
    assert engine.container("shop").id != first
    assert set(engine.stored_volumes) == volumes


@pytest.mark.parametrize(
    ("argv", "field"),
    [
        (["--port", "3999"], "port"),
        (["--cpus", "1"], "cpus"),
        (["-m", "1g"], "memory_bytes"),
        (["--pids", "64"], "pids"),
        (["--shm-size", "256m"], "shm_bytes"),
        (["-e", "X=1"], "env.X"),
        (["--restart", "always"], "restart"),
        (["--no-deps"], "dependencies"),
        (["--", "node", "x.js"], "command"),
    ],
)
def test_each_change_is_named_in_the_plan(
    app: App, engine: FakeEngine, argv: list[str], field: str
) -> None:
    app("up")
    options, command = (argv, []) if "--" not in argv else ([], argv)
    run = app("up", "--dry-run", "--json", *options, *command)
    assert run.project["action"] == "recreated"
    assert field in {d["field"] for d in run.project["drift"]}


def test_recreate_makes_a_new_one_though_nothing_changed(app: App, engine: FakeEngine) -> None:
    app("up")
    first = engine.container("shop").id
    run = app("up", "--recreate", "--json")
    assert (run.code, run.project["action"]) == (0, "recreated")
    assert engine.container("shop").id != first


def test_a_new_lock_file_restarts(app: App, engine: FakeEngine, workspace: Path) -> None:
    app("up")
    first = engine.container("shop").id
    (workspace / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {}}')
    run = app("up", "--json")
    assert (run.code, run.project["action"]) == (0, "restarted")
    assert engine.container("shop").id == first
    assert app("up", "--json").project["action"] == "unchanged"


def test_without_dependencies_a_new_lock_file_is_nothing(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    app("up", "--no-deps")
    (workspace / "package-lock.json").write_text("{}")
    assert app("up", "--no-deps", "--json").project["action"] == "unchanged"


def test_one_that_its_policy_restarted_long_ago_is_left_alone(app: App, engine: FakeEngine) -> None:
    """A restart in the past is no failure of today."""
    app("up", "--restart", "always")
    engine.container("shop").restart_count = 3
    run = app("up", "--restart", "always", "--json")
    assert (run.code, run.project["action"]) == (0, "unchanged")


def test_a_network_that_was_removed_meanwhile_is_made_again(app: App, engine: FakeEngine) -> None:
    app("up")
    app("stop")
    engine.stored_networks.clear()
    run = app("up", "--json")
    assert (run.code, run.document["error"]) == (0, None)
    assert [n.name for n in engine.stored_networks.values()] == ["debug-host-network"]


def test_a_network_that_was_recreated_meanwhile(app: App, engine: FakeEngine) -> None:
    app("up")
    app("stop")
    engine.stored_networks.clear()
    app("network", "ensure")
    assert app("up", "--json").code == 0


def test_what_a_killed_run_left_behind_is_taken_away(app: App, engine: FakeEngine) -> None:
    app("up")
    running = engine.container("shop")
    leftover = engine.containers.create("debug-host-shop-20200101T000000000Z", running.spec)
    assert app("up", "--json").code == 0
    assert leftover not in engine.stored_containers
    assert running.id in engine.stored_containers


# Plans


@pytest.mark.parametrize(
    ("before", "argv", "action"),
    [
        ([], [], "created"),
        ([["up"]], [], "unchanged"),
        ([["up"], ["stop"]], [], "started"),
        ([["up"]], ["--cpus", "1"], "recreated"),
        ([["up"]], ["--recreate"], "recreated"),
        ([["up"]], ["--pull", "always"], "unchanged"),
    ],
)
def test_a_dry_run_changes_nothing_and_is_what_up_does(
    app: App, engine: FakeEngine, before: list[list[str]], argv: list[str], action: str
) -> None:
    for command in before:
        app(*command)
    made, world = len(engine.changes), engine.snapshot()
    run = app("up", "--dry-run", "--json", *argv)
    assert run.code == 0
    assert engine.changes[made:] == []
    assert engine.snapshot() == world
    assert run.document["changed"] is False
    assert run.project["action"] == action
    assert all(set(s) == {"step", "target", "reason"} for s in run.project["plan"])
    assert app("up", "--json", *argv).project["action"] == action


def test_the_plan_of_a_fresh_project(app: App, engine: FakeEngine, workspace: Path) -> None:
    run = app("up", "--dry-run", "--json")
    assert [s["step"] for s in run.project["plan"]] == [
        "create_network", "create_volume", "create_volume", "create_volume", "create_folder",
        "create_container", "start_container", "wait_ready",
    ]  # fmt: skip
    assert run.project["port"] == SHOP_PORT
    assert run.project["state"] is None
    assert not (workspace / "node_modules").exists()


def test_the_plan_for_people(app: App) -> None:
    run = app("up", "--dry-run")
    assert run.out.startswith("shop would be created\n")
    assert "create container" in run.out


def test_a_dry_run_without_an_image_says_how_it_comes(workspace: Path) -> None:
    engine = FakeEngine()
    run = App(engine)("up", "--dry-run", "--json")
    assert run.project["plan"][0]["step"] == "build_image"
    assert engine.changes == []


# Images


def test_a_missing_base_image_is_built_with_progress_on_stderr(workspace: Path) -> None:
    engine = FakeEngine()
    engine.add_image("node:24-trixie-slim", registry=True)
    for type_ in ProjectType:
        from debughost_cli.services.base_images import default_base

        engine.add_image(default_base(type_), registry=True)
    run = App(engine)("up")
    assert run.code == 0
    assert "Building image" in run.err
    assert changes(engine)[0] == "images.build"


def test_an_image_of_an_older_dockerfile_serves_on_where_none_can_be_built(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    for ref, image in list(engine.stored_images.items()):
        engine.stored_images[ref] = replace(
            image, labels=dict(image.labels) | {names.SOURCES: "older"}
        )
    run = app("up", "--json")
    assert run.code == 0
    assert [w["code"] for w in run.document["warnings"]] == ["IMAGE_OUTDATED"]


def test_an_image_of_ones_own_is_pulled_when_it_is_missing(app: App, engine: FakeEngine) -> None:
    engine.add_image("mine:1", registry=True)
    run = app("up", "--image", "mine:1", "--json")
    assert run.code == 0
    assert "images.pull" in changes(engine)
    assert run.project["container"]["image"] == "mine:1"


def test_pull_never_pulls_and_builds_nothing(app: App, engine: FakeEngine) -> None:
    engine.add_image("mine:1", registry=True)
    run = app("up", "--image", "mine:1", "--pull", "never", "--json")
    assert run.error["code"] == "IMAGE_NOT_FOUND"
    assert "images.pull" not in changes(engine)


def test_pull_always_pulls_what_is_there(app: App, engine: FakeEngine) -> None:
    engine.add_image("mine:1")
    engine.registry["mine:1"] = engine.stored_images["mine:1"]
    assert app("up", "--image", "mine:1", "--pull", "always").code == 0
    assert "images.pull" in changes(engine)


def test_an_images_own_command_is_run(app: App, engine: FakeEngine, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    engine.add_image("mine:1", command=("serve", "--all"))
    run = app("up", "--image", "mine:1", "--type", "static", "-w", str(empty), "--json")
    assert run.code == 0


# Ports


def test_a_port_is_kept_across_rm_and_up(app: App, engine: FakeEngine) -> None:
    app("up", "--port", "3456")
    app("rm")
    assert engine.all_of("shop") == []
    assert app("up", "--json").project["port"] == 3456
    assert names.port_note_name("shop") not in engine.stored_volumes


def test_the_usual_port_needs_no_note(app: App, engine: FakeEngine) -> None:
    app("up")
    app("rm")
    assert names.port_note_name("shop") not in engine.stored_volumes
    assert app("up", "--json").project["port"] == SHOP_PORT


def test_a_port_that_another_project_has_is_passed_over(
    app: App, engine: FakeEngine, tmp_path: Path
) -> None:
    app("up", "-p", "other", "--port", str(SHOP_PORT))
    run = app("up", "--json", "-w", str(node_project(tmp_path / "second")), "-p", "shop")
    assert run.project["port"] == SHOP_PORT + 1


def test_a_requested_port_that_is_held_names_the_holder(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    engine.add_foreign("web", 3000)
    run = app("up", "--port", "3000", "--json")
    assert (run.code, run.error["code"]) == (5, "PORT_IN_USE")
    assert run.error["details"]["holder"] == {"kind": "container", "name": "web"}
    assert run.error["details"]["next_free"] == 3001
    assert run.document["next"] == [f"debughost up -p shop -w {workspace} --port 3001"]
    assert engine.changes == []


def test_a_port_or_the_next_one(app: App, engine: FakeEngine) -> None:
    engine.add_foreign("web", 3000)
    run = app("up", "--port", "3000+", "--json")
    assert (run.code, run.project["port"]) == (0, 3001)
    again = app("up", "--port", "2999+", "--json")
    assert (again.project["action"], again.project["port"]) == ("unchanged", 3001)
    assert app("up", "--port", "3002+", "--json").project["port"] == 3002
    assert app("restart", "--json").project["port"] == 3002


def test_a_port_that_browsers_refuse_is_warned_about(app: App, engine: FakeEngine) -> None:
    run = app("up", "--port", "6000", "--json")
    assert (run.code, run.project["port"]) == (0, 6000)
    assert "PORT_REFUSED_BY_BROWSERS" in [w["code"] for w in run.document["warnings"]]


def test_a_port_that_a_process_of_this_machine_holds(workspace: Path) -> None:
    engine = FakeEngine(endpoint="unix:///run/fake.sock")
    engine.add_base_images()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        probe.listen()
        port = probe.getsockname()[1]
        run = App(engine)("up", "--port", str(port), "--json")
    assert run.error["code"] == "PORT_IN_USE"
    assert run.error["details"]["holder"]["kind"] == "process"
    assert "pid" in run.error["message"]


def test_a_port_taken_at_the_last_moment_is_replaced(app: App, engine: FakeEngine) -> None:
    engine.taken_ports = {SHOP_PORT, SHOP_PORT + 1}
    run = app("up", "--json")
    assert run.code == 0
    assert run.project["port"] == SHOP_PORT + 2
    assert len(engine.all_of("shop")) == 1


def test_a_requested_port_taken_at_the_last_moment_is_an_error(
    app: App, engine: FakeEngine
) -> None:
    app("network", "ensure")
    engine.taken_ports = {3456}
    world = engine.snapshot()
    run = app("up", "--port", "3456", "--json")
    assert (run.code, run.error["code"]) == (5, "PORT_IN_USE")
    assert run.error["details"]["port"] == 3456
    assert engine.snapshot() == world


def test_a_requested_port_replaces_the_present_one(app: App, engine: FakeEngine) -> None:
    app("up")
    run = app("up", "--port", "3999", "--json")
    assert (run.project["action"], run.project["port"]) == ("recreated", 3999)
    assert app("up", "--json").project["port"] == 3999


# It does not become ready


@pytest.mark.parametrize(
    ("program", "code", "exit_code"),
    [
        (exits(1, "Error: boom"), "CRASHED", 7),
        (exits(0, "done"), "CRASHED", 7),
        (exits(137, oom=True), "CRASHED", 7),
        (crash_loops(), "CRASHED", 7),
        (exits(1, late=2), "CRASHED", 7),
        (install_fails(1, "npm ERR!"), "DEPENDENCIES_FAILED", 7),
        (command_not_found(), "START_FAILED", 7),
        (refused(), "START_FAILED", 7),
        (volume_not_writable(), "VOLUME_NOT_WRITABLE", 9),
        (never_listens(output=("hello",)), "NOT_READY", 6),
        (loopback_only(), "NOT_READY", 6),
        (installing(), "NOT_READY", 6),
    ],
)
def test_every_way_not_to_become_ready_has_its_code(
    app: App, engine: FakeEngine, program: Any, code: str, exit_code: int
) -> None:
    engine.program = program
    run = app("up", "--json", "--wait-timeout", "0.2", "--install-timeout", "0.2")
    assert (run.code, run.error["code"]) == (exit_code, code)
    assert run.project["action"] == "failed"
    assert run.project["error"]["code"] == code
    assert run.error["hint"]
    assert run.error["retryable"] is False
    stays = app("status", "-p", "shop").code == 0
    assert run.document["changed"] is stays


def test_the_port_that_a_program_chose_itself_is_published(app: App, engine: FakeEngine) -> None:
    engine.program = listens_on(3000)
    run = app("up", "--json")
    assert (run.code, run.project["action"], run.project["ready"]) == (0, "created", True)
    (port,) = run.project["ports"]
    assert (port["container_port"], port["host_port"]) == (3000, run.project["port"])
    assert run.project["port"] != 3000
    assert len(engine.containers.list()) == 1
    environment = engine.containers.inspect(run.project["container"]["id"]).environment
    assert environment["PORT"] == "3000"
    # It is remembered, by every command.
    again = app("up", "--json")
    assert (again.project["action"], again.project["ports"]) == ("unchanged", [port])
    assert app("status", "--json").project["drift"] == []
    assert app("restart", "--json").project["ports"] == [port]


def test_a_port_that_was_adopted_ends_with_its_program(app: App, engine: FakeEngine) -> None:
    engine.program = listens_on(3000)
    app("up")
    engine.program = listens()
    run = app("up", "--json", "--", "node", "other.js")
    assert run.project["ports"][0]["container_port"] == run.project["port"]


@pytest.mark.parametrize("ports", [(3000,), (8080, 3000)])
def test_a_port_that_the_user_set_is_not_replaced(
    app: App, engine: FakeEngine, ports: tuple[int, ...]
) -> None:
    engine.program = listens_on(*ports)
    run = app("up", "--json", "--port", "4321")
    assert (run.code, run.error["code"]) == (6, "NOT_READY")
    assert "not on port 4321" in run.error["message"]
    assert "--port 3000" in run.error["hint"]
    assert run.error["details"]["listening"] == sorted(ports)
    assert run.document["duration_ms"] < 10_000, "the wait ends before its time"


def test_of_several_ports_none_is_guessed(app: App, engine: FakeEngine) -> None:
    engine.program = listens_on(3000, 8080)
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (6, "NOT_READY")
    assert "ports 3000 and 8080" in run.error["message"]


def test_a_failure_that_left_all_as_it_was_changed_nothing(app: App, engine: FakeEngine) -> None:
    engine.program = never_listens()
    app("up", "--no-wait")
    again = app("up", "--json", "--wait-timeout", "0.05")
    assert (again.code, again.document["changed"]) == (6, False)


def test_the_last_words_are_in_the_error(app: App, engine: FakeEngine) -> None:
    engine.program = exits(1, *[f"line {n}" for n in range(30)])
    run = app("up", "--json")
    tail = run.error["details"]["log_tail"]
    assert tail == [f"line {n}" for n in range(10, 30)]
    assert run.project["exit"]["log_tail"] == tail
    assert run.project["exit"]["code"] == 1
    again = f"debughost up -p shop -w {run.project['workspace']}"
    assert run.document["next"] == ["debughost logs -p shop", again]
    assert "line 29" in app("up").err


def test_a_crash_before_it_was_ready_is_kept_for_its_logs(app: App, engine: FakeEngine) -> None:
    engine.program = exits(1, "boom")
    app("up")
    assert engine.container("shop").status == "exited"
    assert app("status", "--json").project["state"] == "crashed"


def test_what_does_not_listen_in_time_goes_on_running(app: App, engine: FakeEngine) -> None:
    engine.program = never_listens()
    run = app("up", "--json", "--wait-timeout", "0.05")
    assert "goes on running" in run.error["message"]
    assert engine.container("shop").status == "running"


def test_what_listens_for_itself_alone_gets_a_hint(app: App, engine: FakeEngine) -> None:
    engine.program = loopback_only()
    run = app("up", "--json", "--wait-timeout", "0.05")
    assert "0.0.0.0" in run.error["hint"]


def test_it_is_waited_for(app: App, engine: FakeEngine) -> None:
    engine.program = listens(late=3)
    assert app("up", "--json").project["ready"] is True


def test_without_waiting_it_is_reported_as_it_is(app: App, engine: FakeEngine) -> None:
    engine.program = never_listens()
    run = app("up", "--no-wait", "--json")
    assert (run.code, run.project["ready"]) == (0, False)
    assert "not ready yet" in app("up", "--no-wait").out


def test_a_recreation_that_fails_puts_the_old_one_back(app: App, engine: FakeEngine) -> None:
    app("up")
    first = engine.container("shop")
    engine.program = exits(1, "boom")
    run = app("up", "--cpus", "1", "--json")
    assert (run.code, run.error["code"]) == (7, "CRASHED")
    assert "started again" in run.error["hint"]
    assert run.document["changed"] is False
    assert engine.container("shop").id == first.id


# Bad input changes nothing


@pytest.mark.parametrize(
    ("argv", "code", "exit_code"),
    [
        (["--port", "80"], "INVALID_PORT", 2),
        (["--port", "2650"], "INVALID_PORT", 2),
        (["--port", "x"], "INVALID_PORT", 2),
        (["--type", "ruby"], "TYPE_UNKNOWN", 2),
        (["-p", "Bad Name"], "INVALID_PROJECT", 2),
        (["-w", "/etc"], "INVALID_WORKSPACE", 2),
        (["-w", "/nonexistent"], "INVALID_WORKSPACE", 2),
        (["--cpus", "many"], "USAGE", 2),
        (["--memory", "1k"], "USAGE", 2),
        (["--pids", "0"], "USAGE", 2),
        (["--restart", "maybe"], "USAGE", 2),
        (["--wait-timeout", "0"], "USAGE", 2),
        (["--wait-timeout", "-1"], "USAGE", 2),
        (["-e", "=x"], "USAGE", 2),
        (["--env-file", "/nonexistent"], "USAGE", 2),
        (["--pull", "sometimes"], "USAGE", 2),
        (["--image", ""], "USAGE", 2),
        (["--bogus"], "USAGE", 2),
    ],
)
def test_bad_input_is_refused_before_anything_happens(
    app: App, engine: FakeEngine, argv: list[str], code: str, exit_code: int
) -> None:
    run = app("up", "--json", *argv)
    assert (run.code, run.error["code"]) == (exit_code, code)
    assert run.error["message"]
    assert run.error["hint"]
    assert engine.changes == []


def test_a_folder_that_is_no_project(app: App, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run = app("up", "--json", "-w", str(tmp_path / "empty"))
    assert (run.code, run.error["code"]) == (2, "TYPE_UNKNOWN")
    assert "--type" in run.error["hint"]
    assert engine.changes == []


def test_a_broken_configuration(app: App, engine: FakeEngine, workspace: Path) -> None:
    (workspace / "debughost.toml").write_text("prot = 3000\n")
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert "'port'" in run.error["hint"]
    assert engine.changes == []


# Somebody else's


def test_an_id_that_belongs_to_another_workspace(
    app: App, engine: FakeEngine, tmp_path: Path
) -> None:
    app("up")
    before = len(engine.changes)
    other = node_project(tmp_path / "other")
    run = app("up", "-p", "shop", "-w", str(other), "--json")
    assert (run.code, run.error["code"]) == (5, "WORKSPACE_CONFLICT")
    assert run.error["details"]["wanted"] == str(other)
    assert engine.changes[before:] == []


def test_an_id_whose_workspace_is_gone_may_move(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app("up")
    other = node_project(tmp_path / "other")
    monkeypatch.chdir(tmp_path)
    workspace.rename(tmp_path / "moved")
    run = app("up", "-p", "shop", "-w", str(other), "--json")
    assert (run.code, run.project["action"]) == (0, "recreated")


def test_a_volume_of_another_user_is_never_used(app: App, engine: FakeEngine) -> None:
    engine.add_volume("debug-host-shop-node_modules", {})
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (5, "NAME_CONFLICT")
    assert engine.changes == []


@pytest.mark.parametrize("argv", [[], ["--recreate"]])
def test_a_project_that_ends_for_a_full_disk_says_what_uses_it(
    app: App, engine: FakeEngine, argv: list[str]
) -> None:
    if argv:
        app("up")
    engine.program = exits(1, "write error: No space left on device", flags=("full-disk",))
    run = app("up", *argv, "--json")
    assert (run.code, run.error["code"]) == (9, "DISK_FULL")
    assert run.error["details"]["room"]["images_bytes"] > 0


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_volume_whose_labels_a_killed_engine_lost_is_created_again(
    app: App, engine: FakeEngine, is_killed: bool
) -> None:
    """Without an outage in between, it is another user's."""
    name = "debug-host-shop-node_modules"

    def meanwhile() -> None:
        engine.add_volume(name, {})
        if is_killed:
            with suppress(EngineUnavailable), engine.counting_failures():
                raise EngineUnavailable("the engine was killed")

    engine.before("volumes.create", meanwhile)
    run = app("up", "--json")
    assert run.code == (0 if is_killed else 5)
    labels = engine.stored_volumes[name].labels
    assert (labels.get(names.PROJECT) == "shop") is is_killed


@pytest.mark.parametrize(
    "facts", [{"driver": "macvlan"}, {"subnet": "10.1.0.0/16"}, {"gateway": "172.28.9.9"}]
)
def test_a_network_of_another_user_is_never_used(
    app: App, engine: FakeEngine, facts: dict[str, str]
) -> None:
    subnet = facts.pop("subnet", "172.28.0.0/16")
    engine.add_network("debug-host-network", subnet, **facts)
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (5, "NETWORK_CONFLICT")
    assert engine.changes == []


def test_a_network_of_another_user_that_is_just_as_required_is_used(
    app: App, engine: FakeEngine
) -> None:
    engine.add_network("debug-host-network", "172.28.0.0/16")
    assert app("up").code == 0
    assert len(engine.stored_networks) == 1


def test_a_network_of_ours_with_another_subnet_is_used(app: App, engine: FakeEngine) -> None:
    app("network", "ensure", "--subnet", "10.77.0.0/16")
    assert app("up").code == 0


def test_an_overlap_names_the_culprit_and_a_way_out(app: App, engine: FakeEngine) -> None:
    engine.add_network("vpn", "172.28.5.7/24")
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (5, "NETWORK_CONFLICT")
    assert [n["name"] for n in run.error["details"]["overlaps"]] == ["vpn"]
    free = run.error["details"]["free_subnet"]
    assert app("network", "ensure", "--subnet", free).code == 0
    assert app("up").code == 0


def test_an_overlap_with_a_route_of_the_host(
    app: App, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("debughost_cli.services.network.SETTLE_SECONDS", 0.05)
    engine.routes = {"172.28.0.0/16"}
    run = app("up", "--json")
    assert run.error["code"] == "NETWORK_CONFLICT"
    assert run.error["details"]["free_subnet"] != "172.28.0.0/16"


def test_a_network_that_another_machine_made_at_the_same_moment(
    app: App, engine: FakeEngine
) -> None:
    engine.before(
        "networks.create",
        lambda: engine.add_network(
            "debug-host-network", "172.28.0.0/16", labels={names.MANAGED: "true"}
        ),
    )
    assert app("up").code == 0
    assert len(engine.stored_networks) == 1


def test_a_container_that_another_machine_made_at_the_same_moment_is_used(
    app: App, engine: FakeEngine
) -> None:
    """Two machines share no lock: the oldest of both stays, the other goes."""
    app("up")
    spec = engine.container("shop").spec
    app("rm")

    def other_machine() -> None:
        ref = engine.containers.create("debug-host-shop-20200101T000000000Z", spec)
        engine.stored_containers[ref].created_at = engine.stored_containers[ref].created_at.replace(
            year=2020
        )
        engine.containers.put_files(ref, control_files(spec, None, 0, 0))
        engine.containers.start(ref)

    engine.before("containers.create", other_machine)
    run = app("up", "--json")
    assert run.code == 0
    assert engine.container("shop").name == "debug-host-shop-20200101T000000000Z"


def test_a_container_that_another_machine_started_meanwhile_is_used_though_younger(
    app: App, engine: FakeEngine
) -> None:
    """The engine lists a container some time after it set its time of creation."""
    app("up")
    spec = engine.container("shop").spec
    app("rm")
    other: list[str] = []

    def other_machine() -> None:
        other.append(engine.containers.create("debug-host-shop-20990101T000000000Z", spec))
        engine.containers.put_files(other[0], control_files(spec, None, 0, 0))
        engine.containers.start(other[0])

    engine.before("containers.put_files", other_machine)
    before = len(engine.changes)
    assert app("up", "--json").project["action"] == "unchanged"
    assert engine.container("shop").id == other[0]
    started = [c for c in engine.changes[before:] if c[0] == "containers.start"]
    assert len(started) == 1, "ours was removed before it was started"


def test_a_container_whose_owner_started_it_and_ended_meanwhile_is_no_leftover(
    app: App, engine: FakeEngine
) -> None:
    app("up")
    spec = engine.container("shop").spec
    app("rm")
    owner = parse(spec.labels[names.OWNER])
    assert owner
    ended = {**spec.labels, names.OWNER: str(replace(owner, pid=2**22 + 1))}
    spec = replace(spec, labels=ended)
    ref = engine.containers.create("debug-host-shop-20200101T000000000Z", spec)
    engine.containers.put_files(ref, control_files(spec, None, 0, 0))
    engine.before("containers.inspect", lambda: engine.containers.start(ref))
    run = app("up", "--json")
    assert run.project["action"] == "unchanged"
    assert engine.container("shop").id == ref


# Where it looks


def test_up_of_a_known_project_from_anywhere(
    app: App, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app("up")
    app("stop")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run = app("up", "-p", "shop", "--json")
    assert (run.code, run.project["action"]) == (0, "started")


def test_the_workspace_may_come_from_a_variable(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("DEBUGHOST_WORKSPACE", str(workspace))
    assert app("up", "--json").project["workspace"] == str(workspace)


def test_the_current_folder_may_be_gone(
    app: App, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    monkeypatch.chdir(tmp_path)


def test_stubborn_programs_are_replaced_as_well(app: App, engine: FakeEngine) -> None:
    engine.program = ignores_sigterm()
    app("up")
    assert app("up", "--recreate", "--json").project["action"] == "recreated"
    assert len(engine.all_of("shop")) == 1


class Waiting(io.StringIO):
    """A stderr that does something as soon as the program says that it waits."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self._then = then

    def write(self, text: str) -> int:
        if "Waiting for another command" in text:
            self._then()
        return super().write(text)


@pytest.mark.parametrize(
    "words", [("up",), ("up", "--no-wait"), ("stop",), ("restart",)], ids=" ".join
)
def test_the_second_command_on_a_project_waits_for_the_first(
    app: App, engine: FakeEngine, words: tuple[str, ...]
) -> None:
    """Also an ``up`` that has nothing to do."""
    assert app("up").code == 0
    # A context of its own: in this one, what is locked may be locked again.
    other, lock = Context(), project_lock(engine.identity(), "shop", on_wait=print)
    with ExitStack() as first:
        other.run(lock.__enter__)
        first.callback(other.run, lock.__exit__, None, None, None)
        run = app(*words, stderr=Waiting(first.close))
    assert run.code == 0
    assert "Waiting for another command on shop" in run.err
