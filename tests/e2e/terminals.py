"""A terminal to run the program at, and what it would obey of what it is sent."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

from .harness import Program, program

COMMANDS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
"""What a terminal obeys, but for tabs and the ends of lines."""
OWN = re.compile(
    rb"\x1b\[[0-9;]*m|\x1b\[\?(25|7)[lh]|\r?\x1b\[(2K|1A)|\x1b\]8;[^\x1b]*\x1b\\|\r+\n"
)
"""Colours, the moves of progress, links, and line ends as a terminal makes them."""


def at_terminal(run: Program, *args: str | Path) -> bytes:
    """What a terminal is sent by one run of the program."""
    ours, theirs = pty.openpty()
    seen = b""
    try:
        process = subprocess.Popen(
            [*run.prefix, program(), *map(str, args)], stdin=theirs, stdout=theirs, stderr=theirs,
            env={**run.env, "TERM": "xterm-256color"},
        )  # fmt: skip
        os.close(theirs)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    seen += os.read(ours, 65536)
                except OSError:
                    break
        process.wait(10)
    finally:
        os.close(ours)
    return seen


def is_tame(shown: bytes) -> bool:
    """Nothing in it is obeyed but what is the program's own."""
    return COMMANDS.search(OWN.sub(b"", shown)) is None
