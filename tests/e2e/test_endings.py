"""Every way in which a project ends, on a real engine: the reason that ``status`` gives is true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .harness import Eye, Program, eventually, write

LISTEN = "import http.server, os, sys\nport = int(os.environ['PORT'])\n"
SERVE = "http.server.HTTPServer(('0.0.0.0', port), http.server.BaseHTTPRequestHandler)"
RUN = f"{LISTEN}{SERVE}.serve_forever()\n"

OUT_OF_MEMORY = [
    ("python3 -c 'bytearray(300 << 20)'", ("crashed", "oom", 137, "SIGKILL")),
    ("sh -c 'python3 -c \"bytearray(300 << 20)\"; exit 5'", ("crashed", "oom", 5, None)),
]

BY_ITSELF = [
    ("sh -c 'exit 0'", ("completed", "completed", 0, None)),
    ("sh -c 'exit 3'", ("crashed", "crashed", 3, None)),
    ("python3 -c 'raise ValueError(1)'", ("crashed", "crashed", 1, None)),
    ("python3 -c 'import os; os.abort()'", ("crashed", "crashed", 134, "SIGABRT")),
    ("no-such-command", ("crashed", "never_started", 127, None)),
    *(pytest.param(*case, marks=pytest.mark.control_groups) for case in OUT_OF_MEMORY),
]

FROM_OUTSIDE: list[tuple[Callable[[Any, str], None], tuple[str, str, int, str]]] = [
    (lambda c, ref: c.kill(ref, "SIGKILL"), ("crashed", "killed", 137, "SIGKILL")),
    (lambda c, ref: c.kill(ref, "SIGTERM"), ("stopped", "stopped", 143, "SIGTERM")),
    (lambda c, ref: c.stop(ref, timeout=5), ("stopped", "stopped", 143, "SIGTERM")),
]


def seen(run: Program, project: str) -> tuple[str, str, int, str | None]:
    """State, reason, exit code and signal, once it has ended."""

    def look() -> dict[str, Any] | None:
        found = run("status", "-p", project, "--no-stats", "--json").project
        return found if found["exit"] else None

    found = eventually(look)
    ended = found["exit"]
    assert ended["message"]
    assert ended["finished_at"]
    assert ended["expected"] is (found["state"] in ("stopped", "completed"))
    return found["state"], ended["reason"], ended["code"], ended["signal"]


@pytest.mark.parametrize(("command", "expected"), BY_ITSELF)
def test_one_that_ends_by_itself(
    run: Program, project: str, tmp_path: Path, command: str, expected: tuple[Any, ...]
) -> None:
    folder = write(tmp_path / "w", {"main.py": RUN})
    shell = ("/bin/sh", "-c", command) if command[0] in "ps" else (command,)
    args = ("up", "-p", project, "-w", folder, "-m", "64m", "--no-wait", "--json", "--", *shell)
    run(*args)
    assert seen(run, project) == expected


@pytest.mark.parametrize(("act", "expected"), FROM_OUTSIDE)
def test_one_that_another_user_ends(
    run: Program, eye: Eye, project: str, tmp_path: Path,
    act: Callable[[Any, str], None], expected: tuple[Any, ...],
) -> None:  # fmt: skip
    folder = write(tmp_path / "w", {"main.py": RUN})
    run("up", "-p", project, "-w", folder, "--json")
    act(eye.client, eye.inspect(project)["Id"])
    assert seen(run, project) == expected


def test_one_that_we_stop_within_and_beyond_the_stop_timeout(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "w", {"main.py": RUN})
    run("up", "-p", project, "-w", folder, "--json")
    run("stop", "-p", project, "--json")
    assert seen(run, project) == ("stopped", "stopped", 143, "SIGTERM")
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + RUN
    write(folder, {"main.py": deaf})
    run("up", "-p", project, "-w", folder, "--json")
    run("stop", "-p", project, "-t", "1", "--json")
    assert seen(run, project) == ("stopped", "stopped", 137, "SIGKILL")


def test_a_restart_loop_is_reported(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "w", {"main.py": RUN})
    args = ("--restart", "on-failure:3", "--no-wait", "--json", "--", "sh", "-c", "exit 4")
    run("up", "-p", project, "-w", folder, *args)

    def gave_up() -> dict[str, Any] | None:
        found = run("status", "-p", project, "--no-stats", "--json").project
        return found if found["state"] == "crashed" else None

    found = eventually(gave_up, timeout=20)
    assert found["restart_count"] == 3
    assert (found["exit"]["reason"], found["exit"]["code"]) == ("crashed", 4)


def test_one_that_another_user_removed_is_not_found(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "w", {"main.py": RUN})
    run("up", "-p", project, "-w", folder, "--json")
    eye.client.remove_container(eye.inspect(project)["Id"], force=True)
    assert run("status", "-p", project, "--json", check=3).error["code"] == "PROJECT_NOT_FOUND"
