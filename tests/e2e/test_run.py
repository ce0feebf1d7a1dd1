"""``run``: one-off containers on a real engine, and what is left when the client is killed."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from .harness import Eye, Program, eventually, program, write

FILES = {
    "package.json": '{"name": "small", "private": true, "scripts": {"dev": "exit 3"}}\n',
    "hello.js": "process.stdin.pipe(process.stdout); process.exitCode = 4;\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "small", FILES)


def test_it_runs_before_and_after_a_crash_and_leaves_nothing(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    done = subprocess.run(
        [program(), "run", "-p", project, "node", "hello.js"], input=b"hello\n",
        capture_output=True, env=dict(run.env), cwd=folder, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (4, b"hello\n")
    assert eye.containers(project) == []
    assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    run("up", "-p", project, "-e", "COLOUR=blue", cwd=folder, check=7)
    shown = run("run", "-p", project, "--json", "sh", "-c", 'echo "$COLOUR $PWD"', cwd=folder)
    assert shown.data["stdout"] == "blue /app\n"
    late = run("run", "-p", project, "--timeout", "1", "--json", "sleep", "99", cwd=folder, check=6)
    assert (late.error["code"], late.data["exit_code"]) == ("WAIT_TIMEOUT", 143)
    (main,) = eye.containers(project)
    assert main["Labels"]["debug-host.role"] == "main"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_the_client_ends_it(
    run: Program, eye: Eye, project: str, folder: Path, number: signal.Signals
) -> None:
    client = run.start("run", "-p", project, "sh", "-c", "echo begun; sleep 100", cwd=folder)
    assert client.stdout.readline() == b"begun\n"
    client.send_signal(number)
    client.communicate(timeout=60)
    is_killed = number is signal.SIGKILL
    assert client.returncode == (-9 if is_killed else 143)

    def states() -> list[str]:
        return [c["State"] for c in eye.containers(project)]

    if is_killed:
        # Nobody is there to remove it, but it ends.
        eventually(lambda: states() == ["exited"])
        run("rm", "-p", project, "--if-exists")
    assert states() == []
