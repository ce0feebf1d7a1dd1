"""``sync``: keeps the workspace on another machine's engine in step with this machine's folder.

What changed is found by scanning the folder, when its file events say that something may have, and
by comparing it with the manifest on the engine. So it does not matter what was missed: while the
link was cut, before it was started, or because no event came.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from debughost_cli import names
from debughost_cli.cancel import CancelToken
from debughost_cli.characters import shown
from debughost_cli.closing import Closing
from debughost_cli.deployment.transport import Transport, transport_of
from debughost_cli.engine.port import Conflict, Engine, NotFound
from debughost_cli.errors import (
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    Interrupted,
    ProjectNotFound,
    SyncConflict,
    WorkspaceConflict,
)
from debughost_cli.project.manifest import Changes
from debughost_cli.project.tree import Tree
from debughost_cli.project.watcher import Watcher
from debughost_cli.resources import Container
from debughost_cli.services.both_sides import changed_on_both
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.projects import inspect_main
from debughost_cli.services.remote_files import delete_now
from debughost_cli.services.sync_lock import SyncLock, new_token
from debughost_cli.services.workspace_state import left_out
from debughost_cli.services.workspace_upload import (
    Sending,
    Uploaded,
    changes_since,
    owner_in,
    read_uploaded,
    scan_workspace,
)

RETRY = 1.0
"""Seconds between two tries to reach an engine that is away, or a container that does not run."""
_SHOWN = 20


class SyncKind(StrEnum):
    """What happened."""

    SENT = "sent"
    WATCHING = "watching"
    AWAY = "away"
    BACK = "back"


class SyncEvent(Struct, frozen=True):
    """``paths``: the first 20 that were sent or deleted. ``message``: why it is away."""

    kind: SyncKind
    project: str
    files: int = 0
    size: int = 0
    deleted: int = 0
    paths: tuple[str, ...] = ()
    seconds: float = 0.0
    message: str = ""


class Copy(Struct, frozen=True):
    """A project's container with an uploaded workspace, and the folder that it is a copy of."""

    container: Container
    workspace: Path

    @property
    def left_out(self) -> tuple[str, ...]:
        """The folders at the top that are never part of it."""
        return left_out(self.container.labels.get(names.TYPE, ""))


def find_copy(engine: Engine, project: str) -> Copy | None:
    """None where the engine mounts the workspace. Raises ProjectNotFound, WorkspaceConflict."""
    container = inspect_main(engine, project)
    if transport_of(container.labels) is not Transport.VOLUME:
        return None
    workspace = container.labels.get(names.WORKSPACE, "")
    if container.labels.get(names.HOST) not in (None, host_identity()):
        raise WorkspaceConflict(
            f"the workspace of {project} is another machine's: {workspace}",
            hint="Run it there, or bring this machine's folder: debughost up -w DIR",
            details={"project": project, "workspace": workspace},
        )
    return Copy(container, Path(workspace))


class _Talk(NullProgress):
    """Passes on warnings alone, each once."""

    def __init__(self, on_warn: Callable[[str, str], None]) -> None:
        self._on_warn = on_warn
        self._seen: set[tuple[str, str]] = set()

    def warn(self, code: str, message: str) -> None:
        if (code, message) not in self._seen:
            self._seen.add((code, message))
            self._on_warn(code, message)


class Syncing(Closing):
    """Holds the lock while it is open; iterated over, it sends what changes, until cancelled."""

    def __init__(
        self, connect: Callable[[], Engine], project: str, on_warn: Callable[[str, str], None],
        cancel: CancelToken, *, overwrite: bool = False,
    ) -> None:  # fmt: skip
        """``overwrite``: also what the program changed as well. Raises what ``find_copy`` raises,
        Busy, and ProjectNotFound for a project that does not run.
        """
        self._connect = connect
        self._project = project
        self._talk = _Talk(on_warn)
        self._cancel = cancel
        self._overwrite = overwrite
        self._token = new_token()
        self._lock: SyncLock | None = None
        self._engine = connect()
        self._scan_seconds = 0.0
        self._uploaded = Uploaded({})
        self._copy = find_copy(self._engine, project)
        if self._copy:
            self._begin(self._copy)

    @property
    def is_needed(self) -> bool:
        """False where the engine mounts the workspace: every change is there already."""
        return self._copy is not None

    def close(self) -> None:
        """Lets another client in."""
        if self._lock:
            self._lock.release()

    def once(self) -> SyncEvent:
        """Sends what differs now. Raises SyncConflict, and what an upload raises."""
        return self._send() or SyncEvent(SyncKind.SENT, self._project)

    def __iter__(self) -> Iterator[SyncEvent | None]:
        """None from time to time, where nothing has happened.

        Raises Interrupted once it is cancelled, SyncConflict, and what an upload raises, but not
        that the engine or the container is away: that is waited for.
        """
        if not self._copy:
            return
        watcher = Watcher(self._copy.workspace, self._copy.left_out)
        try:
            yield SyncEvent(SyncKind.WATCHING, self._project)
            while True:
                try:
                    if event := self._send():
                        yield event
                    while not (self._is_lost or watcher.wait(self._scan_seconds)):
                        self._check_cancelled()
                        yield None
                except (EngineUnavailable, EngineTimeout, ProjectNotFound) as exc:
                    yield SyncEvent(SyncKind.AWAY, self._project, message=exc.message)
                    while not self._is_back():
                        self._check_cancelled()
                        yield None
                    yield SyncEvent(SyncKind.BACK, self._project)
        finally:
            watcher.close()

    def _check_cancelled(self) -> None:
        if self._cancel.is_set():
            raise Interrupted

    @property
    def _is_lost(self) -> bool:
        return self._lock is not None and self._lock.is_lost

    def _begin(self, copy: Copy) -> None:
        container = copy.container
        if not container.is_running:
            raise ProjectNotFound(
                f"project {self._project} is not running ({container.status})",
                hint=f"Start it with 'debughost start {self._project}'",
                details={"project": self._project, "state": container.status.value},
            )
        self.close()
        self._lock = SyncLock(self._engine, container.id, self._project, self._token)
        try:
            self._lock.acquire()
            self._uploaded = read_uploaded(self._engine, container.id, owner_in(container))
        except (NotFound, Conflict):
            raise ProjectNotFound(
                f"the container of {self._project} ended just now",
                hint=f"Start it with 'debughost start {self._project}'",
            ) from None
        self._copy = copy

    def _is_back(self) -> bool:
        """Whether the project can be reached again and runs, after a moment."""
        if self._cancel.wait(RETRY):
            raise Interrupted
        with suppress(EngineUnavailable, EngineTimeout, ProjectNotFound, EngineError):
            before, self._engine = self._engine, self._connect()
            if before is not self._engine:
                before.close()
            copy = find_copy(self._engine, self._project)
            if copy:
                self._begin(copy)
                return True
        return False

    def _send(self) -> SyncEvent | None:
        """Sends what differs; None where nothing does."""
        assert self._copy
        if self._is_lost:
            raise EngineUnavailable(f"the connection to the container of {self._project} ended")
        copy, began = self._copy, time.monotonic()
        tree = scan_workspace(copy.workspace, copy.left_out)
        self._scan_seconds = time.monotonic() - began
        changes = changes_since(self._uploaded, tree)
        if not changes and self._uploaded.upload:
            return None
        user, ref = owner_in(copy.container), copy.container.id
        try:
            if not self._overwrite:
                self._check(tree, changes)
            if not self._uploaded.upload:
                # What a full disk has left of a file may be all that fills it.
                delete_now(self._engine, ref, changes.deleted, tree.entries)
            sending = Sending(
                self._project, user, copy.workspace, tree, changes, self._talk, self._cancel.is_set
            )
            self._uploaded = sending.run(
                self._engine, ref, is_first=self._uploaded.is_new, is_running=True
            )
        except (NotFound, Conflict) as exc:
            raise EngineUnavailable(f"the container of {self._project} ended just now") from exc
        sent = sending.result
        return SyncEvent(
            SyncKind.SENT, self._project, sent.files, sent.size, sent.deleted,
            tuple((*changes.sent, *changes.deleted)[:_SHOWN]), time.monotonic() - began,
        )  # fmt: skip

    def _check(self, tree: Tree, changes: Changes) -> None:
        """Raises SyncConflict where the program changed what is to be sent."""
        assert self._copy
        copy = self._copy
        found = changed_on_both(
            self._engine, copy.container.id, copy.workspace, self._uploaded.entries, tree,
            changes, copy.left_out, is_running=True,
        )  # fmt: skip
        if found:
            raise sync_conflict(self._project, found)


def sync_conflict(project: str, paths: list[str]) -> SyncConflict:
    """The error that names the files, and both ways out of it."""
    return SyncConflict(
        f"changed here and by the program in {project}: {shown(paths)}; nothing was overwritten",
        hint=f"Take the program's with 'debughost pull -p {project} --overwrite', "
        f"or keep yours with 'debughost sync -p {project} --overwrite'",
        details={"project": project, "paths": paths[:1000], "count": len(paths)},
        paths=paths,
    )
