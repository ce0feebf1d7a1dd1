"""The workspace: a folder that may be handed to a container, its owner, its mount points."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from debughost_cli.errors import InvalidWorkspace

_SYSTEM_TREES = ("/etc", "/proc", "/sys", "/dev", "/boot")
_SYSTEM_FOLDERS = (
    "/", "/bin", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/root", "/run", "/sbin",
    "/srv", "/tmp", "/usr", "/usr/local", "/var", "/var/lib", "/var/run", "/Users",  # noqa: S108
)  # fmt: skip


def check_workspace(given: Path) -> Path:
    """The folder with every link resolved. Raises InvalidWorkspace.

    Folders that would hand the machine itself to a container are refused: the root, a home
    folder, the system's own.
    """
    try:
        path = given.expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as exc:
        raise InvalidWorkspace(
            f"there is no workspace {str(given)!r}: {getattr(exc, 'strerror', None) or exc}",
            hint="Name an existing folder with --workspace",
            details={"workspace": str(given)},
        ) from None
    if not path.is_dir():
        raise InvalidWorkspace(
            f"{path} is a file, not a folder",
            hint=f"Name the folder that holds the project: --workspace {path.parent}",
            details={"workspace": str(path)},
        )
    if _is_too_much(path):
        raise InvalidWorkspace(
            f"{path} would hand more than one project to the container",
            hint="Name the project's own folder with --workspace",
            details={"workspace": str(path)},
        )
    return path


def _is_too_much(path: Path) -> bool:
    text = str(path)
    if text in _SYSTEM_FOLDERS or path == Path(path.anchor):
        return True
    if any(text == tree or text.startswith(f"{tree}/") for tree in _SYSTEM_TREES):
        return True
    with suppress(RuntimeError):
        if path == Path.home().resolve():
            return True
    return path.parent in (Path("/home"), Path("/Users"))


def owner(path: Path) -> tuple[int, int]:
    """The folder's uid and gid; ``(0, 0)`` where the system knows no such thing.

    Raises InvalidWorkspace where it is gone.
    """
    try:
        found = path.stat()
    except OSError as exc:
        raise _unusable(path, exc) from None
    return (found.st_uid, found.st_gid) if os.name == "posix" else (0, 0)


def make_mountpoint(path: Path, like: Path) -> bool:
    """Makes ``path`` with the owner of ``like``; False where it is there already.

    The engine would make a missing mount point itself, owned by root. Raises InvalidWorkspace.
    """
    try:
        path.mkdir()
        if os.name == "posix" and os.geteuid() == 0:
            os.chown(path, *owner(like))
    except FileExistsError:
        return False
    except OSError as exc:
        raise _unusable(path, exc) from None
    return True


def _unusable(path: Path, exc: OSError) -> InvalidWorkspace:
    return InvalidWorkspace(
        f"the workspace cannot be used: {path}: {(exc.strerror or str(exc)).lower()}",
        hint="Its folder must be there and writable for its owner",
        details={"path": str(path)},
    )


def is_gone(path: Path) -> bool:
    """True where there certainly is no such folder; one that may not be seen may be there."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def remove_mountpoint(path: Path) -> None:
    """Takes a mount point away again, if nothing was put into it meanwhile."""
    with suppress(OSError):
        path.rmdir()
