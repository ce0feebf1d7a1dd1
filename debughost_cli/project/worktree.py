"""A workspace that is a worktree of git: its repository is elsewhere, where ``.git`` points to.

That file came with the workspace, so it is believed only where the folder that it names says the
same: a repository's entry of a worktree names the worktree's ``.git``. Nobody writes that but git,
and who may write to the repository anyway.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

from msgspec import Struct

from debughost_cli import names
from debughost_cli.project.beneath import LeadsOut, UnusableFile, read_beneath, read_path
from debughost_cli.project.unsafe_mounts import unsafe_mount_reason

_LONGEST = 4096
_OF_SYSTEMS = frozenset(
    {".debughost", "app", "bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys"}
    | {"usr"}
)
"""Folders of a container over which nothing is mounted."""


class Worktree(Struct, frozen=True):
    """``source``: the repository's folder, to be mounted at ``target``; both are empty
    where that is not safe, which ``problem`` explains.
    """

    source: str = ""
    target: str = ""
    problem: str = ""


def find_worktree(workspace: Path) -> Worktree | None:
    """None where the workspace is no worktree, or its repository is in it."""
    pointed = _pointed(workspace)
    if not pointed:
        return None
    outside = f".git points to {pointed}, outside the workspace"
    try:
        root = workspace.resolve(strict=True)
        entry = (root / pointed).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return Worktree(problem=f"{outside}, where there is nothing")
    if entry.is_relative_to(root):
        return None
    common = entry.parent.parent
    if not (entry.parent.name == "worktrees" and _is_repository(common)):
        return Worktree(problem=f"{outside}, and is no worktree")
    if not _names(entry, root / ".git"):
        return Worktree(problem=f"{outside}, and the repository there knows nothing of it")
    target = _target(pointed)
    if unsafe_mount_reason(common) or target is None:
        return Worktree(problem=f"{outside}, which is not mounted into containers")
    return Worktree(str(common), str(target))


def _pointed(workspace: Path) -> str:
    """Where a ``.git`` that is a file points to, empty for nothing."""
    with suppress(OSError, LeadsOut, UnusableFile, ValueError):
        text = read_beneath(workspace, ".git", _LONGEST).decode("utf-8")
        key, _, value = text.partition(":")
        return value.strip() if key == "gitdir" and value.strip().isprintable() else ""
    return ""


def _is_repository(folder: Path) -> bool:
    try:
        has_folders = all((folder / name).is_dir() for name in ("objects", "refs"))
        return has_folders and (folder / "HEAD").is_file()
    except OSError:
        return False


def _names(entry: Path, file: Path) -> bool:
    """Whether a repository's entry of a worktree is about the worktree with that ``.git``."""
    with suppress(OSError, UnusableFile, ValueError, RuntimeError):
        text = read_path(entry / "gitdir", _LONGEST).decode("utf-8").strip()
        return bool(text) and (entry / text).resolve(strict=True) == file
    return False


def _target(pointed: str) -> PurePosixPath | None:
    """The repository's folder as a container sees it, by what is written in ``.git``."""
    path = PurePosixPath(os.path.normpath(PurePosixPath(names.WORKDIR) / pointed)).parent.parent
    is_ours = len(path.parts) > 2 and path.parts[1] not in _OF_SYSTEMS
    return path if is_ours and not path.is_relative_to(names.CACHE_DIR) else None
