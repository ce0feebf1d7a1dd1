"""Whether a program answers HTTP: one request, with one deadline for the whole answer.

``http.client`` has a timeout for each read alone, which a program that sends a byte a second never
reaches; and it cannot be asked now and then whether an answer has come.
"""

from __future__ import annotations

import re
import socket
import time
from contextlib import closing
from urllib.parse import quote

from msgspec import Struct

TIMEOUT = 2.0
"""Seconds for the connection and the head of the answer together."""
LONGEST_HEAD = 64 * 1024
"""Bytes; what sends more before the first empty line is no web server."""
_SAFE = "/?#[]@!$&'()*+,;=:%~"
_STATUS = re.compile(rb"HTTP/1\.[0-9]+ ([0-9]{3})(?: |\r?\n)")
_END = re.compile(rb"\r?\n\r?\n")
_INTERIM = range(100, 200)
_FIRST_ERROR = 400


class Answer(Struct, frozen=True):
    """``status``: None where none came; ``text``: what came, as the end of "the last answer"."""

    status: int | None
    text: str

    @property
    def is_good(self) -> bool:
        """A page or a redirection."""
        return self.status is not None and self.status < _FIRST_ERROR


class Request:
    """One GET on its way. Whoever makes it closes it; nothing is raised."""

    def __init__(self, address: str, port: int, path: str, timeout: float = TIMEOUT) -> None:
        self._received, self._searched = b"", 0
        self._connection: socket.socket | None = None
        self._failure: OSError | None = None
        target = quote(path, safe=_SAFE)
        head = f"GET {target} HTTP/1.1\r\nHost: {address}:{port}\r\nAccept: */*\r\n"
        try:
            self._connection = socket.create_connection((address, port), timeout)
            self._connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        except OSError as exc:
            self._failure = exc

    def answer(self, seconds: float) -> Answer | None:
        """What has come within ``seconds``; None while it may still come."""
        deadline = time.monotonic() + seconds
        try:
            return self._read(deadline)
        except TimeoutError:
            return None
        except OSError:
            return Answer(None, "the connection was lost")

    def close(self) -> None:
        """May be called again."""
        if self._connection:
            self._connection.close()

    def _read(self, deadline: float) -> Answer | None:
        """Raises OSError, TimeoutError at the deadline."""
        if self._failure or not self._connection:
            return Answer(None, "no connection")
        while len(self._received) <= LONGEST_HEAD:
            if (left := deadline - time.monotonic()) <= 0:
                return None
            self._connection.settimeout(left)
            data = self._connection.recv(4096)
            self._received += data
            if found := self._status():
                return found
            if not data:
                return Answer(None, "the connection was closed without one")
        return Answer(None, "not HTTP")

    def _status(self) -> Answer | None:
        """The final status, None while no head with one is whole."""
        while end := _END.search(self._received, self._searched):
            found = _STATUS.match(self._received)
            if not found:
                return Answer(None, "not HTTP")
            if int(found[1]) not in _INTERIM:
                return Answer(int(found[1]), found[1].decode())
            self._received, self._searched = self._received[end.end() :], 0
        self._searched = max(0, len(self._received) - 3)
        return None


def status_of(address: str, port: int, path: str, timeout: float = TIMEOUT) -> int | None:
    """The status of an answer within ``timeout`` seconds, None without one."""
    deadline = time.monotonic() + timeout
    with closing(Request(address, port, path, timeout)) as request:
        answer = request.answer(deadline - time.monotonic())
    return answer.status if answer else None
