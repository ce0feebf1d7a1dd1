"""SIGINT and SIGTERM as one exception, once: what follows is cleaning up, which must not be cut."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from debughost_cli.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def install() -> None:
    """From here on the first signal raises Interrupted in the main thread."""
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            signal.signal(number, _raise)


def _raise(number: int, frame: FrameType | None) -> None:
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Interrupted(number)
