"""One request to the engine, which answers at once or not at all.

Not through docker-py: to load it takes longer than a completion may. Engines elsewhere (ssh, TLS,
another machine) are not requested: to connect takes longer than somebody waits for a Tab.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Sequence
from typing import TypedDict
from urllib.parse import quote, urlsplit

from debughost_cli.engine.connect import Address, resolve_address
from debughost_cli.names import MANAGED

_SECONDS = 0.5
"""For everything: an engine that hangs must not hold the terminal."""
_MOST_BYTES = 8 << 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Listed(TypedDict):
    """A container or, without ``State``, a volume: what the engine's JSON has of it for us."""

    Labels: dict[str, str]
    State: str


def managed(kind: str, host: str | None, context: str | None) -> Sequence[Listed]:
    """What the engine lists of ours: ``containers`` or ``volumes``, as its JSON has them.

    Raises OSError, ValueError, and what ``resolve_address`` raises.
    """
    if not host and not context:
        host, context = os.environ.get("DEBUGHOST_HOST"), os.environ.get("DEBUGHOST_CONTEXT")
    filters = quote(json.dumps({"label": [f"{MANAGED}=true"]}))
    path = {
        "containers": f"/containers/json?all=1&filters={filters}",
        "volumes": f"/volumes?filters={filters}",
    }[kind]
    answer = json.loads(_get(resolve_address(host, context), path))
    listed: list[Listed] = answer if kind == "containers" else answer["Volumes"] or []
    return listed


def _get(address: Address, path: str) -> bytes:
    """The body of an answer. In HTTP/1.0 it ends with the connection, and has no chunks."""
    deadline = time.monotonic() + _SECONDS
    with _connection(address, _SECONDS) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
        parts: list[bytes] = []
        while sum(map(len, parts)) < _MOST_BYTES:
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            part = connection.recv(65536)
            if not part:
                break
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] != [b"200"]:
        raise ValueError("the engine refused")
    return body


def _connection(address: Address, timeout: float) -> socket.socket:
    parts = urlsplit(address.url)
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(parts.path)
        except OSError:
            connection.close()
            raise
        return connection
    if parts.scheme not in ("tcp", "http") or address.tls or parts.hostname not in _LOOPBACK:
        raise ValueError("the engine is elsewhere")
    return socket.create_connection((parts.hostname, parts.port or 2375), timeout)
