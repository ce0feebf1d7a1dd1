"""One command at a time on a project; two projects never wait for each other.

The lock is a file of this machine's user, held by the operating system for the life of the
process (filelock), so that a killed command never leaves one behind. What two machines do on one
engine is settled after creating, by looking again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from debughost_cli.errors import Busy
from debughost_cli.names import rfc3339
from debughost_cli.private_folder import private_folder
from debughost_cli.services.owner_process import RAN_AT, is_alive
from debughost_cli.services.progress import OnPhase, PhaseKind

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK_TIMEOUT = 30.0
"""Seconds to wait for another command before giving up, from the contract."""
_POLL = 0.05
_held: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())
"""The locks of this thread: a command that is made of others holds them for all of these."""


@contextmanager
def project_lock(
    engine: str,
    project: str,
    *,
    on_wait: OnPhase,
    timeout: float = LOCK_TIMEOUT,
) -> Iterator[None]:
    """Locks a project of one engine, given by its identity. Within it, it may be locked again.

    Raises Busy, naming the owner process.
    """
    from filelock import FileLock

    path = _path(engine, project)
    if path in _held.get():
        yield
        return
    lock = FileLock(path, mode=0o600)
    try:
        _acquire(lock, path, project, on_wait, timeout)
        _write_owner(path)
        token = _held.set(_held.get() | {path})
        try:
            yield
        finally:
            _held.reset(token)
    finally:
        try:
            _release(lock, path)
        finally:
            # A signal is raised once: what it cut off is done now. A rollback takes the lock again.
            _release(lock, path)


def _acquire(
    lock: BaseFileLock, path: Path, project: str, on_wait: OnPhase, timeout: float
) -> None:
    from filelock import Timeout

    try:
        lock.acquire(timeout=0)
    except Timeout:
        owner = describe(_owner_of(path))
        on_wait(PhaseKind.LOCK, f"Waiting for another command on {project} ({owner})")
        try:
            lock.acquire(timeout=timeout, poll_interval=_POLL)
        except Timeout:
            raise _busy(project, _owner_of(path), timeout) from None
    except OSError as exc:
        raise Busy(
            f"the lock file {path} cannot be used: {exc.strerror or exc}",
            hint="It is another user's: remove it, or set XDG_STATE_HOME to a folder of yours",
        ) from None


def _release(lock: BaseFileLock, path: Path) -> None:
    """Does nothing where it was released, or never acquired."""
    if lock.is_locked:
        with suppress(OSError):
            _note(path).unlink()
        lock.release(force=True)


def is_held(engine: str, project: str) -> bool:
    """True while a command of this user works on the project, as the lock's note shows."""
    note = _noted(_path(engine, project))
    pid, ran_at = note.get("pid"), note.get("ran_at")
    return isinstance(pid, int) and isinstance(ran_at, float) and is_alive(pid, ran_at)


def _path(engine: str, project: str) -> Path:
    return lock_folder() / f"{hashlib.sha256(engine.encode()).hexdigest()[:16]}-{project}.lock"


def lock_folder() -> Path:
    """Where this user's locks are. Raises Busy where no folder for them can be written."""
    folder = private_folder("locks")
    if folder is None:
        raise Busy("no folder for locks can be written", hint="Set XDG_STATE_HOME to one that can")
    return folder


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _write_owner(path: Path) -> None:
    """The process that has the lock, for the message of the others; it may fail."""
    facts = {
        "pid": os.getpid(),
        "ran_at": RAN_AT,
        "command": Path(sys.argv[0]).name + " " + " ".join(sys.argv[1:2]),
        "since": rfc3339(datetime.now(UTC)),
    }
    with suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(_note(path), flags, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(facts, stream)


def _owner_of(path: Path) -> dict[str, object]:
    for _ in range(3):
        facts = _noted(path)
        if facts:
            return facts
        # The owner process has the lock, but has not written its note yet.
        time.sleep(0.01)
    return {}


def _noted(path: Path) -> dict[str, object]:
    try:
        facts = json.loads(_note(path).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def describe(owner: dict[str, object]) -> str:
    """The owner process, for a message."""
    if not owner:
        return "its process is not known"
    command = str(owner.get("command")).strip()
    return f"pid {owner.get('pid')}, {command}, since {owner.get('since')}"


def _busy(project: str, owner: dict[str, object], timeout: float) -> Busy:
    return Busy(
        f"another command holds project {project}: {describe(owner)}",
        hint=f"It was waited for {timeout:.0f} s; try again when it is done",
        details={"project": project, "holder": owner},
    )
