"""The terminal of this program as the terminal of a command in a container."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from debughost_cli.cli import signals
from debughost_cli.cli.exec_signals import Background
from debughost_cli.errors import Usage
from debughost_cli.render import terminal
from debughost_cli.render.streams import Streams

if TYPE_CHECKING:
    from debughost_cli.api import ProjectExec


def wants_terminal(streams: Streams, requested: bool | None, *, json: bool) -> bool:
    """``--tty`` or ``--no-tty``; without them, what the streams are. Raises Usage."""
    if requested and json:
        raise Usage("--tty and --json exclude each other", hint="Give one of the two")
    if requested:
        require_terminal(streams, "--tty", "Leave --tty out")
    if requested is None:
        return not json and _has_terminal(streams)
    return requested


def require_terminal(streams: Streams, what: str, hint: str) -> None:
    """Raises Usage where stdin or stdout is not a terminal."""
    if os.name == "nt":
        raise Usage(f"{what} does not work on Windows yet", hint=hint)
    if not _has_terminal(streams):
        raise Usage(f"{what} needs a terminal as stdin and stdout", hint=hint)


def _has_terminal(streams: Streams) -> bool:
    both = terminal.is_terminal(streams.stdin) and terminal.is_terminal(streams.stdout)
    return both and os.name != "nt"


def term_variable(tty: bool) -> dict[str, str]:
    """TERM for the command."""
    return {"TERM": os.environ.get("TERM") or "xterm"} if tty else {}


@contextmanager
def raw_terminal(streams: Streams, command: ProjectExec, background: Background) -> Iterator[None]:
    """The terminal in raw mode; the command's gets its size, now and whenever it changes."""

    def resize(number: int = 0, frame: FrameType | None = None) -> None:
        size = terminal.size(streams.stdout)
        if size:
            background.run(lambda: command.resize(*size))

    with signals.handled_by(resize, ("SIGWINCH",)), terminal.raw(streams.stdin):
        resize()
        yield
