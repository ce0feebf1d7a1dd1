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
    """From here on the first signal raises Interrupted in the main thread, see ``release``."""
    _Gate.held, _Gate.kept = True, None
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            signal.signal(number, _raise)


def release() -> None:
    """Raises Interrupted for a signal that came meanwhile."""
    _Gate.held = False
    if _Gate.kept is not None:
        raise Interrupted(_Gate.kept)


@contextmanager
def held() -> Iterator[None]:
    """What is done within happens whole: a signal that comes meanwhile is raised at its end."""
    _Gate.held = True
    try:
        yield
    finally:
        _Gate.held = False
    release()


def ignore() -> None:
    """From here on signals change nothing: the result is out."""
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def _raise(number: int, frame: FrameType | None) -> None:
    ignore()
    if _Gate.held:
        _Gate.kept = number
    else:
        raise Interrupted(number)
