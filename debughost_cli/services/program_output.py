"""What a container prints while it is waited for: its install, its hooks, its program."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from datetime import datetime

from debughost_cli.engine.port import Engine, LogQuery
from debughost_cli.errors import DebughostError, EngineTimeout
from debughost_cli.services.progress import Progress

_TAIL = 20
"""Lines of before: reading begins a moment after the start."""
_KEPT = 200
"""Lines between two looks; of a program that prints more, only the last are of use."""


class ProgramOutput:
    """Reads in a thread of its own, from ``begin`` on; ``pass_on`` reports what has come since.

    ``started``: when the container did, where it may have run before.
    The thread ends with the output, or with the next line or silence after ``close``.
    """

    def __init__(
        self, engine: Engine, ref: str, progress: Progress, started: datetime | None = None
    ) -> None:
        self._engine = engine
        self._ref = ref
        since = started.timestamp() if started else None
        self._query = LogQuery(tail=_TAIL, since=since, follow=True, stamps=False)
        self._progress = progress
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self._is_begun = self._is_closed = False

    def begin(self, waited: float) -> None:
        """Once ``waited`` seconds have passed after which somebody wants to see it."""
        after = self._progress.output_after
        if not self._is_begun and after is not None and waited >= after:
            self._is_begun = True
            threading.Thread(target=self._read, daemon=True).start()

    def pass_on(self) -> None:
        """In the thread that waits, which is known to work on this project."""
        while self._lines:
            self._progress.detail(self._lines.popleft())

    def close(self) -> None:
        """May be called again."""
        self._is_closed = True

    def _read(self) -> None:
        query = self._query
        # Whoever waits finds out why nothing can be read, where that matters.
        with suppress(DebughostError):
            while not self._is_closed:
                with suppress(EngineTimeout):
                    for line in self._engine.containers.logs(self._ref, query):
                        self._lines.append(line.data.decode("utf-8", "replace"))
                        if self._is_closed:
                            return
                    return
                # Silence; what follows is new.
                query = LogQuery(tail=0, follow=True, stamps=False)
