"""Whether the process that made a container is still at work on it.

Commands of one user on one machine are kept apart by a lock; those of other users and machines are
not, and must not take what is just being made for something that was left behind.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from debughost_cli import names

OTHERS_TIME = timedelta(seconds=60)
"""How long a maker on another machine, which cannot be looked at, is believed to be at work."""


def signature() -> str:
    """The label of what this process makes."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_at_work(labels: Mapping[str, str], created_at: datetime) -> bool:
    """True while the container's maker may still be busy with it; never for our own."""
    host, _, pid = labels.get(names.OWNER, "").rpartition(":")
    if not pid.isdigit() or labels[names.OWNER] == signature():
        return False
    if host == socket.gethostname():
        return is_alive(int(pid))
    return datetime.now(UTC) - created_at < OTHERS_TIME


def is_alive(pid: int) -> bool:
    """Whether this machine has such a process."""
    from psutil import pid_exists

    return pid_exists(pid)
