"""The facts of ``GET /info`` that stay the same while an engine runs, kept between commands.

For ``/info`` an engine starts three programs, which takes 50 to 120 ms, and every command that
locks a project needs the engine's ID. They are believed of engines behind a socket of this machine
alone, and only as long as the socket is the one that was there: an engine makes a new one when it
starts. Where systemd makes it, another engine could take its place, so nothing is believed for
longer than a day. Of an engine elsewhere, only what it is in a swarm is believed, which every
command needs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from debughost_cli.engine.port_swarm_types import SwarmMembership, SwarmRole
from debughost_cli.private_folder import private_folder
from debughost_cli.resources import UserMapping
from debughost_cli.whole_file import replace_file

_UNIX = "unix://"
_MAX_AGE = 24 * 3600
"""Seconds."""
_MAX_ENGINES = 50
"""Tests and tools may see many sockets."""


class Facts(NamedTuple):
    """The engine's ID, the memory of its machine in bytes, how it maps users, and its swarm."""

    identity: str
    memory: int
    users: UserMapping = UserMapping()
    swarm: SwarmMembership = SwarmMembership()


def read(endpoint: str) -> Facts | None:
    """What was kept for the engine at that address; None where that may not hold any more."""
    socket = _socket(endpoint)
    return _recent(endpoint, socket) if socket else None


def read_swarm(endpoint: str) -> SwarmMembership | None:
    """What an engine elsewhere was in a swarm; whoever finds it otherwise requests it again."""
    found = None if endpoint.startswith(_UNIX) else _recent(endpoint, None)
    return found.swarm if found else None


def _recent(endpoint: str, its_socket: list[int] | None) -> Facts | None:
    match _load().get(endpoint):
        case {
            "socket": socket,
            "id": str(id_),
            "memory": int(memory),
            "users": [bool(by_engine), int(uid), int(gid)],
            "swarm": ["none" | "worker" | "manager" as role, str(node), list(managers)],
            "read_at": float(read_at),
        }:
            is_recent = 0 <= time.time() - read_at < _MAX_AGE
            users = UserMapping(by_engine, uid, gid)
            swarm = SwarmMembership(SwarmRole(role), node, tuple(map(str, managers)))
            facts = Facts(id_, memory, users, swarm)
            return facts if is_recent and socket == its_socket else None
    return None


def keep(endpoint: str, facts: Facts) -> None:
    """For the next command. Does nothing where it cannot be written, or no socket is there."""
    socket = _socket(endpoint)
    path = _path()
    if path is None or (socket is None and endpoint.startswith(_UNIX)):
        return
    users = [facts.users.by_engine, facts.users.first_uid, facts.users.first_gid]
    entry = {
        "socket": socket,
        "id": facts.identity,
        "memory": facts.memory,
        "users": users,
        "swarm": [facts.swarm.role, facts.swarm.node, facts.swarm.managers],
        "read_at": time.time(),
    }
    others = [(e, kept) for e, kept in _load().items() if e != endpoint]
    entries = dict(others[1 - _MAX_ENGINES :]) | {endpoint: entry}
    with suppress(OSError):
        # Others read it meanwhile; it is only for this user.
        replace_file(path, json.dumps(entries))


def _load() -> Mapping[str, object]:
    path = _path()
    try:
        found = json.loads(path.read_text("utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _path() -> Path | None:
    folder = private_folder("engines")
    return folder / "facts.json" if folder else None


def _socket(endpoint: str) -> list[int] | None:
    """What tells a socket from another one at its place; None where there is none."""
    if not endpoint.startswith(_UNIX):
        return None
    try:
        found = Path(endpoint.removeprefix(_UNIX)).stat()
    except OSError:
        return None
    return [found.st_dev, found.st_ino, found.st_ctime_ns]
