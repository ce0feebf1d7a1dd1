"""Whether the engine behind a socket of this machine is known to see this machine's files.

A socket may lead elsewhere: to a virtual machine, a container, or through ssh to another machine.
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

_UNIX = "unix://"
_ENGINES = ("dockerd", "podman")
_TIMEOUT = 1.0
"""Seconds; a socket accepts at once, or its queue is full."""


def shares_files(endpoint: str) -> bool:
    """True where the process behind the socket is an engine with our own mounts and root folder.

    False also where that cannot be found out: only root may look into another user's process, and
    where systemd made the socket, it is systemd's.
    """
    if not endpoint.startswith(_UNIX) or sys.platform != "linux":
        return False
    with suppress(OSError):
        process = Path("/proc") / str(_peer(endpoint.removeprefix(_UNIX)))
        is_engine = (process / "exe").readlink().name in _ENGINES
        same_mounts = (process / "ns/mnt").readlink() == Path("/proc/self/ns/mnt").readlink()
        return is_engine and same_mounts and (process / "root").samefile("/")
    return False


def _peer(path: str) -> int:
    """The process that listens; 0 where it is in another process namespace. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_TIMEOUT)
        probe.connect(path)
        found = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", found)[0])
