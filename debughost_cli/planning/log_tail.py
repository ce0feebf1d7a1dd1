"""The last lines of output in an error or a project: few enough to be read, and to be sent on.

Whoever reads them sees all of them: colours are left out, and other codes are shown as escapes.
"""

from __future__ import annotations

from collections.abc import Iterable

from debughost_cli.characters import clean, without_colours
from debughost_cli.resources import Container

LINES = 20
LINE_BYTES = 1024
"""Of one line's text in UTF-8, without the mark of a cut."""
_LOOKED_AT = 4 * LINE_BYTES
"""Of which some may be colours."""
BYTES = 8 * 1024
"""Of all lines together, marks included."""
_HASTE = 0.25
"""Seconds by which a run's first line may precede its StartedAt: the engine notes that when the
process runs already. Between two runs of a container it needs longer.
"""


def start_of_run(container: Container) -> float | None:
    """A moment after the earlier run's last line and before this one's first, in seconds since the
    epoch; None where it was never started.
    """
    ended, started = container.finished_at, container.started_at
    if started is None:
        return None
    start = started.timestamp() - _HASTE
    return max(start, ended.timestamp()) if ended and ended < started else start


def tail(lines: Iterable[bytes]) -> tuple[str, ...]:
    """The newest whole lines within the limits, as text; a line that was cut says so."""
    texts = [_text(line) for line in lines][-LINES:]
    kept, size = len(texts), 0
    while kept and (size := size + len(texts[kept - 1].encode())) <= BYTES:
        kept -= 1
    return tuple(texts[kept:])


def _text(line: bytes) -> str:
    line = line.rstrip(b"\r")
    whole = clean(without_colours(line[:_LOOKED_AT].decode("utf-8", "replace")))
    if len(line) <= _LOOKED_AT and len(whole.encode()) <= LINE_BYTES:
        return whole
    # Of bytes that are no text, three of UTF-8 each are shown, of control characters an escape.
    start = whole.encode()[:LINE_BYTES].decode("utf-8", "ignore")
    return f"{start} [cut: {len(line)} bytes]"
