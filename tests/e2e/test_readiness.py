"""``up`` returns when the project listens, and says why where it never will."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import Eye, Program, body, eventually, write
from .workspaces import NODE, PAGE, python


def listened_at(eye: Eye, project: str) -> float:
    """When the program itself says that it listens."""
    found = re.search(r"listening ([\d.]+)", eye.logs(project))
    assert found
    return float(found[1])


@pytest.mark.alone
@pytest.mark.parametrize("delay", [0, 1.5])
def test_up_returns_soon_after_it_listens(
    run: Program, eye: Eye, project: str, tmp_path: Path, delay: float
) -> None:
    folder = write(tmp_path / "p", python(f"time.sleep({delay})"))
    made = run("up", "-p", project, "-w", folder, "--json")
    returned = time.time()
    assert made.project["ready"] is True
    late = returned - listened_at(eye, project)
    assert 0 <= late < run.slow(0.5), "0.3 s are promised, and it takes a while to end"
    assert body(made.project["url"])


def test_no_wait_does_not_wait(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "p", python("time.sleep(2)"))
    made = run("up", "-p", project, "-w", folder, "--no-wait", "--json")
    assert (made.project["state"], made.project["ready"]) == ("running", False)
    eventually(lambda: run("status", "-p", project, "--no-stats", "--json").project["ready"])


def test_a_listener_on_the_containers_loopback_is_reported(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", python(host="127.0.0.1"))
    failed = run("up", "-p", project, "-w", folder, "--json", check=6)
    assert failed.own_seconds < 30, "the wait ends before its time"
    assert failed.error["code"] == "NOT_READY"
    assert "0.0.0.0" in failed.error["hint"]
    assert "127.0.0.1" in failed.error["message"]
    assert failed.project["state"] == "running"
    assert eye.inspect(project)["State"]["Running"] is True


BINDS_FIRST = """import os, socket, threading, time
listener = socket.create_server(("", int(os.environ["PORT"])))
time.sleep(2)
def serve():
    while True:
        connection, _ = listener.accept()
        connection.close()
threading.Thread(target=serve).start()
print(f"listening {time.time()}", flush=True)
"""
IPV6_ALONE = """import os, socket
listener = socket.create_server(("::", int(os.environ["PORT"])), family=socket.AF_INET6)
while True:
    listener.accept()
"""


@pytest.mark.once  # The ports of an engine beside another one are in another network namespace.
def test_a_program_is_ready_when_it_accepts(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    """As with a reloader, whose first process listens before there is anybody to accept."""
    folder = write(tmp_path / "p", {"requirements.txt": "", "main.py": BINDS_FIRST})
    made = run("up", "-p", project, "-w", folder, "--json")
    late = time.time() - listened_at(eye, project)
    assert made.project["ready"] is True
    assert 0 <= late < run.slow(2)


@pytest.mark.once
def test_a_program_that_refuses_ipv4_is_reported(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", {"requirements.txt": "", "main.py": IPV6_ALONE})
    failed = run("up", "-p", project, "-w", folder, "--json", check=6)
    assert failed.error["details"]["reason"] == "ipv6_only"
    assert failed.own_seconds < run.slow(15)


@pytest.mark.once  # The containers of an engine beside another one cannot be reached by address.
def test_a_port_that_the_program_chose_is_published(
    run: Program, project: str, tmp_path: Path
) -> None:
    """The one of two whose page answers, and only where the user set no port."""
    source = "import socket; other = socket.create_server(('', 7000)); os.environ['PORT'] = '8000'"
    folder = write(tmp_path / "p", python(source))
    up = ("up", "-p", project, "-w", folder, "--json")
    made = run(*up)
    (port,) = made.project["ports"]
    assert (port["container_port"], port["host_port"]) == (8000, made.project["port"])
    assert made.project["action"] == "created"
    assert body(made.project["url"])
    assert run(*up).project["action"] == "unchanged"
    failed = run(*up, "--port", str(made.project["port"]), check=6)
    assert "ports 7000 and 8000" in failed.error["message"]
    assert failed.own_seconds < run.slow(15)


def test_a_program_without_a_port_is_ready_when_it_has_run_for_3_s(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", {"Procfile": "worker: sleep 600", "setup.cfg": ""})
    up = ("up", "-p", project, "-w", folder, "--json")
    made = run(*up)
    assert (made.project["ready"], made.project["port"], made.project["ports"]) == (True, None, [])
    assert made.own_seconds >= 3
    assert run(*up).project["action"] == "unchanged"
    ended = run(*up, "--port", "none", "--", "sh", "-c", "sleep 1; exit 3", check=7)
    assert ended.error["code"] == "CRASHED"


@pytest.mark.docker_only
def test_what_never_listens_goes_on_running(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", python("print('thinking', flush=True); time.sleep(600)"))
    failed = run("up", "-p", project, "-w", folder, "--wait-timeout", "3", "--json", check=6)
    assert failed.error["code"] == "NOT_READY"
    assert failed.own_seconds < run.slow(8)
    assert "PORT" in failed.error["hint"]
    assert failed.error["details"]["log_tail"] == ["thinking"]
    assert failed.project["state"] == "running"
    assert eye.inspect(project)["State"]["Running"] is True


@pytest.mark.docker_only
def test_a_crash_is_reported_at_once_with_the_last_words(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", python("for i in range(50): print('line', i)\nsys.exit(5)"))
    crashed = run("up", "-p", project, "-w", folder, "--json", check=7)
    assert crashed.own_seconds < run.slow(5)
    assert crashed.error["code"] == "CRASHED"
    assert crashed.error["details"]["exit_code"] == 5
    tail = [f"line {i}" for i in range(30, 50)]
    assert crashed.error["details"]["log_tail"] == tail
    found = crashed.project
    assert (found["action"], found["state"]) == ("failed", "crashed")
    assert (found["exit"]["code"], found["exit"]["log_tail"]) == (5, tail)
    assert eye.inspect(project)["State"]["ExitCode"] == 5, "it is kept for its logs"
    assert "line 0\n" in run("logs", "-p", project).out


WATCHER = """import subprocess, sys, time
subprocess.run([sys.executable, "-c", "bytearray(10**9)"])
time.sleep(1000)
"""


@pytest.mark.control_groups
def test_a_process_killed_for_memory_under_a_watcher_is_named(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", {"requirements.txt": "", "main.py": WATCHER})
    failed = run("up", "-p", project, "-w", folder, "--memory", "64m", "--json", check=6)
    assert failed.own_seconds < 30, "the wait ends before its time"
    assert failed.error["details"]["reason"] == "oom"
    assert failed.document["next"][0].endswith("--memory 128m")


def test_people_read_the_last_words_too(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "p", python("sys.exit('no database')"))
    crashed = run("up", "-p", project, "-w", folder, check=7)
    assert crashed.out == ""
    assert "no database" in crashed.err
    assert "CRASHED" in crashed.err


def test_ending_well_before_listening_is_no_success(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", python("sys.exit(0)"))
    ended = run("up", "-p", project, "-w", folder, "--json", check=7)
    assert ended.error["code"] == "CRASHED"
    assert ended.project["state"] == "completed"


def test_a_command_that_does_not_exist_cannot_start(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "s", PAGE)
    failed = run("up", "-p", project, "-w", folder, "--json", "--", "no-such-command", check=7)
    assert failed.error["code"] == "START_FAILED"
    assert "no-such-command" in failed.error["message"]
    assert failed.project["exit"]["reason"] == "never_started"


def test_what_ran_before_a_failed_change_runs_again(
    run: Program, eye: Eye, new_id: Callable[[], str], tmp_path: Path
) -> None:
    project = new_id()
    folder = write(tmp_path / "n", NODE)
    first = run("up", "-p", project, "-w", folder, "--json")
    before = eye.everything(project)
    command = ("sh", "-c", "echo broken; exit 4")
    failed = run("up", "-p", project, "-w", folder, "--json", "--", *command, check=7)
    assert failed.error["code"] == "CRASHED"
    assert failed.error["details"]["exit_code"] == 4
    assert "broken" in failed.error["details"]["log_tail"]
    assert eye.everything(project) == before
    assert eye.inspect(project)["State"]["Running"] is True
    eventually(lambda: body(first.project["url"]) == "hello\n")


def test_a_crashed_project_comes_up_once_it_is_fixed(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "p", python("sys.exit(5)"))
    run("up", "-p", project, "-w", folder, check=7)
    write(folder, python())
    mended = run("up", "-p", project, "-w", folder, "--json")
    assert mended.project["action"] == "started"
    assert mended.project["ready"] is True
    assert mended.project["exit"] is None
