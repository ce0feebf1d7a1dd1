"""stdout for data, stderr for messages; what is a terminal, and whether it gets colour."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TextIO

from msgspec import Struct

from debughost_cli.characters import clean as clean
from debughost_cli.characters import message

_STYLES = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1", "cyan": "36"}


class Streams(Struct):
    """The three streams of a run; tests give their own."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    no_color: bool = False
    messages: Callable[[str], None] | None = None
    """Where lines for people go in place of stderr."""

    @classmethod
    def of_process(cls) -> Streams:
        """The process's own, writing what an encoding lacks as escapes instead of failing."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        return cls(sys.stdin, sys.stdout, sys.stderr)

    def is_interactive(self) -> bool:
        """True where a user can answer a question."""
        return _is_tty(self.stdin) and _is_tty(self.stderr)

    def has_color(self, stream: TextIO) -> bool:
        """NO_COLOR and --no-color win over FORCE_COLOR, that over what the stream is."""
        if self.no_color or os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
            return True
        return _is_tty(stream) and os.environ.get("TERM") != "dumb"

    def is_plain(self) -> bool:
        """True where stdout is no terminal and gets no colour: rich has nothing to do there."""
        return not _is_tty(self.stdout) and not self.has_color(self.stdout)

    def out(self, text: str) -> None:
        """A line of data."""
        self.stdout.write(text + "\n")

    def talk(self, text: str, style: str = "") -> None:
        """A line for people."""
        if self.messages:
            self.messages(text)
            return
        self.stderr.write(self.styled(text, style, self.stderr) + "\n")
        self.stderr.flush()

    def styled(self, text: str, style: str, stream: TextIO) -> str:
        """``text`` in a style where ``stream`` shows colour."""
        if not style or not self.has_color(stream):
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def _is_tty(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False


def inline(text: str) -> str:
    """As ``clean``, on one line: for cells of tables, and for lines that hold one thing."""
    return _on_one_line(clean(text))


def message_line(text: str) -> str:
    """As ``inline``, of a message that quotes others."""
    return _on_one_line(message(text))


def _on_one_line(text: str) -> str:
    return text.replace("\n", "\\n").replace("\t", "\\t")
