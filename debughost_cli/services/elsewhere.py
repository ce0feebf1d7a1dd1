"""Finding out that a project listens on another port than its own, and on which."""

from __future__ import annotations

from collections.abc import Sequence

from debughost_cli.clock import Clock
from debughost_cli.models import Listener
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.planning.listeners import grace, relevant
from debughost_cli.resources import Container
from debughost_cli.services.http_check import status_of

_FIRST_ERROR = 400


class Elsewhere:
    """Follows what a project listens on while it is not ready."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: tuple[bool, tuple[Listener, ...]] = (False, ())
        self._since = clock.monotonic()

    def is_settled(self, container: Container, launcher: LauncherStatus) -> bool:
        """Whether it has listened elsewhere for long enough, and on nothing else meanwhile."""
        others = relevant(launcher.others, container)
        seen = (launcher.loopback, others)
        if seen != self._seen:
            self._seen, self._since = seen, self._clock.monotonic()
        return any(seen) and self._clock.monotonic() - self._since >= grace(container, launcher)


def choose_port(listeners: Sequence[Listener], container: Container, address: str) -> int | None:
    """The port of the project's page, None where that is not certain.

    Of several, it is the one whose page answers best. ``address``: the container's, empty where it
    cannot be reached from here.
    """
    ports = [found.port for found in relevant(listeners, container) if not found.is_loopback]
    if len(ports) < 2:
        return ports[0] if ports else None
    if not address:
        return None
    ranks = {port: _rank(address, port) for port in ports}
    best = [port for port, rank in ranks.items() if rank == max(ranks.values())]
    return best[0] if len(best) == 1 and ranks[best[0]] else None


def _rank(address: str, port: int) -> int:
    """2 for a page, 1 for another answer of HTTP, 0 for none."""
    status = status_of(address, port, "/")
    if status is None:
        return 0
    return 2 if status < _FIRST_ERROR else 1
