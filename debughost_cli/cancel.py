"""Cancellation: a request to end, which running work checks while it waits."""

from __future__ import annotations

import threading
import time

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

    def cancel(self) -> None:
        """Requests the end."""
        self._event.set()

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
