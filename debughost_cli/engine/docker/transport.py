"""A time limit for a whole answer: a socket's own timeout starts again with every byte.

An engine, or a proxy before it, that sends a byte every few seconds would otherwise never time
out. The limit belongs to the calling thread; without one the socket's own timeout applies, as it
should for streams.
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


class _LimitedReader(io.RawIOBase):
    """Reads from a socket until the deadline. ``sock``: for those who take the socket over."""

    def __init__(self, raw: Any, sock: socket.socket) -> None:
        self._raw = raw
        self.sock = sock
        self._usual = sock.gettimeout()
        self.is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As a socket's. Raises TimeoutError once the deadline is over."""
        deadline = getattr(_now, "deadline", None)
        if deadline is None:
            self.sock.settimeout(self._usual)
        else:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self.sock.settimeout(left)
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


class _UnixConnection(UnixHTTPConnection):  # type: ignore[misc]  # docker-py ships no types
    response_class = _Response


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


class _HttpConnection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _HttpsConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


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
