"""Signals: which handler has them, and SIGINT and SIGTERM as an exception that is raised once.

After the first one the command cleans up, which a second one must not interrupt.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from debughost_cli.errors import Interrupted

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

Handler = Callable[[int, FrameType | None], None]

_ENDING = ("SIGINT", "SIGTERM")
_RAISE_DELAY = 0.01
"""Seconds until an exception that Python dropped is raised again."""


class _Gate:
    """Whether a signal is raised at once, or kept until the work in progress is complete."""

    held = False
    kept: int | None = None


@contextmanager
def handled_by(handler: Handler, names: Sequence[str]) -> Iterator[None]:
    """``handler`` handles the signals that exist here and are not ignored (nohup).

    At the end they have the handlers from before, unless the handler interrupted the command.
    """
    before = {n: signal.getsignal(n) for n in _numbers(names)}
    caught = {n: old for n, old in before.items() if old is not signal.SIG_IGN}
    try:
        for number in caught:
            signal.signal(number, handler)
        yield
    finally:
        for number, old in caught.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, old)


def interrupt(number: int, names: Sequence[str] = _ENDING) -> None:
    """Raises Interrupted; from here on the signals called ``names`` are ignored."""
    _set(signal.SIG_IGN, names)
    if _Gate.held:
        _Gate.kept = number
    else:
        raise Interrupted(number)


def install() -> None:
    """From here on the first signal raises Interrupted in the main thread, see ``release``."""
    _Gate.held, _Gate.kept = True, None
    _set(_raise, _ENDING)


def reraise_dropped() -> None:
    """From here on a signal also counts if it comes while an object is deleted.

    Python drops exceptions in ``__del__`` and in callbacks of weak references, which the import
    system has as well, and prints a message on stderr.
    """
    sys.unraisablehook = _dropped


def _dropped(what: UnraisableHookArgs) -> None:
    if not isinstance(what.exc_value, Interrupted):
        sys.__unraisablehook__(what)
        return
    _set(_raise, _ENDING)
    again = threading.Timer(_RAISE_DELAY, _send, (what.exc_value.signum,))
    again.daemon = True
    again.start()


def _send(number: int) -> None:
    """Sends a signal to the main thread, which ends a system call that it waits in."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main:
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)


def release() -> None:
    """Raises Interrupted if a signal came since ``install``."""
    _Gate.held = False
    if _Gate.kept is not None:
        raise Interrupted(_Gate.kept)


@contextmanager
def held() -> Iterator[None]:
    """The block is completed: a signal that comes meanwhile is raised at its end."""
    _Gate.held = True
    try:
        yield
    finally:
        _Gate.held = False
    release()


def ignore() -> None:
    """From here on signals have no effect: the result is printed."""
    _set(signal.SIG_IGN, _ENDING)


def _set(handler: Handler | signal.Handlers, names: Sequence[str]) -> None:
    for number in _numbers(names):
        signal.signal(number, handler)


def _numbers(names: Sequence[str]) -> list[int]:
    """Only the main thread can set handlers."""
    if threading.current_thread() is not threading.main_thread():
        return []
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _raise(number: int, frame: FrameType | None) -> None:
    interrupt(number)
