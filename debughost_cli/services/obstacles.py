"""What keeps a running project from being ready, where waiting longer would not help."""

from __future__ import annotations

from debughost_cli.clock import Clock
from debughost_cli.engine.port import Engine
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.planning.listeners import (
    NotReadyReason,
    explain_not_ready,
    ipv6_only,
)
from debughost_cli.resources import Container, ContainerStatus
from debughost_cli.services.elsewhere import Elsewhere
from debughost_cli.services.knock import Knock
from debughost_cli.services.watcher_crash import WatcherCrash


class Obstacles:
    """Follows one project while it is waited for; holds a connection until it is closed."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        shares_machine = engine.info.shares_machine
        self._engine = engine
        self._elsewhere = Elsewhere(clock)
        self._crash = WatcherCrash(clock)
        self._knock = Knock(clock, shares_machine=shares_machine)

    def is_ready(self, container: Container, launcher: LauncherStatus) -> bool:
        """Whether it runs, listens on its port, and accepts as far as that can be found out."""
        if not (container.status is ContainerStatus.RUNNING and launcher.ready):
            return False
        return self._knock.is_over(container, launcher)

    def certain(self, container: Container, launcher: LauncherStatus) -> NotReadyReason | None:
        """Why it is not going to be ready; None while it still may."""
        if self._elsewhere.is_settled(container, launcher):
            return explain_not_ready(container, launcher)
        if self._knock.is_refused(launcher):
            return ipv6_only(container)
        return self._crash.certain(self._engine, container, launcher)

    def likely(self, container: Container, launcher: LauncherStatus) -> NotReadyReason | None:
        """Why it is not ready yet, as far as is known; None where it is about to be."""
        if not launcher.ready:
            return explain_not_ready(container, launcher)
        return ipv6_only(container) if self._knock.was_refused else None

    def close(self) -> None:
        self._knock.close()
