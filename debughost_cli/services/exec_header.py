"""The shell program around a command in a container, and the line in which it reports."""

from __future__ import annotations

import re
from collections.abc import Callable

from debughost_cli.engine.port import OnOutput

WRAPPER = """\
[ -z "$1" ] || stty rows "$1" cols "$2" 2>/dev/null
shift 2
end() { echo "debughost -$1"; exit "$1"; }
case $1 in
*/*) [ -e "$1" ] || end 127; [ -f "$1" ] && [ -x "$1" ] || end 126 ;;
*) command -v "$1" >/dev/null 2>&1 || end 127 ;;
esac
echo "debughost $$"
exec "$@"
"""
"""Prints its process ID in the container as the first line of stdout, then becomes the command.

The engine can signal containers, but not commands in them, and knows only the ID on the host. The
line also distinguishes output from an engine's refusal, which comes on stdout. The terminal's size
is set here because the engine sets it only once the command runs and may have read it.
"""
_FIRST_LINE = re.compile(rb"debughost (-?)([0-9]{1,10})\r?")
_LONGEST_FIRST_LINE = 65536
"""Bytes; the text of a refusal is cut here."""


class Header:
    """Removes the wrapper's line from stdout and passes on all that follows.

    ``refusal``: why the command did not begin, as an exit code. ``text``: the engine's, where it
    could not run the wrapper.
    """

    def __init__(self, on_output: OnOutput, on_pid: Callable[[int], None]) -> None:
        self._on_output = on_output
        self._on_pid = on_pid
        self._line: bytearray | None = bytearray()
        self.refusal = 0

    @property
    def text(self) -> str:
        """Empty once the command has begun."""
        return "" if self._line is None else self._line.decode("utf-8", "replace").strip()

    def __call__(self, stream: str, data: memoryview) -> None:
        """Receives output, as ``OnOutput``."""
        if self._line is None or stream != "stdout":
            self._on_output(stream, data)
            return
        self._line += data[: _LONGEST_FIRST_LINE - len(self._line)]
        line, newline, rest = bytes(self._line).partition(b"\n")
        found = _FIRST_LINE.fullmatch(line) if newline else None
        if found:
            self._line = None
            self._begin(found, rest)

    def _begin(self, found: re.Match[bytes], rest: bytes) -> None:
        number = int(found[2])
        if found[1]:
            self.refusal = number
            return
        self._on_pid(number)
        if rest:
            self._on_output("stdout", memoryview(rest))
