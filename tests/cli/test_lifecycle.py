"""``stop``, ``restart``, ``rm``: one project, several, all, none."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, crash_loops, exits, ignores_sigterm, never_listens
from msgspec.structs import replace

from cli.conftest import App, Terminal, node_project
from debughost_cli import names
from debughost_cli.engine.port import ExecResult
from debughost_cli.errors import EngineError, EngineTimeout


@pytest.fixture
def second(app: App, workspace: Path, tmp_path: Path) -> Any:
    """Another project, that runs as the first does."""
    folder = node_project(tmp_path / "api")
    assert app("up", "-w", str(folder)).code == 0
    return folder


@pytest.fixture
def up(app: App, workspace: Path) -> None:
    assert app("up").code == 0


# stop


@pytest.mark.usefixtures("up")
def test_stop(app: App, engine: FakeEngine) -> None:
    run = app("stop", "--json")
    project = run.project
    assert (run.code, project["action"], project["state"]) == (0, "stopped", "stopped")
    assert (
        project["exit"].items()
        >= {
            "code": 143,
            "signal": "SIGTERM",
            "reason": "stopped",
            "expected": True,
        }.items()
    )
    assert run.document["changed"] is True
    assert engine.container("shop").status == "exited"


@pytest.mark.usefixtures("up")
def test_stop_says_that_it_took_sigkill(app: App, engine: FakeEngine) -> None:
    engine.container("shop").program = ignores_sigterm()
    run = app("stop", "-t", "1", "--json")
    assert (
        run.project["exit"].items()
        >= {"code": 137, "signal": "SIGKILL", "reason": "stopped"}.items()
    )
    assert run.project["exit"]["expected"] is True


@pytest.mark.usefixtures("up")
def test_a_program_that_ends_well_on_sigterm_is_stopped_too(app: App, engine: FakeEngine) -> None:
    engine.container("shop").program = type(engine.program)(sigterm_code=0)
    project = app("stop", "--json").project
    assert (project["state"], project["exit"]["reason"], project["exit"]["code"]) == (
        "stopped",
        "stopped",
        0,
    )


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize(("text", "stop_timeout"), [("3", 3), ("0.5", 1), ("1.2", 2), ("0", 0)])
def test_the_stop_timeout_is_passed_on(
    app: App, engine: FakeEngine, text: str, stop_timeout: int
) -> None:
    app("stop", "-t", text)
    assert [c[2] for c in engine.changes if c[0] == "containers.stop"] == [stop_timeout]


@pytest.mark.usefixtures("up")
def test_stopped_already(app: App, engine: FakeEngine) -> None:
    app("stop")
    before = len(engine.changes)
    run = app("stop", "--json")
    assert (run.code, run.project["action"], run.document["changed"]) == (0, "unchanged", False)
    assert engine.changes[before:] == []
    assert app("stop").out == "shop is stopped already\n"


@pytest.mark.usefixtures("up")
def test_a_paused_one_can_be_stopped_gracefully(app: App, engine: FakeEngine) -> None:
    engine.pause(engine.container("shop").id)
    assert app("stop", "--json").project["exit"]["signal"] == "SIGTERM"


def test_one_that_is_restarted_again_and_again_can_be_stopped(app: App, engine: FakeEngine) -> None:
    engine.program = crash_loops()
    app("up", "--restart", "always", "--no-wait")
    assert engine.container("shop").status == "restarting"
    run = app("stop", "--json")
    assert (run.code, run.project["state"]) == (0, "stopped")


@pytest.mark.usefixtures("up")
def test_a_stop_by_docker_itself_is_no_crash(app: App, engine: FakeEngine) -> None:
    engine.containers.stop(engine.container("shop").id, 10)
    assert app("status", "--json").project["state"] == "stopped"


# restart


@pytest.mark.usefixtures("up")
def test_restart(app: App, engine: FakeEngine) -> None:
    first = engine.container("shop").id
    run = app("restart", "--json")
    assert (run.code, run.project["action"], run.project["state"]) == (0, "restarted", "running")
    assert run.project["ready"] is True
    assert engine.container("shop").id == first


@pytest.mark.usefixtures("up")
def test_restart_starts_what_is_stopped(app: App, engine: FakeEngine) -> None:
    app("stop")
    run = app("restart", "--json")
    assert (run.code, run.project["action"], run.project["state"]) == (0, "restarted", "running")


@pytest.mark.usefixtures("up")
def test_restart_uses_todays_configuration(app: App, engine: FakeEngine, workspace: Path) -> None:
    (workspace / "debughost.toml").write_text("cpus = 1\n")
    run = app("restart", "--json")
    assert (run.code, run.project["action"]) == (0, "recreated")
    assert engine.container("shop").spec.limits.cpus == 1.0


def test_restart_keeps_what_the_command_line_gave(
    app: App, engine: FakeEngine, tmp_path: Path
) -> None:
    (tmp_path / "vars").write_text("B=2\n")
    app(
        "up", "--cpus", "0.5", "--port", "3456", "-e", "A=1", "--env-file", str(tmp_path / "vars"),
        "--no-deps", "--", "node", "x.js",
    )  # fmt: skip
    run = app("restart", "--json")
    assert (run.code, run.project["action"]) == (0, "restarted")
    spec = engine.container("shop").spec
    assert (spec.limits.cpus, spec.port, spec.command) == (0.5, 3456, ("node", "x.js"))
    assert (spec.environment["A"], spec.environment["B"]) == ("1", "2")


@pytest.mark.parametrize(
    "label",
    ["", "{", "[]", "null", '{"zzz": 1}', '{"env": 5}', '{"env": null, "command": null}',
     '{"command": "x"}', '{"cpus": "many"}', '{"env": {"A": 1}}'],
)  # fmt: skip
@pytest.mark.usefixtures("up")
def test_restart_survives_what_another_version_kept(
    app: App, engine: FakeEngine, label: str
) -> None:
    labels = engine.container("shop").spec.labels
    assert isinstance(labels, dict)
    labels[names.FLAGS] = label
    run = app("restart", "--json")
    assert run.document["error"] is None or run.error["code"] != "INTERNAL"


@pytest.mark.usefixtures("up")
def test_restart_with_a_broken_configuration_stops_nothing(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    (workspace / "debughost.toml").write_text("prot = 1\n")
    run = app("restart", "-p", "shop", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert engine.container("shop").status == "running"


@pytest.mark.usefixtures("up")
def test_restart_of_a_project_whose_workspace_is_gone(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(workspace)
    run = app("restart", "-p", "shop", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_WORKSPACE")
    assert engine.container("shop").status == "running"


@pytest.mark.usefixtures("up")
def test_the_state_of_a_project_whose_workspace_is_gone(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(workspace)
    # An engine reads no file of a container whose mounted folder does not exist.
    engine.container("shop").unreadable = True
    engine.execs["readlink", names.STATE_LINK] = ExecResult(0, b"running+ready\n", b"")
    assert app("status", "--json").projects["shop"]["ready"]
    assert app("stop", "-p", "shop", "--json").projects["shop"]["state"] == "stopped"


@pytest.mark.usefixtures("up")
def test_restart_without_a_workspace_never_takes_the_current_folder(
    app: App, engine: FakeEngine
) -> None:
    made = engine.container("shop")
    labels = {k: v for k, v in made.spec.labels.items() if k != names.WORKSPACE}
    made.spec = replace(made.spec, labels=labels)
    run = app("restart", "-p", "shop", "--json")
    assert run.error["code"] in ("INVALID_WORKSPACE", "WORKSPACE_CONFLICT")


@pytest.mark.usefixtures("up")
def test_restart_that_crashes(app: App, engine: FakeEngine) -> None:
    engine.program = exits(1, "boom")
    run = app("restart", "--json")
    assert (run.code, run.error["code"]) == (7, "CRASHED")


@pytest.mark.usefixtures("up")
def test_restart_without_waiting(app: App, engine: FakeEngine) -> None:
    engine.program = never_listens()
    run = app("restart", "--no-wait", "--json")
    assert (run.code, run.project["ready"]) == (0, False)


@pytest.mark.usefixtures("up")
def test_restart_may_give_up_waiting(app: App, engine: FakeEngine) -> None:
    engine.program = never_listens()
    run = app("restart", "--wait-timeout", "0.05", "--json")
    assert (run.code, run.error["code"]) == (6, "NOT_READY")


# rm


@pytest.mark.usefixtures("up")
def test_rm_stops_gracefully_and_keeps_the_volumes(
    app: App, engine: FakeEngine, workspace: Path
) -> None:
    run = app("rm", "--json")
    assert (run.code, run.project["action"], run.project["state"]) == (0, "removed", None)
    calls = [c[0] for c in engine.changes]
    assert calls.index("containers.stop") < calls.index("containers.remove")
    assert engine.all_of("shop") == []
    assert "debug-host-shop-node_modules" in engine.stored_volumes


@pytest.mark.usefixtures("up")
def test_rm_leaves_the_workspace_as_it_was(app: App, workspace: Path) -> None:
    assert (workspace / "node_modules").is_dir()
    app("rm")
    assert not (workspace / "node_modules").exists()


def test_rm_leaves_a_folder_that_was_there_before(app: App, workspace: Path) -> None:
    (workspace / "node_modules").mkdir()
    app("up")
    app("rm")
    assert (workspace / "node_modules").is_dir()


@pytest.mark.usefixtures("up")
def test_rm_leaves_a_folder_that_somebody_filled(app: App, workspace: Path) -> None:
    (workspace / "node_modules/mine").write_text("")
    app("rm")
    assert (workspace / "node_modules/mine").exists()


@pytest.mark.usefixtures("up")
def test_rm_with_volumes(app: App, engine: FakeEngine, second: Any) -> None:
    app("rm", "--volumes")
    assert "debug-host-shop-node_modules" not in engine.stored_volumes
    assert "debug-host-api-node_modules" in engine.stored_volumes


@pytest.mark.usefixtures("up")
def test_a_volume_that_another_user_uses_is_left_with_a_warning(
    app: App, engine: FakeEngine
) -> None:
    spec = engine.container("shop").spec
    foreign = engine.add_foreign("web", 9000)
    foreign.spec = replace(foreign.spec, mounts=spec.mounts)
    run = app("rm", "--volumes", "--json")
    assert run.code == 0
    assert [w["code"] for w in run.document["warnings"]] == ["VOLUME_IN_USE"] * 3


@pytest.mark.usefixtures("up")
def test_a_dry_run_of_rm_changes_nothing(app: App, engine: FakeEngine, workspace: Path) -> None:
    before, world = len(engine.changes), engine.snapshot()
    run = app("rm", "--volumes", "--dry-run", "--json")
    assert (run.code, run.document["changed"]) == (0, False)
    assert [s["step"] for s in run.project["plan"]] == [
        "stop_container",
        "remove_container",
        "remove_volume",
        "remove_volume",
        "remove_volume",
    ]
    assert engine.changes[before:] == []
    assert engine.snapshot() == world
    assert "would be removed" in app("rm", "--dry-run").out


@pytest.mark.usefixtures("up")
def test_rm_with_volumes_of_one_that_was_removed_without(app: App, engine: FakeEngine) -> None:
    app("rm")
    plan = app("rm", "--volumes", "--dry-run", "--json").document["data"]["projects"][0]["plan"]
    assert {step["target"] for step in plan} >= {"debug-host-shop-node_modules"}
    assert app("rm", "--volumes").code == 0
    assert not [name for name in engine.stored_volumes if name.startswith("debug-host-shop-")]
    assert app("rm", "--volumes", "--json").error["code"] == "PROJECT_NOT_FOUND"


@pytest.mark.usefixtures("up")
def test_rm_takes_leftovers_too(app: App, engine: FakeEngine) -> None:
    spec = engine.container("shop").spec
    engine.containers.create("debug-host-shop-20200101T000000000Z", spec)
    assert app("rm").code == 0
    assert engine.all_of("shop") == []


@pytest.mark.usefixtures("up")
def test_rm_of_one_that_somebody_removes_at_the_same_time(app: App, engine: FakeEngine) -> None:
    ref = engine.container("shop").id
    engine.before("containers.inspect", engine.stored_containers.clear)
    run = app("rm", "--json")
    assert ref not in engine.stored_containers
    assert (run.code, run.error["code"]) == (3, "PROJECT_NOT_FOUND")


# Several, all, none


@pytest.mark.usefixtures("up", "second")
@pytest.mark.parametrize("command", ["stop", "restart", "rm"])
def test_several_by_name(app: App, command: str) -> None:
    run = app(command, "-p", "api", "-p", "shop", "-p", "api", "--json")
    assert run.code == 0
    assert [p["project"] for p in run.document["data"]["projects"]] == ["api", "shop"]


@pytest.mark.usefixtures("up", "second")
@pytest.mark.parametrize("argv", [["stop", "--all"], ["restart", "-a"], ["rm", "--all", "--yes"]])
def test_all(app: App, argv: list[str]) -> None:
    run = app(*argv, "--json")
    assert run.code == 0
    assert set(run.projects) == {"api", "shop"}


@pytest.mark.parametrize(
    "argv", [["stop", "--all"], ["restart", "--all"], ["rm", "--all", "--yes"], ["rm", "--all"]]
)
def test_all_of_nothing_is_nothing(app: App, argv: list[str]) -> None:
    run = app(*argv, "--json")
    assert (run.code, run.document["data"], run.document["changed"]) == (0, {"projects": []}, False)
    assert "no projects" in app(*argv).err


@pytest.mark.usefixtures("up", "second")
@pytest.mark.parametrize("command", ["stop", "restart", "rm"])
def test_some_of_several_fail(app: App, command: str) -> None:
    run = app(command, "-p", "shop", "-p", "nobody", "--json")
    assert (run.code, run.error["code"]) == (8, "PARTIAL")
    assert run.error["details"]["failed"] == {"nobody": "PROJECT_NOT_FOUND"}
    assert run.projects["nobody"]["action"] == "failed"
    assert run.projects["nobody"]["error"]["code"] == "PROJECT_NOT_FOUND"
    assert run.projects["shop"]["action"] != "failed"
    assert run.document["changed"] is True


@pytest.mark.usefixtures("up", "second")
def test_all_of_several_fail_alike(app: App) -> None:
    run = app("stop", "-p", "nobody", "-p", "noone", "--json")
    assert (run.code, run.error["code"]) == (3, "PROJECT_NOT_FOUND")


@pytest.mark.usefixtures("up", "second")
def test_all_of_several_fail_each_in_its_own_way(app: App, engine: FakeEngine) -> None:
    engine.fail("containers.stop", EngineTimeout("hangs"))
    run = app("stop", "-p", "shop", "-p", "nobody", "--json")
    assert (run.code, run.error["code"]) == (8, "PARTIAL")
    assert run.error["details"]["failed"] == {
        "shop": "ENGINE_TIMEOUT",
        "nobody": "PROJECT_NOT_FOUND",
    }


@pytest.mark.usefixtures("up", "second")
def test_people_read_each_failure_of_several(app: App) -> None:
    run = app("stop", "-p", "shop", "-p", "nobody")
    assert run.code == 8
    assert "shop stopped" in run.out
    assert "there is no project nobody" in run.err
    assert "1 of 2 projects failed" in run.err


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("command", ["stop", "restart", "rm", "status", "logs"])
def test_a_project_that_does_not_exist(app: App, engine: FakeEngine, command: str) -> None:
    before = len(engine.changes)
    run = app(command, "-p", "nobody", "--json")
    last = json.loads(run.out.splitlines()[-1])
    assert (run.code, last["error"]["code"]) == (3, "PROJECT_NOT_FOUND")
    assert last["error"]["details"] == {"project": "nobody", "known": ["shop"]}
    assert "shop" in last["error"]["hint"]
    assert engine.changes[before:] == []


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("command", ["stop", "restart", "rm", "status", "logs"])
def test_a_project_that_is_no_id(app: App, command: str) -> None:
    run = app(command, "-p", "No Id", "--json")
    last = json.loads(run.out.splitlines()[-1])
    assert (run.code, last["error"]["code"]) == (2, "INVALID_PROJECT")


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("command", ["stop", "restart", "rm"])
def test_all_and_one_exclude_each_other(app: App, engine: FakeEngine, command: str) -> None:
    run = app(command, "--all", "-p", "shop", "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert engine.container("shop").status == "running"


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("text", ["-1", "x", "nan", "inf", "", "1e9"])
@pytest.mark.parametrize("command", ["stop", "restart", "rm"])
def test_an_invalid_stop_timeout(app: App, engine: FakeEngine, command: str, text: str) -> None:
    run = app(command, f"--timeout={text}", "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert engine.container("shop").status == "running"


@pytest.mark.usefixtures("up")
def test_the_configurations_project_is_the_default(app: App, workspace: Path) -> None:
    (workspace / "debughost.toml").write_text('project = "its-own"\n')
    assert app("up").code == 0
    assert app("stop", "--json").project["project"] == "its-own"


@pytest.mark.usefixtures("up")
def test_the_variables_project_is_the_default(
    app: App, second: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUGHOST_PROJECT", "api")
    assert app("stop", "--json").project["project"] == "api"


@pytest.mark.usefixtures("up")
def test_a_foreign_container_with_our_projects_label_alone_is_not_touched(
    app: App, engine: FakeEngine
) -> None:
    foreign = engine.add_foreign("web", 9000)
    labels = {**foreign.spec.labels, names.PROJECT: "web"}
    foreign.spec = replace(foreign.spec, labels=labels)
    assert app("stop", "-p", "web").code == 3
    assert app("rm", "--all", "--yes").code == 0
    assert foreign.id in engine.stored_containers


# Questions


@pytest.mark.usefixtures("up", "second")
@pytest.mark.parametrize(
    ("argv", "stdin"),
    [
        (["rm", "--all"], None),
        (["rm", "--all", "--json"], Terminal()),
        (["rm", "--all", "--no-input"], Terminal()),
    ],
)
def test_where_nobody_can_answer_there_is_no_prompt(
    app: App, engine: FakeEngine, argv: list[str], stdin: Any
) -> None:
    run = app(*argv, stdin=stdin, stderr=Terminal())
    assert run.code == 2
    assert "--yes" in run.err + run.out
    assert len(engine.stored_containers) == 2


@pytest.mark.usefixtures("up", "second")
@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [("y\n", 0, 0), ("yes\n", 0, 0), ("n\n", 2, 2), ("\n", 2, 2), ("", 2, 2), ("what?\ny\n", 0, 0)],
)
def test_where_somebody_can_answer_there_is_a_prompt(
    app: App, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    run = app("rm", "--all", stdin=Terminal(), stderr=Terminal())
    assert run.code == code
    assert len(engine.stored_containers) == left
    assert "defect" not in run.err


@pytest.mark.usefixtures("up", "second")
def test_a_dry_run_of_all_asks_nothing(app: App) -> None:
    assert app("rm", "--all", "--dry-run").code == 0


# Orphans


@pytest.fixture
def local(workspace: Path) -> Any:
    engine = FakeEngine(endpoint="unix:///run/fake.sock")
    engine.add_base_images()
    return App(engine)


def test_orphans_are_those_whose_workspace_is_gone(
    local: Any, workspace: Path, tmp_path: Path
) -> None:
    local("up", "-w", str(node_project(tmp_path / "gone")))
    local("up")
    shutil.rmtree(tmp_path / "gone")
    run = local("rm", "--orphans", "--json")
    assert run.code == 0
    assert set(run.projects) == {"gone"}
    assert [c.spec.project for c in local.engine.stored_containers.values()] == ["shop"]


def test_on_an_engine_elsewhere_nobody_is_taken_for_an_orphan(
    app: App, engine: FakeEngine, workspace: Path, tmp_path: Path
) -> None:
    """The workspaces of other machines are not here, and are not gone either."""
    app("up", "-w", str(node_project(tmp_path / "gone")))
    shutil.rmtree(tmp_path / "gone")
    app("rm", "--orphans", "--json")
    assert len(engine.stored_containers) == 1


@pytest.mark.parametrize("more", [["-p", "shop"], ["--all"]])
def test_orphans_choose_themselves(local: Any, more: list[str]) -> None:
    run = local("rm", "--orphans", *more, "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")


# The engine fails


@pytest.mark.usefixtures("up", "second")
def test_a_failure_of_one_is_no_failure_of_the_other(app: App, engine: FakeEngine) -> None:
    shop = engine.container("shop").id
    engine.fail("containers.stop", EngineError("odd"), when=lambda ref, stop_timeout: ref == shop)
    run = app("stop", "--all", "--json")
    assert run.code == 8
    assert run.projects["api"]["action"] == "stopped"
    assert run.projects["shop"]["error"]["code"] == "ENGINE_ERROR"


@pytest.mark.usefixtures("up")
def test_a_defect_of_ours_in_one_of_several_is_reported_as_such(
    app: App, engine: FakeEngine, second: Any
) -> None:
    engine.fail("containers.stop", ZeroDivisionError("odd"))
    run = app("stop", "--all", "--json")
    assert run.code in (1, 8)
