"""Folders of this user's, in which no other user can put anything."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def private_folder(name: str) -> Path | None:
    """The folder ``name`` in this user's state folder, or a temporary one where that is read-only.

    It is created where it is missing. None where neither can be written.
    """
    from platformdirs import user_state_path

    uid = os.getuid() if hasattr(os, "getuid") else 0
    for folder in (
        user_state_path("debughost", appauthor=False) / name,
        Path(tempfile.gettempdir()) / f"debughost-{name}-{uid}",
    ):
        # A relative path, from a variable, would lead into the workspace and to links in it.
        with suppress(OSError):
            if not folder.is_absolute():
                continue
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            if _is_ours(folder, uid):
                return folder
    return None


def _is_ours(folder: Path, uid: int) -> bool:
    """Whether no other user can put anything there, above all a link that we would follow."""
    found = folder.lstat()
    if os.name != "posix":
        return os.access(folder, os.W_OK)
    is_private = not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and is_private
