"""Whether the process that created a container is still at work on it.

A lock keeps the commands of one user on one machine apart; those of other users and machines are
not, and must not take what is just being created for a leftover.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from debughost_cli import names

REMOTE_OWNER_TIMEOUT = timedelta(seconds=60)
"""How long an owner process on another machine, which cannot be observed, counts as at work."""
_START_TOLERANCE = 2.0
"""Seconds by which two readings of a process's start may differ when the clock was set."""
RAN_AT = time.time()
"""A moment at which this process ran, in seconds since the epoch. Its start would take psutil."""


class OwnerProcess(Struct, frozen=True):
    """A process: its machine, its number, and a moment at which the number was its own.

    ``ran_at``: in seconds since the epoch; another process with that number started later.
    """

    host: str
    pid: int
    ran_at: float

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.ran_at:.2f}"


def this_process(host: str) -> OwnerProcess:
    """The process that runs this; ``host``: the identity of its machine."""
    return OwnerProcess(host, os.getpid(), RAN_AT)


def parse(text: str) -> OwnerProcess | None:
    """The owner process in a label, None where there is none that can be read."""
    host, _, rest = text.partition(":")
    pid, _, ran_at = rest.partition(":")
    try:
        return OwnerProcess(host, int(pid), float(ran_at))
    except ValueError:
        return None


def is_at_work(
    labels: Mapping[str, str], created_at: datetime, this: OwnerProcess, now: datetime | None = None
) -> bool:
    """True while the container's owner process may still be busy with it; never for our own."""
    text = labels.get(names.OWNER, "")
    if not text or text == str(this):
        return False
    owner = parse(text)
    if owner and owner.host == this.host:
        return is_alive(owner.pid, owner.ran_at)
    return (now or datetime.now(UTC)) - created_at < REMOTE_OWNER_TIMEOUT


def is_alive(pid: int, ran_at: float) -> bool:
    """Whether the process that had the number at that moment still runs; numbers are used again."""
    import psutil

    try:
        return psutil.Process(pid).create_time() < ran_at + _START_TOLERANCE
    except (psutil.NoSuchProcess, ValueError):  # No process has a negative number.
        return False
