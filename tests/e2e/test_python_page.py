"""What docs/python-api.md shows, on a real engine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .harness import Eye, Program, write
from .workspaces import NODE

PAGE = Path(__file__).parents[2] / "docs" / "python-api.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
SCRIPTS = [block for block in BLOCKS if "def test_" not in block and "import pytest" not in block]
TESTS, CONFTEST = (block for block in BLOCKS if block not in SCRIPTS)


@pytest.fixture
def folder(project: str, tmp_path: Path) -> Path:
    """The folder of a project whose id is its name."""
    return write(tmp_path / project, NODE)


def python(run: Program, folder: Path, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, *args],
        cwd=folder, env=dict(run.env), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_each_script_runs_and_leaves_nothing(
    run: Program, eye: Eye, folder: Path, project: str, number: int
) -> None:
    assert python(run, folder, "-c", SCRIPTS[number])
    assert eye.everything(project) == ([], [])


def test_the_tests_pass(run: Program, eye: Eye, folder: Path, project: str) -> None:
    write(
        folder,
        {
            "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\n",
            "test_shop.py": TESTS,
            "conftest.py": CONFTEST,
        },
    )
    assert "2 passed" in python(run, folder, "-m", "pytest", "-q")
    assert eye.everything(f"{project}-test") == ([], [])
