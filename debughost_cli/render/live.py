"""Progress at a terminal: lines that move while something goes on, and a short record of what was.

The cursor is never hidden, and each picture is one write: however the program ends, the terminal is
as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from debughost_cli.render import terminal
from debughost_cli.render.progress import HEARTBEAT, LONG, Running
from debughost_cli.render.streams import Streams, inline
from debughost_cli.render.text import duration, took
from debughost_cli.services.progress import NoticeGiven, PhaseEnded, PhaseKind, ProgressEvent

_SHORT = 0.4
"""Seconds from the start, which itself takes some tenths: what is done by then shows nothing."""
_BRIEF = 0.1
"""Seconds of the first phase, on a machine where the start took long."""
_PICTURES = 10
"""How many a second."""
_SIZE = (80, 24)
"""Columns and rows of a terminal that does not know."""
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_EMOJI = "\ufe0f"
"""Makes an emoji, of two columns, of a sign of one."""
_UP, _CLEAR = "\x1b[1A", "\r\x1b[2K"


class Live:
    """A line for each phase that goes on, with what it printed last beneath.

    Nothing is shown for what is over in a moment. ``started``: when the program began.
    """

    interval = 1 / _PICTURES
    output_after = 0.0

    def __init__(self, streams: Streams, started: float) -> None:
        self._streams = streams
        self._started = started
        self._drawn: list[int] = []
        """The widths of the lines that are on the screen now."""
        self._first: float | None = None
        self._is_shown = False
        self._pictures = 0
        fancy = _can_write(streams, "⠋✓✗…")
        self._spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if fancy else "|/-\\"
        self._done, self._failed, self._more = "✓✗…" if fancy else "*!."

    def event(self, event: ProgressEvent, now: float) -> None:
        match event:
            case PhaseEnded(phase, seconds, ok) if self._is_shown:
                is_engine = phase.kind is PhaseKind.ENGINE
                if seconds >= (HEARTBEAT if is_engine else LONG) or not (ok or is_engine):
                    mark, style = (self._done, "green") if ok else (self._failed, "red")
                    line, _ = self._line(mark, style, inline(phase.text), took(seconds))
                    self._print(f"{_NO_WRAP}{line}{_WRAP}")
            case NoticeGiven(text):
                self._print(self._streams.styled(inline(text), "yellow", self._streams.stderr))
            case _:
                pass

    def tick(self, running: Sequence[Running], now: float) -> None:
        first = min(r.began for r in running)
        self._first = first if self._first is None else min(first, self._first)
        if self._is_shown or now >= max(self._started + _SHORT, self._first + _BRIEF):
            self._is_shown = True
            self._pictures += 1
            self._write(self._erased() + self._drawing(running, now))

    def clear(self) -> None:
        self._is_shown, self._first = False, None
        if self._drawn:
            self._write(self._erased())

    def _print(self, line: str) -> None:
        """A line that stays, above those that move: the next tick draws them again."""
        self._write(f"{self._erased()}{line}\n")

    def _write(self, text: str) -> None:
        self._streams.stderr.write(text)
        self._streams.stderr.flush()

    def _erased(self) -> str:
        """What clears the lines that are there; a terminal made narrower has wrapped them."""
        columns = self._size()[0]
        rows = sum(max(1, -(-width // columns)) for width in self._drawn)
        self._drawn = []
        return _CLEAR + (_UP + _CLEAR) * (rows - 1) if rows else ""

    def _drawing(self, running: Sequence[Running], now: float) -> str:
        rows = max(1, self._size()[1] - 2)
        shown = running[: rows - 1] if len(running) > rows else running
        has_room = 2 * len(shown) <= rows
        spinner = self._spinner[self._pictures % len(self._spinner)]
        lines = []
        for item in shown:
            text = inline(item.phase.text)
            lines.append(self._line(spinner, "cyan", text, duration(now - item.began)))
            if item.line and has_room:
                lines.append(self._output(item.line))
        if len(shown) < len(running):
            lines.append(self._output(f"and {len(running) - len(shown)} more"))
        self._drawn = [width for _, width in lines]
        return _NO_WRAP + "\n".join(text for text, _ in lines) + _WRAP

    def _line(self, mark: str, style: str, text: str, time: str) -> tuple[str, int]:
        """The line and its width. Its text is cut, not the time; the last column stays free."""
        text = self._cut(text, max(1, self._size()[0] - len(time) - 5))
        stderr, styled = self._streams.stderr, self._streams.styled
        line = f"{styled(mark, style, stderr)} {text}  {styled(time, 'dim', stderr)}"
        return line, _width(text) + len(time) + 4

    def _output(self, line: str) -> tuple[str, int]:
        text = "  " + self._cut(line.expandtabs(4), max(1, self._size()[0] - 3))
        return self._streams.styled(text, "dim", self._streams.stderr), _width(text)

    def _cut(self, text: str, width: int) -> str:
        if _width(text) <= width:
            return text
        # Characters beyond the width have no part in the sum.
        ends = accumulate(map(_width, text[:width]))
        return text[: sum(end < width for end in ends)].rstrip() + self._more

    def _size(self) -> tuple[int, int]:
        rows, columns = terminal.size(self._streams.stderr) or _SIZE[::-1]
        return columns, rows


def _width(text: str) -> int:
    """Columns that it takes at most: terminals differ in what they make of combined emojis."""
    if text.isascii():
        return len(text)
    from rich.cells import get_character_cell_size

    return sum(1 if c == _EMOJI else get_character_cell_size(c) for c in text)


def _can_write(streams: Streams, text: str) -> bool:
    try:
        text.encode(streams.stderr.encoding or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
