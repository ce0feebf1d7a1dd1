"""A clock for tests: whoever sleeps moves it, and returns at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Starts at ``start``; ``slept`` lists what was slept, ``on_sleep`` is called each time.

    Safe to use from several threads: a thread that sleeps gives way to the others.
    """

    def __init__(
        self, start: datetime | None = None, on_sleep: Callable[[float], None] | None = None
    ) -> None:
        self._start = start or datetime.now(UTC)
        self._elapsed = 0.0
        self._guard = threading.Lock()
        self.on_sleep = on_sleep
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        with self._guard:
            self._elapsed += seconds
            self.slept.append(seconds)
        if self.on_sleep:
            self.on_sleep(seconds)
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.001)
