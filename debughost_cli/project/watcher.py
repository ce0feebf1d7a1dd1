"""Tells when something in a folder may have changed: by file events, or by time where none come."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

QUIET = 0.05
"""Seconds without an event after which a burst is over."""
BURST = 0.4
"""Seconds after which a burst that goes on is looked at."""
UNWATCHED = 30.0
"""Seconds after which the folder is looked at even if no event came, for some may be lost."""
POLL = 1.0
"""Seconds between two looks at a folder without events; more where a look takes long."""
TICK = 0.5
_POLL_SHARE = 10
_FORCE_POLLING = "WATCHFILES_FORCE_POLLING"


class Watcher:
    """Watches a folder from its creation on. ``is_polling``: no events come."""

    def __init__(self, folder: Path, left_out: Iterable[str], *, polls: bool = False) -> None:
        """``left_out``: names at its top, whose changes do not count."""
        self._folder = str(folder)
        self._left_out = frozenset(left_out)
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._watching = threading.Event()
        self.is_polling = polls or bool(os.environ.get(_FORCE_POLLING))
        self._looked = time.monotonic()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        if not self.is_polling:
            self._thread.start()
            self._watching.wait(10)

    def wait(self, look_seconds: float) -> bool:
        """Waits half a second at most; True once the folder has to be looked at.

        That is where something may have changed and is quiet again, and from time to time in any
        case. ``look_seconds``: what the last look took.
        """
        limit = max(POLL, _POLL_SHARE * look_seconds) if self.is_polling else UNWATCHED
        left = self._looked + limit - time.monotonic()
        if self._changed.wait(max(0.0, min(TICK, left))):
            self._settle()
        elif left > TICK:
            return False
        self._looked = time.monotonic()
        return True

    def close(self) -> None:
        """No event counts any more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2)

    def _settle(self) -> None:
        end = time.monotonic() + BURST
        while self._changed.is_set() and time.monotonic() < end:
            self._changed.clear()
            self._changed.wait(QUIET)
        self._changed.clear()

    def _watch(self) -> None:
        from watchfiles import watch

        with suppress(OSError, RuntimeError):
            # More folders than the system lets one user watch, or a file system without events.
            for changes in watch(
                self._folder, watch_filter=None, debounce=50, step=20, rust_timeout=500,
                yield_on_timeout=True, stop_event=self._stop, raise_interrupt=False,
            ):  # fmt: skip
                self._watching.set()
                if any(self._counts(path) for _, path in changes):
                    self._changed.set()
        self.is_polling = True
        self._watching.set()

    def _counts(self, path: str) -> bool:
        inside = os.path.relpath(path, self._folder).split(os.sep, 1)[0]
        return inside not in self._left_out
