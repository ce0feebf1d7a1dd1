"""A time limit for a whole exchange: a socket's own timeout starts again with every byte.

An engine, or a proxy before it, that sends a byte every few seconds would otherwise never time
out. The limit belongs to the calling thread; without one the socket's own timeout applies, as it
should for streams.

It holds for what is sent as well: urllib3 sends within the connect timeout, and an engine whose
disk is busy takes longer than that to read an archive.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests.adapters
import urllib3
from docker.transport import UnixHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnection, UnixHTTPConnectionPool

from debughost_cli.engine.reachability import READ_TIMEOUT

_now = threading.local()


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Requests of the block must be answered whole in so many seconds; None: no such limit."""
    before = getattr(_now, "deadline", None)
    _now.deadline = None if seconds is None else time.monotonic() + seconds
    try:
        yield
    finally:
        _now.deadline = before


def _limit(sock: socket.socket, usual: float | None) -> None:
    """Gives the next operation the time that is left, or ``usual`` seconds without a limit.

    Raises TimeoutError once the deadline is over.
    """
    deadline = getattr(_now, "deadline", None)
    left = usual if deadline is None else deadline - time.monotonic()
    if left is not None and left <= 0:
        raise TimeoutError("timed out")
    sock.settimeout(left)


class _LimitedReader(io.RawIOBase):
    """Reads from a socket until the deadline. ``sock``: for those who take the socket over."""

    def __init__(self, raw: Any, sock: socket.socket) -> None:
        self._raw = raw
        self.sock = sock
        self._usual = sock.gettimeout()
        self.is_over = False
        self._is_taken_over = False

    def take_over(self) -> socket.socket:
        """The socket, whose own mode counts from now on."""
        self._is_taken_over = True
        return self.sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As a socket's. Raises TimeoutError once the deadline is over."""
        if not self._is_taken_over:
            _limit(self.sock, self._usual)
        count: int | None = self._raw.readinto(buffer)
        self.is_over = count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._reader = _LimitedReader(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        """As ``http.client``'s, which takes a head that was cut off for a whole one."""
        super().begin()
        if self._reader.is_over:
            raise http.client.RemoteDisconnected("the connection ended within an answer")


class _Connection(http.client.HTTPConnection):
    """What the three kinds of connection have in common."""

    response_class = _Response

    def send(self, data: Any) -> None:
        """As ``http.client``'s, with a timeout for sending in place of the one for connecting."""
        if self.sock is None:
            self.connect()
        _limit(self.sock, READ_TIMEOUT)
        super().send(data)


class _UnixConnection(_Connection, UnixHTTPConnection):  # type: ignore[misc]  # docker-py ships no types
    pass


class _UnixPool(UnixHTTPConnectionPool):  # type: ignore[misc]  # docker-py ships no types
    def _new_conn(self) -> _UnixConnection:
        return _UnixConnection(self.base_url, self.socket_path, self.timeout)


class UnixAdapter(UnixHTTPAdapter):  # type: ignore[misc]  # docker-py ships no types
    """With one pool of connections; docker-py's has one for each URL, so that hardly any is used
    again.
    """

    def __init__(self, path: str, timeout: float, size: int) -> None:
        super().__init__(path, timeout, max_pool_size=size)
        self._pool = _UnixPool("http+docker://localhost", path, timeout, maxsize=size)

    def get_connection(self, url: Any, proxies: Any = None) -> _UnixPool:
        """The pool of the engine."""
        return self._pool

    def close(self) -> None:
        """Closes pooled connections."""
        self._pool.close()


class _HttpConnection(_Connection, urllib3.connection.HTTPConnection):
    pass


class _HttpsConnection(_Connection, urllib3.connection.HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class TcpAdapter(requests.adapters.HTTPAdapter):
    """For engines behind http and https."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests' does, with our connections in the pools."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
