"""Whether what was uploaded of a workspace is what the workspace has now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.models import ProjectType
from debughost_cli.project.manifest import Changes
from debughost_cli.project.tree import Entry, EntryKind
from debughost_cli.resources import Container
from debughost_cli.services.sync_lock import is_held
from debughost_cli.services.workspace_upload import (
    Uploaded,
    changes_since,
    owner_in,
    read_uploaded,
    scan_workspace,
)
from debughost_cli.synced import Sync, SyncState


def left_out(type_: ProjectType | str) -> tuple[str, ...]:
    """The folders at the top of a workspace that are never uploaded: that of the dependencies."""
    folder = names.DEPENDENCY_FOLDERS.get(ProjectType(type_)) if type_ in set(ProjectType) else None
    return (folder[1],) if folder else ()


def find_stale(
    engine: Engine, container: Container, workspace: Path, type_: ProjectType | str
) -> Changes:
    """What differs from what was uploaded into ``container``. Raises as ``count_stale``."""
    uploaded = read_uploaded(engine, container.id, owner_in(container))
    return changes_since(uploaded, scan_workspace(workspace, left_out(type_)))


def count_stale(
    engine: Engine, container: Container, workspace: Path, type_: ProjectType | str
) -> int:
    """How many files, links and folders differ from what was uploaded into ``container``.

    At least 1 where the last upload was cut off. Raises InvalidWorkspace, and what the engine
    raises.
    """
    return _count(read_uploaded(engine, container.id, owner_in(container)), workspace, type_)


def compare(
    engine: Engine, container: Container, workspace: Path, type_: ProjectType | str
) -> Sync:
    """The same with its state. Raises as ``count_stale``."""
    uploaded = read_uploaded(engine, container.id, owner_in(container))
    files = _count(uploaded, workspace, type_)
    if _is_synced(engine, container, uploaded):
        return Sync(SyncState.SYNCING, files)
    return Sync(SyncState.STALE if files else SyncState.CURRENT, files)


def of_another_machine(engine: Engine, container: Container) -> Sync:
    """What is known of a workspace whose folder is not here. Raises what the engine raises."""
    uploaded = read_uploaded(engine, container.id, owner_in(container))
    is_synced = _is_synced(engine, container, uploaded)
    return Sync(SyncState.SYNCING if is_synced else SyncState.UNKNOWN)


def _is_synced(engine: Engine, container: Container, uploaded: Uploaded) -> bool:
    return uploaded.has_client and container.is_running and is_held(engine, container.id)


def _count(uploaded: Uploaded, workspace: Path, type_: ProjectType | str) -> int:
    tree = scan_workspace(workspace, left_out(type_))
    changes = changes_since(uploaded, tree)
    entries = {**uploaded.entries, **tree.entries}
    files = _without_folders(changes.paths, entries) or len(changes.paths)
    return files if uploaded.upload else max(1, files)


def _without_folders(paths: Iterable[str], entries: dict[str, Entry]) -> int:
    """Whoever saved a file in a new folder has changed one file."""
    known = (entries.get(path) for path in paths)
    return sum(entry is None or entry.kind is not EntryKind.FOLDER for entry in known)
