"""Cancellation: a request to end, which running work checks while it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

_STEP = 0.05
"""Seconds between two checks of a parent while waiting."""


class CancelToken:
    """Set once, from any thread; what it was passed to then ends with ``Interrupted``.

    One with a ``parent`` is set as soon as its parent is.

    >>> token = CancelToken()
    >>> token.is_set()
    False
    >>> token.cancel()
    >>> token.wait(60)
    True
    """

    def __init__(self, parent: CancelToken | None = None) -> None:
        self._event = threading.Event()
        self._parent = parent
        self._guard = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Requests the end."""
        with self._guard:
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        """Calls ``callback``, once, where this or its parent is set before the block has ended.

        It is called by whoever cancels, or at once, and must not take long: for what waits in a
        call to the engine, and so cannot check whether it is set.
        """
        called = threading.Lock()

        def once() -> None:
            if called.acquire(blocking=False):
                callback()

        with self._guard:
            is_late = self._event.is_set()
            self._callbacks += [] if is_late else [once]
        if is_late:
            once()
        try:
            with self._parent.on_cancel(once) if self._parent else nullcontext():
                yield
        finally:
            with self._guard:
                self._callbacks = [c for c in self._callbacks if c is not once]

    def is_set(self) -> bool:
        """True once the end was requested."""
        return self._event.is_set() or (self._parent is not None and self._parent.is_set())

    def wait(self, seconds: float) -> bool:
        """Waits at most ``seconds``; True at once when it is set."""
        if self._parent is None:
            return self._event.wait(seconds)
        deadline = time.monotonic() + seconds
        while not self.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._event.wait(min(left, _STEP))
        return True
