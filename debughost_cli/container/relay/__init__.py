"""The programs that connect a command's streams with a port of its container."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

FRAMED = b"F"
"""The first byte of its output where both directions come in frames, see relay.sh."""
OPEN = REFUSED = b"\xff\xff\xff\xff"
"""The lengths that are none, see relay.pl."""


def relay_command(port: int) -> tuple[str, ...]:
    """The command for connections with ``port`` of 127.0.0.1, or else ::1, in the container."""
    shell, perl, python = (_source(name) for name in ("relay.sh", "relay.pl", "relay.py"))
    return ("/bin/sh", "-c", shell, "debughost", str(port), perl, python)


@cache
def _source(name: str) -> str:
    return (files(__name__) / name).read_text("utf-8")
