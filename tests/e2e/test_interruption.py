"""Ctrl-C, SIGTERM and SIGKILL in the middle: nothing half made stays, what ran runs on."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from .harness import Eye, Program, body, check_document, eventually, finish, listing, write
from .workspaces import NODE

SILENT = {
    "package.json": '{"name": "silent", "scripts": {"dev": "node server.js"}}\n',
    "server.js": "setInterval(() => {}, 1000);\n",
}
"""Runs and never listens: ``up`` waits for it until it is interrupted."""
STOP_SECONDS = 2
SLOW_TO_STOP = {
    "package.json": '{"name": "slow"}\n',
    "server.js": f"""\
require("http").createServer((_, answer) => answer.end("hello\\n")).listen(process.env.PORT);
process.on("SIGTERM", () => {{
  console.log("stopping");
  setTimeout(() => process.exit(0), {STOP_SECONDS * 1000});
}});
""",
}
"""Stops slowly."""
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def interrupt(
    run: Program,
    number: signal.Signals,
    moment: str,
    *args: str | Path,
    env: Mapping[str, str] | None = None,
) -> tuple[int, str, str]:
    """Sends the signal as soon as ``moment`` is on stderr."""
    process = run.start(*args, env=env)
    assert process.stderr
    seen = b""
    for line in process.stderr:
        seen += line
        if moment.encode() in line:
            break
    else:
        raise AssertionError(f"{moment!r} never came: {seen.decode()}")
    process.send_signal(number)
    try:
        out, rest = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out.decode(), (seen + rest).decode()


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "listing containers"),
        (signal.SIGTERM, "creating a volume"),
        (signal.SIGINT, "Creating container"),
        (signal.SIGTERM, "creating the container"),
        (signal.SIGINT, "writing into the container"),
        (signal.SIGTERM, "starting the container"),
        (signal.SIGINT, "Waiting until"),
        (signal.SIGTERM, "inspecting a container"),
    ],
)
def test_a_fresh_up_leaves_nothing(
    run: Program, eye: Eye, project: str, tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    folder = write(tmp_path / "n", SILENT)
    before = listing(folder)
    args = ("up", "-p", project, "-w", folder, "--verbose", "--json")
    code, out, err = interrupt(run, number, moment, *args)
    assert code == CODES[number], err
    document = check_document(out, code)
    assert document["error"]["code"] == "INTERRUPTED"
    assert document["error"]["retryable"] is True
    assert document["changed"] is False
    assert document["warnings"] == []
    assert "Traceback" not in err
    assert eye.everything(project) == ([], [])
    assert listing(folder) == before


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "creating the container"),
        (signal.SIGTERM, "writing into the container"),
        (signal.SIGINT, "stopping the container"),
        (signal.SIGTERM, "starting the container"),
        (signal.SIGINT, "Waiting until"),
    ],
)
def test_a_recreation_leaves_what_ran_running(
    run: Program, eye: Eye, project: str, tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    folder = write(tmp_path / "n", NODE)
    url = run("up", "-p", project, "-w", folder, "--json").project["url"]
    before = eye.everything(project)
    args = ("up", "-p", project, "-w", folder, "--verbose", "--json", "--", "sleep", "600")
    code, out, err = interrupt(run, number, moment, *args)
    assert code == CODES[number], err
    document = check_document(out, code)
    assert document["error"]["code"] == "INTERRUPTED"
    assert document["changed"] is False
    assert eye.everything(project) == before
    assert eye.inspect(project)["State"]["Running"] is True
    assert eventually(lambda: body(url)) == "hello\n"
    assert run("status", "-p", project, "--no-stats", "--json").project["state"] == "running"


def test_people_read_one_line(run: Program, eye: Eye, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "n", SILENT)
    args = ("up", "-p", project, "-w", folder)
    code, out, err = interrupt(run, signal.SIGINT, "Waiting until", *args)
    assert code == 130
    assert out == ""
    after = err[err.index("Waiting until") :].splitlines()[1:]
    assert len(after) == 1
    assert "interrupted" in after[0]
    assert eye.everything(project) == ([], [])


@pytest.mark.parametrize(
    "moment", ["creating the container", "writing into the container", "starting the container"]
)
def test_after_a_kill_up_tidies_and_goes_on(
    run: Program, eye: Eye, project: str, tmp_path: Path, moment: str
) -> None:
    folder = write(tmp_path / "n", NODE)
    args = ("up", "-p", project, "-w", folder)
    code, _, _ = interrupt(run, signal.SIGKILL, moment, *args, "--verbose")
    assert code == -signal.SIGKILL
    again = run(*args, "--json")
    assert again.project["ready"] is True
    assert len(eye.containers(project)) == 1
    assert body(again.project["url"]) == "hello\n"


def test_after_a_kill_within_a_recreation_one_container_remains(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "n", NODE)
    args = ("up", "-p", project, "-w", folder)
    run(*args)
    changed = (*args, "-e", "WHAT=new")
    interrupt(run, signal.SIGKILL, "starting the container", *changed, "--verbose")
    again = run(*changed, "--json")
    assert again.project["ready"] is True
    assert len(eye.containers(project)) == 1
    assert "WHAT=new" in eye.inspect(project)["Config"]["Env"]


@pytest.mark.parametrize(
    ("command", "number"),
    [("stop", signal.SIGINT), ("rm", signal.SIGTERM), ("restart", signal.SIGKILL)],
)
def test_up_starts_again_what_an_interrupted_command_has_stopped(
    run: Program, eye: Eye, project: str, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    """The engine goes on with a stop, whoever asked for it."""
    folder = write(tmp_path / "n", SLOW_TO_STOP)
    args = ("up", "-p", project, "-w", folder, "--no-deps", "--json", "--", "node", "server.js")
    run(*args)
    stopping = run.start(command, "-p", project)
    eventually(lambda: "stopping" in eye.logs(project))
    stopping.send_signal(number)
    finish(stopping)
    again = run(*args)
    assert again.project["action"] in ("restarted", "started")
    time.sleep(STOP_SECONDS)
    assert body(again.project["url"]) == "hello\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_program_is_loaded_has_its_document(
    run: Program, number: signal.Signals
) -> None:
    profile = {"PYTHONPROFILEIMPORTTIME": "1"}
    code, out, err = interrupt(run, number, "typer", "status", "--json", env=profile)
    assert code == CODES[number], err
    assert check_document(out, code)["error"]["code"] == "INTERRUPTED"
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_following_logs_ends_with_the_signal(
    run: Program, project: str, tmp_path: Path, number: signal.Signals
) -> None:
    folder = write(tmp_path / "n", SILENT)
    command = ("sh", "-c", "echo begun >&2; exec sleep 600")
    run("up", "-p", project, "-w", folder, "--no-wait", "--", *command)
    code, out, err = interrupt(run, number, "begun", "logs", "-p", project, "-f")
    assert code == CODES[number]
    assert out == ""
    assert "Traceback" not in err
