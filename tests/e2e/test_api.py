"""``DebugHost`` on a real engine, from the installed package."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .harness import Program, program, write
from .workspaces import PAGE

pytestmark = pytest.mark.engine


def python(run: Program, code: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(program().with_name("python")), *options, "-c", code]
    return subprocess.run(
        command, env=dict(run.env), capture_output=True, text=True, timeout=120, check=False
    )


def test_the_status_is_one_line_of_python(run: Program, project: str, tmp_path: Path) -> None:
    run("up", "-p", project, "-w", write(tmp_path / project, PAGE))
    done = python(run, "from debughost_cli import DebugHost; print(DebugHost().status())")
    assert done.returncode == 0, done.stderr
    assert f"project='{project}'" in done.stdout


def test_a_whole_life_leaves_no_socket_open(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / project, PAGE)
    code = f"""\
from debughost_cli import DebugHost
from debughost_cli.project.settings import Flags

with DebugHost(folder={str(folder)!r}) as host:
    print(host.up(flags=Flags(project={project!r})).action)
    print(host.exec(["echo", "hello"], {project!r}).stdout)
    print(host.stop({project!r}).items[0].project.state)
    print(host.remove({project!r}, volumes=True).items[0].action)
"""
    done = python(run, code, "-W", "error::ResourceWarning")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["created", "b'hello\\n'", "stopped", "removed"]
