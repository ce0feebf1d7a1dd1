"""Brings a workspace to an engine that does not see this machine's files.

The files are unpacked into a container with the workspace volume at ``/app``: the project's own, or
any that was only created. Beside them, in ``/app/.debughost``, is what tells the state:

- ``pending``: what the upload that was begun last was to send, written before the first file;
- ``manifest``: the manifest of the one that was completed last, written after everything else;
- ``deleted``: shell commands that delete what is gone here, where the container did not run. The
  launcher runs them before the program starts.

So an upload that was cut off is known by two manifests of different ids. What the program wrote
itself is in no manifest, and stays.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.characters import shown
from debughost_cli.engine.port import Conflict, Engine, NotFound
from debughost_cli.errors import EngineError, Interrupted, InvalidWorkspace
from debughost_cli.project.manifest import (
    Changes,
    Manifest,
    decode_manifest,
    encode_manifest,
    find_changes,
)
from debughost_cli.project.tree import RESERVED, Entry, EntryKind, Tree, scan
from debughost_cli.project.tree_archive import TreeArchive, compressed
from debughost_cli.resources import Container
from debughost_cli.services.both_sides import changed_on_both, without
from debughost_cli.services.deletions import DELETED, delete_commands, paths_in
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.sync_lock import LOCK
from debughost_cli.specs import User

MANIFEST, PENDING = "manifest", "pending"
DELETE = ("/bin/sh", f"{names.SYNC_DIR}/{DELETED}")
"""Deletes in a running container what is gone here."""
_LONGEST = 4 * 1024**2
"""Bytes of a manifest that are read: those of some 200,000 files."""
_UNKNOWN = Entry(EntryKind.FILE, -1)
"""In the place of what may be there in any state; equal to no entry of a workspace."""
_DETAIL_SECONDS = 1.0


class Uploaded(Struct, frozen=True):
    """What is known to be in a workspace volume.

    ``entries``: those of the last complete upload, ``_UNKNOWN`` where a later one was cut off.
    ``upload``: the id of the last upload if it is complete, else empty. ``to_delete``: what is
    deleted at the next start. ``is_new``: nothing was ever uploaded. ``has_client``: one that keeps
    it in step is noted; it may have been killed.
    """

    entries: Mapping[str, Entry]
    upload: str = ""
    to_delete: tuple[str, ...] = ()
    is_new: bool = True
    has_client: bool = False


class Upload(Struct, frozen=True):
    """What an upload did: how many files it sent, their bytes, and how many paths it deleted.

    ``changing``: files that changed each time they were read; the next upload sends them again.
    ``kept``: how many were left as the program changed them, for they have changed here as well.
    """

    files: int
    size: int
    deleted: int
    changing: tuple[str, ...] = ()
    kept: int = 0


def read_uploaded(engine: Engine, ref: str, user: User | None) -> Uploaded:
    """From any container with the volume at ``/app``, running or not.

    ``user``: to whom the files are to belong; those of another one are to be sent again. Raises
    what the engine raises.
    """
    try:
        found = engine.containers.read_files(ref, names.SYNC_DIR, limit=_LONGEST)
    except NotFound:
        return Uploaded({})
    last, begun = _manifest(found.get(MANIFEST)), _manifest(found.get(PENDING))
    entries: dict[str, Entry] = dict(last.entries) if last else {}
    is_complete = last is not None and begun is not None and last.upload == begun.upload
    if begun and not is_complete:
        entries |= dict.fromkeys(begun.entries, _UNKNOWN)
    if last and last.user != _owner(user):
        entries = dict.fromkeys(entries, _UNKNOWN)
    to_delete = paths_in(found.get(DELETED, b""))
    upload = last.upload if last and is_complete else ""
    has_client = bool(found.get(LOCK))
    return Uploaded(entries, upload, to_delete, not (last or begun), has_client)


def _owner(user: User | None) -> str:
    return str(user or "")


def owner_in(container: Container) -> User | None:
    """The user to whom the files of a project's container belong."""
    uid, _, gid = container.user.partition(":")
    return User(int(uid), int(gid)) if uid.isdigit() and gid.isdigit() else None


def _manifest(data: bytes | None) -> Manifest | None:
    """None also for one that was cut off, or that the program changed."""
    with suppress(ValueError):
        return decode_manifest(data) if data else None
    return None


def changes_since(uploaded: Uploaded, tree: Tree) -> Changes:
    """What has to be sent and deleted, so that the volume has the workspace as it is here."""
    deleted = {p: _UNKNOWN for p in uploaded.to_delete if p not in tree.entries}
    return find_changes({**deleted, **uploaded.entries}, tree.entries)


def scan_workspace(workspace: Path, left_out: Iterable[str] = ()) -> Tree:
    """As ``scan``. Raises InvalidWorkspace where the folder cannot be read."""
    try:
        return scan(workspace, left_out)
    except OSError as exc:
        raise InvalidWorkspace(
            f"the workspace cannot be read: {workspace}: {(exc.strerror or 'no reason').lower()}",
            hint="The folder must exist and be readable",
            details={"workspace": str(workspace)},
        ) from exc


def upload(
    engine: Engine, ref: str, project: str, workspace: Path, left_out: Iterable[str],
    user: User | None, progress: Progress, *, is_running: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> Upload:  # fmt: skip
    """Brings what differs into the volume at ``/app`` of the container ``ref``, and checks it.

    It needs nothing of the container but that mount: one that was created and never started will
    do. ``left_out``: folders at the top of the workspace that are never sent, such as that of the
    dependencies. ``user``: to whom everything will belong, None for root. ``is_running``: what is
    gone here is deleted at once; otherwise when the project's container starts. What the
    program has changed as well is left as it is there, with a warning.

    Raises InvalidWorkspace, DiskFull, VolumeNotWritable, EngineError where the engine has not got
    everything, Interrupted, NotFound. A failure leaves an upload that the next one completes.
    """
    tree = scan_workspace(workspace, left_out)
    uploaded = read_uploaded(engine, ref, user)
    changes = changes_since(uploaded, tree)
    base = uploaded.entries
    kept = [] if uploaded.is_new or not changes else changed_on_both(
        engine, ref, workspace, base, tree, changes, left_out, is_running=is_running
    )  # fmt: skip
    if kept:
        _warn_of_kept(project, kept, progress)
        tree = without(tree, base, kept)
        changes = changes_since(uploaded, tree)
    if not changes and uploaded.upload:
        return Upload(0, 0, 0, kept=len(kept))
    sending = Sending(project, user, workspace, tree, changes, progress, cancelled)
    sending.run(engine, ref, is_first=uploaded.is_new, is_running=is_running)
    return replace(sending.result, kept=len(kept))


def _warn_of_kept(project: str, paths: list[str], progress: Progress) -> None:
    text = f"changed here and by the program in {project}: {shown(paths)}; nothing was overwritten"
    ways = (
        f"'debughost pull -p {project} --overwrite', keep yours with 'debughost sync -p {project}"
    )
    progress.warn("SYNC_CONFLICT", f"{text}: take the program's with {ways} --once --overwrite'")


class Sending:
    """One upload. ``archive`` may be called again, by a retry."""

    def __init__(
        self, project: str, user: User | None, workspace: Path, tree: Tree, changes: Changes,
        progress: Progress, cancelled: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.id = secrets.token_hex(8)
        self._project, self._user, self._workspace = project, user, workspace
        self._tree, self._changes = tree, changes
        self._progress, self._cancelled = progress, cancelled
        self._to_send = {p: tree.entries[p] for p in changes.sent}
        self._files = sum(e.kind is EntryKind.FILE for e in self._to_send.values())
        self._sent_files = self._sent_size = 0
        self._said = time.monotonic()
        self._changing: tuple[str, ...] = ()

    @property
    def result(self) -> Upload:
        deleted = len(self._changes.deleted)
        return Upload(self._sent_files, self._sent_size, deleted, self._changing)

    def run(self, engine: Engine, ref: str, *, is_first: bool, is_running: bool) -> Uploaded:
        """Sends the changes; what is there then. Raises what ``upload`` raises."""
        self._announce()
        engine.containers.put_archive(ref, self.archive)
        uploaded = read_uploaded(engine, ref, self._user)
        if uploaded.upload != self.id:
            raise EngineError(
                f"the upload of {self._project} is not complete: its last part is not on the "
                "engine",
                hint="Try again; what is there already is not sent again",
                details={"project": self._project},
            )
        if is_running and self._changes.deleted:
            with suppress(Conflict):
                # One that has ended meanwhile deletes them when it starts.
                engine.exec.run(ref, DELETE)
        self._warn(is_first=is_first)
        return uploaded

    def _announce(self) -> None:
        """The phase that begins."""
        size = sum(e.size for e in self._to_send.values())
        what = f"{self._files} file{'s' * (self._files != 1)} ({size / 1e6:.1f} MB)"
        deleted = len(self._changes.deleted)
        what += f", deleting {deleted}" if deleted else ""
        self._progress.phase(PhaseKind.UPLOAD, f"Uploading {what} of {self._project}")

    def archive(self) -> Iterator[bytes]:
        """The whole archive, in the order that the module describes."""
        self._sent_files = self._sent_size = 0
        try:
            folder = os.open(self._workspace, os.O_RDONLY)
        except OSError as exc:
            raise InvalidWorkspace(
                f"the workspace is gone: {self._workspace}", hint="Is its folder still there?"
            ) from exc
        try:
            yield from compressed(self._parts(folder))
        finally:
            os.close(folder)

    def _parts(self, folder: int) -> Iterator[bytes]:
        made = TreeArchive(folder, self._user, on_file=self._count)
        # Whatever the folder's mode is, its owner works in it there.
        yield from made.folder("", os.fstat(folder).st_mode & 0o777 | 0o700)
        yield from made.folder(RESERVED, 0o755)
        # What is to be deleted as well: if this is cut off, the next one still knows of it.
        unknown = dict.fromkeys(self._changes.deleted, _UNKNOWN)
        yield from self._state(made, PENDING, unknown | self._to_send)
        for part in made.parts(self._to_send):
            if self._cancelled():
                raise Interrupted
            yield part
        if self._changes.deleted:
            data = delete_commands(self._changes.deleted, self._tree.entries)
            yield from made.file(f"{RESERVED}/{DELETED}", data)
        self._changing = tuple(sorted(made.changing))
        entries = {p: made.sent.get(p, e) for p, e in self._tree.entries.items()}
        entries |= dict.fromkeys((*made.changing, *made.gone), _UNKNOWN)
        yield from self._state(made, MANIFEST, entries)

    def _state(self, made: TreeArchive, name: str, entries: Mapping[str, Entry]) -> Iterator[bytes]:
        data = encode_manifest(Manifest(self.id, entries, _owner(self._user)))
        yield from made.file(f"{RESERVED}/{name}", data)

    def _count(self, size: int) -> None:
        self._sent_files += 1
        self._sent_size += size
        now = time.monotonic()
        if now - self._said >= _DETAIL_SECONDS:
            self._said = now
            self._progress.detail(f"{self._sent_files} of {self._files} files")

    def _warn(self, *, is_first: bool) -> None:
        """Of what is not on the engine as it is here."""
        tree, warn = self._tree, self._progress.warn
        if self._changing:
            text = f"files changed while they were read: {shown(self._changing)}"
            warn("FILES_CHANGING", f"{text}; the next 'up' or 'sync' sends them")
        if tree.unreadable:
            who = "you, or the owner of the folder, may not read"
            warn("FILES_UNREADABLE", f"files that {who}: {shown(tree.unreadable)}")
        if tree.skipped and is_first:
            what = "sockets, pipes or devices are"
            what = what if tree.skipped > 1 else "socket, pipe or device is"
            warn("FILES_SKIPPED", f"{tree.skipped} {what} not uploaded")
        secret = [n for n in tree.ignored if n == ".env" or n.startswith(".env.")]
        if secret and is_first:
            text = f"{shown(secret)} is not uploaded, for .gitignore names it"
            how = f"add '!{secret[0]}' to .debughostignore if the program needs it"
            warn("FILES_IGNORED", f"{text}; {how}")
