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
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote, urlsplit

from debughost_cli.engine.connect import Address, resolve_address, resolve_name
from debughost_cli.names import MANAGED
from debughost_cli.project.engines import AUTO

_SECONDS = 0.5
"""For everything: an engine that hangs must not hold the terminal."""
_MOST_BYTES = 8 << 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Listed(TypedDict):
    """A container or, without ``State``, a volume: what the engine's JSON has of it for us."""

    Labels: dict[str, str]
    State: str


def managed(
    kind: str, host: str | None, context: str | None, name: str | None = None
) -> Sequence[Listed]:
    """What the engine lists of ours: ``containers`` or ``volumes``, as its JSON has them.

    Raises OSError, ValueError, and what ``resolve_address`` raises.
    """
    address = _address(host, context, name)
    filters = quote(json.dumps({"label": [f"{MANAGED}=true"]}))
    path = {
        "containers": f"/containers/json?all=1&filters={filters}",
        "volumes": f"/volumes?filters={filters}",
    }[kind]
    answer = json.loads(_get(address, path))
    listed: list[Listed] = answer if kind == "containers" else answer["Volumes"] or []
    return listed


def _address(host: str | None, context: str | None, name: str | None) -> Address:
    """That of the options, else of the variables, else of the folder's configuration."""
    if not (host or context or name):
        variables = ("DEBUGHOST_HOST", "DEBUGHOST_CONTEXT", "DEBUGHOST_ENGINE")
        host, context, name = map(os.environ.get, variables)
    if not (host or context or name):
        from debughost_cli.project.folder_engine import engine_of

        found = engine_of(Path.cwd())
        name = found.name if found else None
    if not name or name == AUTO:
        return resolve_address(host, context)
    from debughost_cli.project.user import load_user_configuration

    return resolve_name(name, "flag", load_user_configuration().engines)


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
