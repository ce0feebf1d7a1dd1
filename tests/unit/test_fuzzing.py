"""The parsers stand arbitrary input for a moment; ``scripts/fuzz`` tries for longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import Fuzzer

FUZZING = Path(__file__).parents[1] / "fuzzing.py"


def test_no_input_hangs_raises_or_takes_much_memory() -> None:
    """In a process of its own, whose memory is that of the parsers alone."""
    command = [sys.executable, str(FUZZING), "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "inputs" in done.stdout


@pytest.mark.parametrize("number", range(30))
def test_a_number_makes_the_same_input_again(tmp_path: Path, number: int) -> None:
    assert Fuzzer(1, tmp_path).run(number) == Fuzzer(1, tmp_path).run(number)
