"""Finding out whether a program that listens also accepts: one connection that says nothing.

A socket listens from the moment when a reloader or a server's first process has made it, which may
be long before, or long after, there is anybody to accept. The program sees no request, so that it
logs none.
"""

from __future__ import annotations

import socket
from contextlib import suppress

from debughost_cli.clock import Clock
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.resources import Container

PATIENCE = 0.5
"""Seconds until the launcher has seen the connection; without a word of it, nothing is known."""
GRACE = 2.0
"""Seconds in which a program that refuses IPv4 may still begin to accept it."""
_CONNECT = 0.2


class Knock:
    """Holds a connection to the published port while the project is waited for."""

    def __init__(self, clock: Clock, *, shares_machine: bool) -> None:
        self._clock = clock
        self._possible = shares_machine
        self._connection: socket.socket | None = None
        self._since = 0.0
        self._refused_since: float | None = None

    def is_over(self, container: Container, launcher: LauncherStatus) -> bool:
        """Whether to believe ``launcher``, which reports ready: the program has accepted, or
        nothing shows that it does not.
        """
        if launcher.accepts or not self._possible or not container.port:
            return True
        if self._connection is None and not self._connect(container.port):
            return True
        if not self._was_closed():
            return self._clock.monotonic() - self._since >= PATIENCE
        self.close()
        if launcher.ipv6 and self._refused_since is None:
            self._refused_since = self._clock.monotonic()
        return not launcher.ipv6

    @property
    def was_refused(self) -> bool:
        """Whether what listens for IPv6 has refused IPv4."""
        return self._refused_since is not None

    def is_refused(self, launcher: LauncherStatus) -> bool:
        """Whether it has done so for 2 s."""
        if not (launcher.ready and launcher.ipv6) or self._refused_since is None:
            return False
        return self._clock.monotonic() - self._refused_since >= GRACE

    def close(self) -> None:
        """May be called again."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _connect(self, port: int) -> bool:
        """False where nothing is known: the engine's ports may be in another network namespace."""
        with suppress(OSError):
            self._connection = socket.create_connection(("127.0.0.1", port), _CONNECT)
            self._connection.setblocking(False)
            self._since = self._clock.monotonic()
            return True
        return False

    def _was_closed(self) -> bool:
        """The engine's port proxy accepts first, and closes when the container refuses."""
        assert self._connection is not None
        try:
            return not self._connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
