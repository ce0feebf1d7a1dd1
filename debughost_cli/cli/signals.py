"""SIGINT and SIGTERM as one exception, once: what follows is cleaning up, which must not be cut."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from debughost_cli.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Gate:
    """Whether a signal is raised at once, or kept until what must not be cut is done."""

    held = False
    kept: int | None = None


def install() -> None:
    """From here on the first signal raises Interrupted in the main thread."""
    _Gate.held, _Gate.kept = False, None
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            signal.signal(number, _raise)


@contextmanager
def held() -> Iterator[None]:
    """What is done within happens whole: a signal that comes meanwhile is raised at its end."""
    _Gate.held = True
    try:
        yield
    finally:
        _Gate.held = False
    if _Gate.kept is not None:
        raise Interrupted(_Gate.kept)


def _raise(number: int, frame: FrameType | None) -> None:
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    if _Gate.held:
        _Gate.kept = number
    else:
        raise Interrupted(number)
