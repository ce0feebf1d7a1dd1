"""The fixtures for pytest on a real engine, with pytest-xdist."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .harness import Eye, Program, write
from .workspaces import NODE

TESTS = """
import urllib.request
import pytest

@pytest.mark.parametrize("number", range(4))
def test_it_answers(debughost_project, number):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert opener.open(debughost_project.url, timeout=5).read() == b"hello\\n"
    assert debughost_project.exec("printenv", "PROJECT_ID").stdout.decode().strip() == (
        debughost_project.id
    )
    assert "listening" in debughost_project.logs()
"""


def test_each_worker_has_a_project_that_is_gone_afterwards(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "shop", NODE)
    run("up", "-w", folder, "-p", project)
    before = eye.inspect(project)["Id"]
    text = f'project = "{project}"\nport = {run("status", project, "--json").project["port"]}\n'
    write(folder, {"debughost.toml": text, "pytest.ini": "[pytest]\n", "test_shop.py": TESTS})
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"],
        cwd=folder, env=dict(run.env), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    for other in ("test", "test-gw0", "test-gw1"):
        assert eye.everything(f"{project}-{other}") == ([], [])
    assert eye.inspect(project)["Id"] == before
