"""What a program wrote into its uploaded workspace, and this machine does not have."""

from __future__ import annotations

import tarfile
from pathlib import Path

from debughost_cli import names
from debughost_cli.project.tree import RESERVED, Entry, EntryKind
from debughost_cli.resources import Container
from debughost_cli.services.engine_copies import Side, list_volume
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.services.workspace_state import left_out
from debughost_cli.services.workspace_upload import owner_in, read_uploaded, scan_workspace

_MADE_AGAIN = ("__pycache__",)
"""Folders that hold nothing but what a program makes again by itself."""


def unsaved_files(side: Side, container: Container, owner: OwnerProcess) -> list[str]:
    """The paths of files and links that are as they are neither in the last upload nor here.

    Raises InvalidWorkspace, and what the engine raises.
    """
    without = (RESERVED, *left_out(container.labels.get(names.TYPE, "")))
    sent = read_uploaded(side.engine, container.id, owner_in(container)).entries
    workspace = Path(container.labels.get(names.WORKSPACE, ""))
    local = scan_workspace(workspace, without).entries
    volume = names.workspace_volume_name(container.project)
    found = list_volume(side, volume, container.project, owner, without)
    return [
        path
        for path, member in found.items()
        if not member.isdir()
        and not set(_MADE_AGAIN) & set(path.split("/"))
        and not _is_same(member, sent.get(path))
        and not _is_same(member, local.get(path))
    ]


def _is_same(member: tarfile.TarInfo, entry: Entry | None) -> bool:
    """By what tells a file that was changed: engines give times in seconds."""
    if entry is None:
        return False
    if member.issym():
        return entry.kind is EntryKind.LINK and entry.target == member.linkname
    is_file = entry.kind is EntryKind.FILE
    return is_file and (entry.size, entry.mtime_ns // 10**9) == (member.size, int(member.mtime))
