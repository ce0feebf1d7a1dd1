"""Unit and CLI tests run where no engine answers, and leave alone the one that does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SOME = ("unit/test_names.py", "cli/test_hints.py")


def run_some_tests(docker_host: str) -> subprocess.CompletedProcess[str]:
    """Runs a few unit and CLI tests as a contributor does, with this address of an engine."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SOME],
        cwd=TESTS,
        env=environment | {"DOCKER_HOST": docker_host},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_they_pass_where_no_engine_answers(tmp_path: Path) -> None:
    done = run_some_tests(f"unix://{tmp_path}/nonexistent.sock")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_they_never_connect_to_an_engine(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
        engine.bind(str(tmp_path / "engine.sock"))
        engine.listen()
        engine.settimeout(0)
        done = run_some_tests(f"unix://{tmp_path}/engine.sock")
        assert done.returncode == 0, done.stdout + done.stderr
        with pytest.raises(BlockingIOError):
            engine.accept()
