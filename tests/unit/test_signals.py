"""Signals that come when Python is not looking."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

DELETION = """\
import os, signal, time
from debughost_cli.cli import signals
from debughost_cli.errors import Interrupted

class Last:
    def __del__(self):
        os.kill(os.getpid(), {number})

signals.install()
signals.reraise_dropped()
signals.release()
try:
    thing = Last()
    del thing
    print("deleted", flush=True)
    time.sleep(20)
except Interrupted as exc:
    print(exc.status)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_meets_the_deletion_of_an_object_counts(number: Any) -> None:
    """Python drops what is raised there."""
    code = DELETION.format(number=int(number))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    assert (done.stdout, done.stderr) == (f"deleted\n{128 + number}\n", "")
