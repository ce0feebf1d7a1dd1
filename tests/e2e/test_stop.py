"""``stop``, ``restart``, ``status``: how a project ends, and what everybody sees of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .harness import Eye, Program, body, eventually, write
from .workspaces import NODE, PAGE, python

DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def state_of(run: Program, project: str) -> dict[str, Any]:
    """What any other client sees: a new process that asks the engine."""
    return run("status", "-p", project, "--no-stats", "--json").project


RELOADED = """\
if not os.environ.get("RUN_MAIN"):
    import subprocess
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(subprocess.call([sys.executable, "main.py"], env=os.environ | {"RUN_MAIN": "true"}))

def leave(*_):
    print("saying goodbye", flush=True)
    time.sleep(0.2)
    print("shut down", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, leave)
"""
"""As Django's and Werkzeug's reloaders, which kill the server when they receive a SIGTERM."""


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (NODE, "npm run dev"),
        (NODE, "yarn run dev"),
        (NODE, "pnpm run dev"),
        (NODE, "node --watch server.js"),
        (NODE, "echo begin && node server.js; echo end"),
        (python(RELOADED), "python3 main.py"),
    ],
)
def test_a_program_receives_one_sigterm_and_takes_its_leave(
    run: Program, eye: Eye, project: str, tmp_path: Path, files: dict[str, str], command: str
) -> None:
    folder = write(tmp_path / "n", files)
    run("up", "-p", project, "-w", folder, "--", "sh", "-c", command)
    stopped = run("stop", "-p", project, "--json")
    assert stopped.own_seconds < run.slow(2.5)
    found = stopped.project
    assert (found["action"], found["state"]) == ("stopped", "stopped")
    assert found["exit"]["signal"] == "SIGTERM"
    assert found["exit"]["reason"] == "stopped"
    assert found["exit"]["expected"] is True
    said = eye.logs(project)
    assert said.count("saying goodbye") == 1
    assert "shut down" in said


def test_stdin_stays_open(run: Program, project: str, tmp_path: Path) -> None:
    ends = (
        "import threading\nthreading.Thread(target=lambda: os._exit(len(sys.stdin.read()))).start()"
    )
    run("up", "-p", project, "-w", write(tmp_path / "p", python(ends)))
    assert state_of(run, project)["state"] == "running"


def test_what_ignores_sigterm_is_killed_after_the_stop_timeout(
    run: Program, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "p", python(DEAF)))
    stopped = run("stop", "-p", project, "-t", "1", "--json")
    assert 1 <= stopped.own_seconds < run.slow(4)
    found = stopped.project
    assert (found["action"], found["state"]) == ("stopped", "stopped")
    assert (found["exit"]["signal"], found["exit"]["code"]) == ("SIGKILL", 137)
    assert found["exit"]["reason"] == "stopped"
    assert state_of(run, project)["state"] == "stopped"


def test_people_read_which_of_the_two_ended_it(run: Program, project: str, tmp_path: Path) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "p", python(DEAF)))
    assert "killed" in run("stop", "-p", project, "-t", "1").out
    run(
        "up",
        "-p",
        project,
        "-w",
        tmp_path / "p",
        "--",
        "sh",
        "-c",
        'python3 -m http.server "$PORT"',
    )
    assert "SIGTERM" in run("stop", "-p", project).out


def test_stopping_what_is_stopped_changes_nothing(
    run: Program, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "s", PAGE))
    run("stop", "-p", project)
    again = run("stop", "-p", project, "--json")
    assert again.project["action"] == "unchanged"
    assert again.document["changed"] is False


def test_several_are_stopped_side_by_side(
    run: Program, new_id: Callable[[], str], tmp_path: Path
) -> None:
    projects = [new_id() for _ in range(3)]
    folder = write(tmp_path / "p", python(DEAF))
    for project in projects:
        run("up", "-p", project, "-w", folder)
    named = [word for project in projects for word in ("-p", project)]
    stopped = run("stop", *named, "-t", "5", "--json")
    assert stopped.own_seconds < 12, "one after the other they would take 15 s"
    assert {p["project"]: p["action"] for p in stopped.data["projects"]} == dict.fromkeys(
        projects, "stopped"
    )


def test_one_of_several_that_fails_is_a_part(
    run: Program, new_id: Callable[[], str], tmp_path: Path
) -> None:
    there, missing = new_id(), new_id()
    run("up", "-p", there, "-w", write(tmp_path / "s", PAGE))
    done = run("stop", "-p", there, "-p", missing, "--json", check=8)
    assert done.error["code"] == "PARTIAL"
    by_id = {p["project"]: p for p in done.data["projects"]}
    assert by_id[there]["action"] == "stopped"
    assert by_id[missing]["action"] == "failed"
    assert by_id[missing]["error"]["code"] == "PROJECT_NOT_FOUND"


def test_another_client_distinguishes_a_crash_from_a_stop(
    run: Program, eye: Eye, new_id: Callable[[], str], tmp_path: Path
) -> None:
    crash, kill, stop, end = (new_id() for _ in range(4))
    late = "import threading; threading.Timer(1.5, os._exit, [int(os.environ['END'])]).start()"
    folder = write(tmp_path / "late", python(late))
    run("up", "-p", crash, "-w", folder, "-e", "END=3")
    run("up", "-p", end, "-w", folder, "-e", "END=0")
    folder = write(tmp_path / "s", PAGE)
    for project in (kill, stop):
        run("up", "-p", project, "-w", folder)
    eye.client.kill(eye.inspect(kill)["Id"])
    eye.client.stop(eye.inspect(stop)["Id"])

    eventually(lambda: not eye.inspect(end)["State"]["Running"])
    found = {p: state_of(run, p) for p in (crash, kill, stop, end)}
    assert {p: s["state"] for p, s in found.items()} == {
        crash: "crashed", kill: "crashed", stop: "stopped", end: "completed",
    }  # fmt: skip
    exits = {p: s["exit"] for p, s in found.items()}
    assert (exits[crash]["code"], exits[crash]["reason"]) == (3, "crashed")
    assert (exits[kill]["code"], exits[kill]["signal"]) == (137, "SIGKILL")
    assert exits[kill]["reason"] == "killed"
    assert exits[stop]["reason"] == "stopped"
    assert exits[end]["reason"] == "completed"
    assert {p: e["expected"] for p, e in exits.items()} == {
        crash: False, kill: False, stop: True, end: True,
    }  # fmt: skip
    assert any("listening" in line for line in exits[crash]["log_tail"])
    assert all(s["ready"] is False and s["stats"] is None for s in found.values())


@pytest.mark.control_groups
def test_an_out_of_memory_end_is_reported(run: Program, project: str, tmp_path: Path) -> None:
    hungry = "import threading; threading.Timer(1, lambda: bytearray(10**9)).start()"
    folder = write(tmp_path / "p", python(hungry))
    run("up", "-p", project, "-w", folder, "-m", "64m")
    eventually(lambda: state_of(run, project)["state"] == "crashed", timeout=10, pause=0.2)
    ended = state_of(run, project)["exit"]
    assert isinstance(ended, dict)
    assert (ended["reason"], ended["signal"]) == ("oom", "SIGKILL")
    assert "64 MiB" in ended["message"]


@pytest.mark.control_groups
def test_status_measures_what_runs(run: Program, project: str, tmp_path: Path) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "s", PAGE), "-m", "512m", "--cpus", "1")
    stats = run("status", "-p", project, "--json").project["stats"]
    assert set(stats) >= {
        "cpu_percent", "cpu_limit", "memory_bytes", "memory_limit_bytes", "memory_percent",
        "pids", "net_rx_bytes", "net_tx_bytes",
    }  # fmt: skip
    assert (stats["cpu_limit"], stats["memory_limit_bytes"]) == (1.0, 512 * 1024**2)
    assert 0 < stats["memory_bytes"] < 512 * 1024**2
    assert stats["pids"] >= 2


def test_check_turns_the_state_into_the_exit_code(
    run: Program, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "s", PAGE))
    run("status", "-p", project, "--check", "--no-stats")
    run("stop", "-p", project)
    assert run("status", "-p", project, "--check", "--no-stats", check=False).code == 7


@pytest.mark.control_groups
def test_restart_keeps_what_up_was_given(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", python())
    flags = ("-e", "WHAT=kept", "--cpus", "0.5", "--port", "auto")
    command = ("python3", "-u", "main.py", "argument")
    first = run("up", "-p", project, "-w", folder, *flags, "--json", "--", *command)
    before = eye.inspect(project)
    again = run("restart", "-p", project, "--json")
    assert again.project["action"] == "restarted"
    assert again.document["changed"] is True
    after = eye.inspect(project)
    assert after["Id"] == before["Id"]
    assert after["State"]["StartedAt"] > before["State"]["StartedAt"]
    assert after["Config"]["Env"] == before["Config"]["Env"]
    assert after["HostConfig"]["NanoCpus"] == 500_000_000
    assert again.project["command"] == list(command)
    assert again.project["port"] == first.project["port"]
    assert again.project["ready"] is True


@pytest.mark.control_groups
def test_restart_follows_todays_file(run: Program, eye: Eye, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "s", PAGE)
    run("up", "-p", project, "-w", folder, "-e", "WHAT=kept")
    (folder / "debughost.toml").write_text("cpus = 0.5\n")
    again = run("restart", "-p", project, "--json")
    assert again.project["action"] == "recreated"
    found = eye.inspect(project)
    assert found["HostConfig"]["NanoCpus"] == 500_000_000
    assert "WHAT=kept" in found["Config"]["Env"]


def test_restart_starts_what_is_stopped(run: Program, project: str, tmp_path: Path) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "s", PAGE))
    run("stop", "-p", project)
    again = run("restart", "-p", project, "--json")
    assert again.project["state"] == "running"
    assert "hello" in body(again.project["url"])


def test_a_wrong_file_stops_nothing(run: Program, eye: Eye, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "s", PAGE)
    run("up", "-p", project, "-w", folder)
    before = eye.inspect(project)["State"]
    (folder / "debughost.toml").write_text("cpus = 'many'\n")
    assert run("restart", "-p", project, "--json", check=2).error["code"] == "INVALID_CONFIG"
    assert eye.inspect(project)["State"] == before


@pytest.mark.parametrize("command", ["stop", "restart", "rm", "logs", "status"])
def test_an_unknown_project_is_not_found(run: Program, project: str, command: str) -> None:
    missing = run(command, "-p", project, "--json", check=3)
    assert missing.error["code"] == "PROJECT_NOT_FOUND"
    assert project in missing.error["message"]
