"""A terminal to run the program at, and what it would obey of what it is sent."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyte

from .harness import Program, program

COMMANDS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
"""What a terminal obeys, but for tabs and the ends of lines."""
OWN = re.compile(
    rb"\x1b\[[0-9;]*m|\x1b\[\?(25|7)[lh]|\r?\x1b\[(2K|1A)|\x1b\]8;[^\x1b]*\x1b\\|\r+\n"
)
"""Colours, the moves of progress, links, and line ends as a terminal makes them."""


@dataclass(frozen=True)
class Recording:
    """What a terminal was sent, with the seconds since the program was started."""

    events: tuple[tuple[float, bytes], ...]
    seconds: float
    code: int
    columns: int
    rows: int

    @property
    def sent(self) -> bytes:
        return b"".join(data for _, data in self.events)

    def screens(self) -> Iterator[tuple[float, list[str]]]:
        """Its lines after each event."""
        screen = pyte.HistoryScreen(self.columns, self.rows)
        stream = pyte.ByteStream(screen)
        for at, data in self.events:
            stream.feed(data)
            yield at, [line.rstrip() for line in screen.display]

    def silences(self) -> list[tuple[float, float]]:
        """The spans of time in which the screen stayed as it was."""
        changes, last = [0.0], [""]
        for at, lines in self.screens():
            if lines != last:
                changes.append(at)
                last = lines
        return list(pairwise([*changes, self.seconds]))


def record(
    run: Program,
    *args: str | Path,
    columns: int = 80,
    rows: int = 24,
    env: Mapping[str, str] | None = None,
    meanwhile: Callable[[subprocess.Popen[bytes], bytes], None] = lambda process, data: None,
    timeout: float = 60,
) -> Recording:
    """One run of the program. ``meanwhile`` gets all that was sent so far, again and again."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    events: list[tuple[float, bytes]] = []
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            [*run.prefix, program(), *map(str, args)], stdin=theirs, stdout=theirs, stderr=theirs,
            env={**run.env, "TERM": "xterm-256color", **(env or {})},
        )  # fmt: skip
        os.close(theirs)
        while time.monotonic() < began + timeout:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    data = os.read(ours, 65536)
                except OSError:
                    break
                events.append((time.monotonic() - began, data))
                meanwhile(process, b"".join(data for _, data in events))
        code = process.wait(10)
    finally:
        os.close(ours)
    return Recording(tuple(events), time.monotonic() - began, code, columns, rows)


def at_terminal(run: Program, *args: str | Path) -> bytes:
    """What a terminal is sent by one run of the program."""
    return record(run, *args).sent


def is_tame(shown: bytes) -> bool:
    """Nothing in it is obeyed but what is the program's own."""
    return COMMANDS.search(OWN.sub(b"", shown)) is None
