"""Finding out that a program has crashed although the watcher that started it goes on."""

from __future__ import annotations

from debughost_cli.clock import Clock
from debughost_cli.engine.port import Engine
from debughost_cli.planning.watchers import waits_for_changes
from debughost_cli.resources import Container, LauncherPhase, LauncherStatus
from debughost_cli.services.projects import log_tail

GRACE = 2.0
"""Seconds for which the watcher must have said nothing more."""
_INTERVAL = 1.0
"""Seconds between two readings of the output."""
_LAST_WORDS = 3
"""Lines."""


class WatcherCrash:
    """Follows the last words of a project that is not ready."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = clock.monotonic() + _INTERVAL
        self._since: float | None = None

    def is_certain(self, engine: Engine, container: Container, launcher: LauncherStatus) -> bool:
        """Whether it waits for changes, and has done so for 2 s."""
        now = self._clock.monotonic()
        if launcher.phase is not LauncherPhase.RUNNING or now < self._next:
            return False
        self._next = now + _INTERVAL
        if not waits_for_changes(log_tail(engine, container, _LAST_WORDS)):
            self._since = None
            return False
        self._since = now if self._since is None else self._since
        return now - self._since >= GRACE
