"""Unit and CLI tests run where no engine answers, and leave alone the one that does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def test_unit_and_cli_tests_never_connect_to_an_engine(tmp_path: Path) -> None:
    address = tmp_path / "engine.sock"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
        engine.bind(str(address))
        engine.listen()
        engine.settimeout(0)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
             "unit/test_retry.py", "cli/test_hints.py"],
            cwd=TESTS, env=environment | {"DOCKER_HOST": f"unix://{address}"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        with pytest.raises(BlockingIOError):
            engine.accept()
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
