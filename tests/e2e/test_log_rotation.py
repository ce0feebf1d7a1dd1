"""The log of a container is bounded, and reading it survives a rotation."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from .harness import Eye, Program, write
from .workspaces import PAGE

COUNT = 450_000
"""Lines of 171 bytes in the engine's file: 77 MB, of which 45 remain."""
SCRIPT = f"""
echo first
while [ ! -e /app/go ]; do sleep 0.1; done
i=0
while [ $i -lt {COUNT} ]; do i=$((i + 1)); echo "line $i {"x" * 80}"; done
"""


def test_a_rotated_log(run: Program, eye: Eye, new_id: Callable[[], str], tmp_path: Path) -> None:
    project = new_id()
    folder = write(tmp_path / project, PAGE | {"talk.sh": SCRIPT})
    where = ("-p", project, "-w", folder, "--type", "static", "--no-wait")
    run("up", *where, "--", "sh", "/app/talk.sh")
    assert eye.inspect(project)["HostConfig"]["LogConfig"] == {
        "Type": "json-file",
        "Config": {"max-size": "9m", "max-file": "5"},
    }
    run("wait", "-p", project, "--for", "log=first")
    cursor = run("logs", "-p", project, "--json").lines[-1]["data"]["cursor"]
    eye.touch(project, folder / "go")
    run("wait", "-p", project, "--for", "exited", "--timeout", "240")
    *lines, result = run("logs", "-p", project, "--json", "--after", cursor).lines
    numbers = [int(re.match(r"line (\d+) ", line["line"])[1]) for line in lines]
    assert numbers[0] > 1
    assert numbers == list(range(numbers[0], COUNT + 1))
    (warning,) = result["warnings"]
    assert warning["code"] == "LOGS_ROTATED"
    assert run("logs", "-p", project, "-n", "all").out.count("\n") == len(numbers)
