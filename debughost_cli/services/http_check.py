"""Whether a program answers HTTP: one request, with one deadline for the whole answer.

``http.client`` has a timeout for each read alone, which a program that sends a byte a second never
reaches.
"""

from __future__ import annotations

import http.client
import re
import socket
import time
from contextlib import suppress
from urllib.parse import quote

TIMEOUT = 2.0
"""Seconds for the connection and the head of the answer together."""
LONGEST_HEAD = 64 * 1024
"""Bytes; what sends more before the first empty line is no web server."""
_SAFE = "/?#[]@!$&'()*+,;=:%~"
_STATUS = re.compile(rb"HTTP/1\.[0-9]+ ([0-9]{3})(?: |\r?\n)")
_END = re.compile(rb"\r?\n\r?\n")
_INTERIM = range(100, 200)


def answers(port: int, path: str, timeout: float = TIMEOUT) -> bool:
    """True for an answer below 400 on the loopback's ``port`` within ``timeout`` seconds."""
    status = status_of("127.0.0.1", port, path, timeout)
    return status is not None and status < http.client.BAD_REQUEST


def status_of(address: str, port: int, path: str, timeout: float = TIMEOUT) -> int | None:
    """The status of an answer within ``timeout`` seconds, None without one."""
    deadline = time.monotonic() + timeout
    target = quote(path, safe=_SAFE)
    request = f"GET {target} HTTP/1.1\r\nHost: {address}:{port}\r\nAccept: */*\r\n"
    with suppress(OSError), socket.create_connection((address, port), timeout) as connection:
        connection.sendall(f"{request}Connection: close\r\n\r\n".encode())
        return _status(connection, deadline)
    return None


def _status(connection: socket.socket, deadline: float) -> int | None:
    """The final status, None for no HTTP or no whole head. Raises OSError, as at the deadline."""
    received, searched = b"", 0
    while len(received) <= LONGEST_HEAD:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        connection.settimeout(left)
        data = connection.recv(4096)
        received += data
        while end := _END.search(received, searched):
            found = _STATUS.match(received)
            if not found:
                return None
            if int(found[1]) not in _INTERIM:
                return int(found[1])
            received, searched = received[end.end() :], 0
        searched = max(0, len(received) - 3)
        if not data:
            return None
    return None
