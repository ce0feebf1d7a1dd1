"""Finding out that a program has crashed although the watcher that started it goes on."""

from __future__ import annotations

from contextlib import suppress

from debughost_cli.clock import Clock
from debughost_cli.engine.port import Engine, LogQuery
from debughost_cli.errors import DebughostError
from debughost_cli.planning.log_tail import tail
from debughost_cli.planning.watchers import waits_for_changes
from debughost_cli.resources import Container, LauncherPhase, LauncherStatus

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

    def is_certain(self, engine: Engine, container: Container, launcher: LauncherStatus) -> bool:
        """Whether it waits for changes, and has done so for 2 s."""
        now = self._clock.monotonic()
        if launcher.phase is not LauncherPhase.RUNNING or now < self._next:
            return False
        self._next = now + _INTERVAL
        if not waits_for_changes(_last_lines(engine, container)):
            self._since = None
            return False
        self._since = now if self._since is None else self._since
        return now - self._since >= GRACE


def _last_lines(engine: Engine, container: Container) -> tuple[str, ...]:
    """Of the present run: the last words of an earlier one say nothing of this one."""
    since = container.started_at.timestamp() if container.started_at else None
    with suppress(DebughostError):
        return tail(
            line.data
            for line in engine.containers.logs(container.id, LogQuery(since=since, tail=3))
        )
    return ()
