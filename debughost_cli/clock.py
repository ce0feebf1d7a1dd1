"""Time and waiting, passed in wherever something waits: a test's clock does not let it wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time, and a way to let some pass."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for timeouts."""
        ...

    def sleep(self, seconds: float) -> None:
        """Returns after ``seconds``."""
        ...


class SystemClock:
    """The clock of the machine that the program runs on."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()
