"""Finding out that a program has crashed although the watcher that started it goes on."""

from __future__ import annotations

from debughost_cli.clock import Clock
from debughost_cli.engine.port import Engine
from debughost_cli.planning.failure_hints import program_hint
from debughost_cli.planning.launcher_status import LauncherPhase, LauncherStatus
from debughost_cli.planning.listeners import NotReadyReason, out_of_memory, waiting_for_changes
from debughost_cli.planning.watchers import (
    ends_in_exception,
    ends_in_traceback,
    is_reloaded,
    waits_for_changes,
)
from debughost_cli.resources import Container
from debughost_cli.services.projects import log_tail

GRACE = 2.0
"""Seconds for which the watcher must have said nothing more."""
_INTERVAL = 1.0
"""Seconds between two readings of the output."""


class WatcherCrash:
    """Follows the last words of a project that is not ready."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = clock.monotonic() + _INTERVAL
        self._since: float | None = None
        self._last: tuple[str, ...] = ()

    def certain(
        self, engine: Engine, container: Container, launcher: LauncherStatus
    ) -> NotReadyReason | None:
        """Why its program is gone, where that has been so for 2 s."""
        if not self._is_certain(engine, container, launcher):
            return None
        if launcher.oom and not ends_in_exception(self._last):
            return out_of_memory(container)
        return waiting_for_changes(container, program_hint(self._last))

    def _is_certain(self, engine: Engine, container: Container, launcher: LauncherStatus) -> bool:
        now = self._clock.monotonic()
        if launcher.phase is not LauncherPhase.RUNNING or now < self._next:
            return False
        self._next = now + _INTERVAL
        lines, before = log_tail(engine, container), self._last
        self._last = lines
        if not _has_crashed(container, launcher, lines):
            self._since = None
            return False
        self._since = now if self._since is None or lines != before else self._since
        return now - self._since >= GRACE


def _has_crashed(container: Container, launcher: LauncherStatus, lines: tuple[str, ...]) -> bool:
    """A reloader of Python says nothing after the exception: its socket may go on listening. Of a
    process that was killed, most watchers say nothing at all.
    """
    is_reloader = launcher.queued or is_reloaded(container.command)
    return launcher.oom or waits_for_changes(lines) or (is_reloader and ends_in_traceback(lines))
