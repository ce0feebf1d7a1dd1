"""The terminal and the plain bytes of the process's streams."""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from debughost_cli.errors import DiskFull

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def descriptor(stream: TextIO | None) -> int | None:
    """The stream's file descriptor; None where it is closed or none of the system's."""
    try:
        return stream.fileno() if stream else None
    except (OSError, ValueError):
        return None


def is_terminal(stream: TextIO | None) -> bool:
    """True for a stream that somebody sits at."""
    fd = descriptor(stream)
    return fd is not None and os.isatty(fd)


def can_move_cursor(stream: TextIO) -> bool:
    """True for a terminal on which what was written can be replaced."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def size(stream: TextIO) -> tuple[int, int] | None:
    """Rows and columns; None where the terminal does not know."""
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return None
    return (rows, columns) if rows and columns else None


def write(stream: TextIO | None, data: memoryview) -> None:
    """Writes bytes as they are, at once. Raises DiskFull, and BrokenPipeError without a reader."""
    fd = descriptor(stream)
    if fd is None:
        if stream is not None:
            stream.write(bytes(data).decode("utf-8", "replace"))
        return
    while data:
        data = data[_write_some(fd, data) :]


def _write_some(fd: int, data: memoryview) -> int:
    try:
        return os.write(fd, data)
    except BlockingIOError:
        # Whoever shares the descriptor made it non-blocking.
        select.select([], [fd], [])
        return 0
    except OSError as exc:
        if exc.errno not in _NO_ROOM:
            raise
        raise DiskFull(
            f"the output could not be written: {exc.strerror}", hint="Free some space here"
        ) from exc


@contextmanager
def raw(stream: TextIO) -> Iterator[None]:
    """Passes every key through as it is; the terminal is as before at the end, whatever comes."""
    import termios
    import tty

    fd = stream.fileno()
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd, termios.TCSANOW)
        yield
    finally:
        # A terminal that is gone needs nothing.
        with suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSANOW, before)
