"""Signals: which handler has them, and SIGINT and SIGTERM as an exception that is raised once.

After the first one the command cleans up, which a second one must not interrupt.
"""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
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
"""Seconds until a signal that Python dropped, or that came too early, comes again."""
_PRINTING = 1.0
"""Seconds that a result may still take when a signal has come: its reader may not read."""
_HALVES = ("__enter__", "__exit__", "_release_save", "_acquire_restore")
"""Functions whose effect and its undoing belong together. What they wait for is in others."""


class _Gate:
    """Whether a signal is raised at once, or kept until the work in progress is complete.

    ``printing``: when the first signal came while the result is printed, infinite before.
    """

    held = False
    kept: int | None = None
    printing: float | None = None


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
    _Gate.held, _Gate.kept, _Gate.printing = True, None, None
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
    _repeat(what.exc_value.signum)


def is_too_early(number: int, frame: FrameType | None) -> bool:
    """True where what is raised now would leave a lock locked; the signal then comes again soon.

    ``frame``: where the main thread is. Python's own conditions and context managers are entered
    and left by Python code. Raised within it, an exception skips the other half: a connection pool
    or a lock file would be waited for without an end by the clean-up that follows.
    """
    if _may_still_print() or (frame is not None and _is_halfway(frame)):
        _repeat(number)
        return True
    return False


def _may_still_print() -> bool:
    if _Gate.printing is None:
        return False
    _Gate.printing = min(_Gate.printing, time.monotonic())
    return time.monotonic() - _Gate.printing < _PRINTING


def _is_halfway(frame: FrameType) -> bool:
    name = frame.f_code.co_name
    if name in _HALVES:
        return True
    # Condition.wait sets it once what it undoes is in place, and waits after that alone.
    is_wait = name == "wait" and frame.f_code.co_filename == threading.__file__
    return is_wait and "gotit" not in frame.f_locals


def _repeat(number: int) -> None:
    """Sends the signal again in a moment, without a lock: the main thread may hold any."""
    if not hasattr(signal, "setitimer"):
        again = threading.Timer(_RAISE_DELAY, _send, (number,))
        again.daemon = True
        again.start()
        return

    def handle(_: int, frame: FrameType | None) -> None:
        handler = signal.getsignal(number)
        if callable(handler):
            handler(number, frame)

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, _RAISE_DELAY)


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


@contextmanager
def printing() -> Iterator[None]:
    """The block prints the result of a work that is done, and is the last that can be interrupted.

    A signal must find the result printed whole or not begun, with the exit code that belongs to it:
    it is raised only where printing goes on for a second after it, because nobody reads.
    """
    _Gate.printing = math.inf
    try:
        yield
        ignore()
    finally:
        _Gate.printing = None


def ignore() -> None:
    """From here on signals have no effect, also one that was to come again.

    Those of a program that calls ``main`` itself, without ``install``, are its own.
    """
    ours = [n for n in _ENDING if _is_ours(n)]
    _set(signal.SIG_IGN, ours)
    if ours and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _is_ours(name: str) -> bool:
    return hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is _raise


def _set(handler: Handler | signal.Handlers, names: Sequence[str]) -> None:
    for number in _numbers(names):
        signal.signal(number, handler)


def _numbers(names: Sequence[str]) -> list[int]:
    """Only the main thread can set handlers."""
    if threading.current_thread() is not threading.main_thread():
        return []
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _raise(number: int, frame: FrameType | None) -> None:
    if not is_too_early(number, frame):
        interrupt(number)
