"""SIGINT and SIGTERM as one exception, once: what follows is cleaning up, which must not be cut."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from debughost_cli.errors import Interrupted

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SOON = 0.01
"""Seconds until what Python dropped is raised once more."""


class _Gate:
    """Whether a signal is raised at once, or kept until what must not be cut is done."""

    held = False
    kept: int | None = None


def install() -> None:
    """From here on the first signal raises Interrupted in the main thread, see ``release``."""
    _Gate.held, _Gate.kept = True, None
    _handle_by(_raise)


def reraise_dropped() -> None:
    """From here on a signal counts also where it met the deletion of an object.

    Python drops what is raised there, in a weak reference's callback or ``__del__``, and says so
    on stderr; the import system has such callbacks as well.
    """
    sys.unraisablehook = _dropped


def _dropped(what: UnraisableHookArgs) -> None:
    if not isinstance(what.exc_value, Interrupted):
        sys.__unraisablehook__(what)
        return
    _handle_by(_raise)
    again = threading.Timer(_SOON, _send, (what.exc_value.signum,))
    again.daemon = True
    again.start()


def _send(number: int) -> None:
    """To the main thread, which it gets out of a system call."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main:
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)


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
    _handle_by(signal.SIG_IGN)


def _handle_by(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            signal.signal(number, handler)


def _raise(number: int, frame: FrameType | None) -> None:
    ignore()
    if _Gate.held:
        _Gate.kept = number
    else:
        raise Interrupted(number)
