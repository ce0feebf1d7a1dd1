"""Streams as file descriptors: terminals, sizes, and bytes as they are."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import struct
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from debughost_cli.errors import DiskFull
from debughost_cli.render import terminal


@pytest.fixture
def tty() -> Iterator[TextIO]:
    keyboard, end = pty.openpty()
    with os.fdopen(end, "r+b", buffering=0) as raw, io.TextIOWrapper(raw) as stream:
        yield stream
    os.close(keyboard)


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The end to read from, and a stream to write to."""
    end, written = os.pipe()
    with os.fdopen(written, "w") as stream:
        yield end, stream
    os.close(end)


def closed() -> TextIO:
    with Path(os.devnull).open() as stream:
        return stream


def test_what_is_a_terminal(tty: TextIO, pipe: tuple[int, TextIO]) -> None:
    assert terminal.is_terminal(tty)
    for stream in (pipe[1], io.StringIO(), closed(), None):
        assert not terminal.is_terminal(stream)


def test_the_size_of_a_terminal(tty: TextIO) -> None:
    assert terminal.size(tty) is None
    fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    assert terminal.size(tty) == (24, 80)
    assert terminal.size(io.StringIO()) is None


def test_bytes_go_out_as_they_are(pipe: tuple[int, TextIO]) -> None:
    end, stream = pipe
    terminal.write(stream, memoryview(b"\xff\x00text"))
    assert os.read(end, 100) == b"\xff\x00text"


def test_a_stream_without_a_descriptor_gets_text() -> None:
    stream = io.StringIO()
    terminal.write(stream, memoryview(b"\xfftext"))
    terminal.write(None, memoryview(b"nowhere"))
    assert stream.getvalue() == "\ufffdtext"


def test_a_reader_that_is_slow_is_waited_for(pipe: tuple[int, TextIO]) -> None:
    end, stream = pipe
    os.set_blocking(stream.fileno(), False)
    data = b"x" * 500_000
    found = bytearray()

    def read() -> None:
        while len(found) < len(data):
            found.extend(os.read(end, 65536))

    reader = threading.Thread(target=read)
    reader.start()
    terminal.write(stream, memoryview(data))
    reader.join(10)
    assert found == data


def test_a_reader_that_is_gone_is_an_error() -> None:
    end, written = os.pipe()
    os.close(end)
    with os.fdopen(written, "w") as stream, pytest.raises(BrokenPipeError):
        terminal.write(stream, memoryview(b"text"))


def test_a_full_disk_is_an_error() -> None:
    with Path("/dev/full").open("w") as stream, pytest.raises(DiskFull):
        terminal.write(stream, memoryview(b"text"))


def test_keys_are_raw_and_the_terminal_is_then_as_it_was(tty: TextIO) -> None:
    before = termios.tcgetattr(tty)
    with contextlib.suppress(ZeroDivisionError), terminal.raw(tty):
        during = termios.tcgetattr(tty)
        raise ZeroDivisionError
    assert not during[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
    assert termios.tcgetattr(tty) == before
