"""``pull``: brings what the program wrote on another machine's engine into the workspace.

Compared are the manifest of the last upload, the files there and the files here. What changed there
alone is fetched; what changed on both sides is never overwritten unasked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from enum import StrEnum

from msgspec import Struct

from debughost_cli import names
from debughost_cli.characters import shown
from debughost_cli.engine.port import Conflict, Engine, NotFound
from debughost_cli.errors import (
    Busy,
    InvalidWorkspace,
    ProjectNotFound,
    Usage,
)
from debughost_cli.project.beneath import UnusableFile
from debughost_cli.project.manifest import Changes
from debughost_cli.project.tree import Entry, EntryKind, Tree
from debughost_cli.project.written_back import Workspace, may_be_written
from debughost_cli.services.progress import NullProgress, Progress
from debughost_cli.services.remote_contents import read_contents
from debughost_cli.services.remote_files import conflicts, is_same, list_files
from debughost_cli.services.sync import Copy, find_copy, sync_conflict
from debughost_cli.services.sync_lock import SyncLock, new_token
from debughost_cli.services.workspace_upload import (
    Sending,
    Uploaded,
    owner_in,
    read_uploaded,
)

LARGEST = 1024**3
"""Bytes of a file that is fetched without being named."""


class PullKind(StrEnum):
    """What the program did with a file since it was uploaded."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


class PulledFile(Struct, frozen=True):
    """``path``: relative to the workspace. ``size`` in bytes, 0 of what is no file."""

    path: str
    kind: PullKind
    size: int = 0


class PullResult(Struct, frozen=True):
    """``files``: what was brought here, or would be; of deleted ones only those that were asked
    for. ``is_needed``: false where the engine mounts the workspace.
    """

    project: str
    files: tuple[PulledFile, ...] = ()
    is_needed: bool = True
    is_dry_run: bool = False


class PullOptions(Struct, frozen=True):
    """``paths``: only these and what is in them, also where ignore rules leave them out.

    ``overwrite``: also what changed here. ``deletes``: also deletes what the program deleted.
    """

    paths: tuple[str, ...] = ()
    dry_run: bool = False
    overwrite: bool = False
    deletes: bool = False


class PullService:
    """Fetches from the containers of one engine."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def run(self, project: str, options: PullOptions) -> PullResult:
        """Raises SyncConflict, ProjectNotFound, WorkspaceConflict, Usage, InvalidWorkspace."""
        copy = find_copy(self._engine, project)
        if copy is None:
            return PullResult(project, is_needed=False)
        if not copy.container.is_running:
            raise _not_running(project, copy.container.status.value)
        with _opened(copy) as workspace:
            try:
                return self._run(project, copy, workspace, options)
            except (NotFound, Conflict):
                raise _not_running(project, "ended just now") from None

    def _run(
        self, project: str, copy: Copy, workspace: Workspace, options: PullOptions
    ) -> PullResult:
        ref = copy.container.id
        uploaded = read_uploaded(self._engine, ref, owner_in(copy.container))
        remote = list_files(self._engine, ref, copy.left_out)
        wanted = _Wanted(workspace, uploaded.entries, remote, options)
        local = {p: e for p in wanted.all if (e := workspace.entry(p))}
        found = conflicts(uploaded.entries, local, remote, wanted.fetched)
        found += [p for p in wanted.deleted if not is_same(uploaded.entries[p], local.get(p))]
        if found and not options.overwrite:
            raise sync_conflict(project, found)
        fetched = {p: remote[p] for p in wanted.fetched if not is_same(local.get(p), remote[p])}
        files = tuple(
            PulledFile(p, PullKind.CHANGED if p in uploaded.entries else PullKind.CREATED, e.size)
            for p, e in fetched.items()
        ) + tuple(PulledFile(p, PullKind.DELETED) for p in wanted.deleted if p in local)
        if wanted.large:
            text = f"larger than 1 GiB, and not fetched: {shown(wanted.large)}"
            self._progress.warn("FILES_LARGE", f"{text}; name them to fetch them")
        if options.dry_run or not files:
            return PullResult(project, files, is_dry_run=options.dry_run)
        done = self._fetch(ref, workspace, fetched)
        for path in wanted.deleted:
            workspace.delete(path)
        self._note(project, copy, uploaded, workspace, done, wanted.deleted)
        gone = fetched.keys() - done
        return PullResult(project, tuple(f for f in files if f.path not in gone))

    def _fetch(self, ref: str, workspace: Workspace, entries: Mapping[str, Entry]) -> set[str]:
        """What was written; a warning names what was not."""
        done: set[str] = set()
        unsafe: list[str] = []
        for path, entry in entries.items():
            with suppress(OSError, UnusableFile):
                if entry.kind is EntryKind.FOLDER:
                    workspace.make_folder(path)
                    done.add(path)
                elif entry.kind is EntryKind.LINK and workspace.write_link(path, entry.target):
                    done.add(path)
                continue
        files = {p: e for p, e in entries.items() if e.kind is EntryKind.FILE}
        for path, data in read_contents(self._engine, ref, files) if files else ():
            try:
                if workspace.write_file(path, files[path], data):
                    done.add(path)
            except UnusableFile:
                unsafe.append(path)
            except OSError as exc:
                raise InvalidWorkspace(
                    f"{path} cannot be written: {(exc.strerror or 'it failed').lower()}",
                    hint="Check the permissions and the space of the workspace, then pull again",
                    details={"path": path},
                ) from exc
        left = sorted(entries.keys() - done)
        if left:
            text = f"not fetched: {shown(left)}"
            why = "links that lead out, folders of that name here, or changed meanwhile"
            self._progress.warn("FILES_LEFT", f"{text} ({why})")
        return done

    def _note(
        self, project: str, copy: Copy, uploaded: Uploaded, workspace: Workspace,
        done: set[str], deleted: Sequence[str],
    ) -> None:  # fmt: skip
        """Brings the manifest up to date, unless a running ``sync`` does so itself."""
        lock = SyncLock(self._engine, copy.container.id, project, new_token())
        with suppress(Busy):
            lock.acquire()
            try:
                same = {
                    p: e
                    for p in done
                    if (e := workspace.entry(p)) and not _ignored(workspace, p, e)
                }
                entries = {p: e for p, e in uploaded.entries.items() if p not in deleted} | same
                changes = Changes(tuple(sorted(same)), ())
                Sending(
                    project, owner_in(copy.container), copy.workspace, Tree(entries), changes,
                    NullProgress(), lambda: False,
                ).run(self._engine, copy.container.id, is_first=False, is_running=True)  # fmt: skip
            finally:
                lock.release()


def _ignored(workspace: Workspace, path: str, entry: Entry) -> bool:
    return workspace.is_ignored(path, is_folder=entry.kind is EntryKind.FOLDER)


class _Wanted:
    """Which paths a pull is about."""

    def __init__(
        self, workspace: Workspace, base: Mapping[str, Entry], remote: Mapping[str, Entry],
        options: PullOptions,
    ) -> None:  # fmt: skip
        self._paths = tuple(_inside(p) for p in options.paths)
        self.large: list[str] = []
        self.fetched = [
            p for p, e in remote.items()
            if not is_same(base.get(p), e) and self._is_chosen(workspace, p, e)
        ]  # fmt: skip
        self.deleted = [
            p for p in sorted(base, reverse=True)
            if options.deletes and p not in remote and may_be_written(p) and self._is_named(p)
        ]  # fmt: skip
        for path in self._paths:
            if not any(p == path or p.startswith(f"{path}/") for p in (*remote, *base)):
                raise Usage(
                    f"there is no {path} in the project's container",
                    hint="'debughost exec ls' shows what is there; paths are relative to /app",
                )

    @property
    def all(self) -> list[str]:
        return [*self.fetched, *self.deleted]

    def _is_named(self, path: str) -> bool:
        return not self._paths or any(path == p or path.startswith(f"{p}/") for p in self._paths)

    def _is_chosen(self, workspace: Workspace, path: str, entry: Entry) -> bool:
        if not may_be_written(path):
            return False
        if self._paths:
            return self._is_named(path)
        if _ignored(workspace, path, entry):
            return False
        if entry.size > LARGEST:
            self.large.append(path)
            return False
        return True


def _inside(path: str) -> str:
    """As paths of the workspace are. Raises Usage."""
    made = os.path.normpath(path.removeprefix(names.WORKDIR).lstrip("/") if path.startswith(
        f"{names.WORKDIR}/") else path)  # fmt: skip
    if made in (".", "") or not may_be_written(made) or made.startswith(("/", "..")):
        raise Usage(
            f"{path} cannot be fetched",
            hint="Give a path in the workspace, such as src/generated; never .git",
        )
    return made


@contextmanager
def _opened(copy: Copy) -> Iterator[Workspace]:
    try:
        workspace = Workspace(copy.workspace)
    except OSError as exc:
        raise InvalidWorkspace(
            f"the workspace cannot be opened: {copy.workspace}: {exc.strerror}",
            hint="Is its folder still there?",
        ) from exc
    with closing(workspace):
        yield workspace


def _not_running(project: str, state: str) -> ProjectNotFound:
    return ProjectNotFound(
        f"project {project} is not running ({state})",
        hint=f"Start it with 'debughost start {project}'",
        details={"project": project, "state": state},
    )
