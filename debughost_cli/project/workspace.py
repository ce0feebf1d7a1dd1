"""The workspace: whether a folder may be mounted into a container, its owner, its mount points."""

from __future__ import annotations

import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from debughost_cli.errors import InvalidWorkspace
from debughost_cli.project import unsafe_mounts

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class FolderIdentity(Struct, frozen=True):
    """A folder as the kernel knows it. ``boot``: the id of the machine's start."""

    device: int
    inode: int
    boot: str


def identity_of(path: Path) -> FolderIdentity:
    """Which folder is at a path now. Raises InvalidWorkspace where it does not exist."""
    try:
        found = path.stat()
    except OSError as exc:
        raise _unusable(path, exc) from None
    boot = ""
    with suppress(OSError):
        boot = _BOOT_ID.read_text("ascii").strip()
    return FolderIdentity(found.st_dev, found.st_ino, boot)


def check_workspace(given: Path, allowed: Path | None = None) -> Path:
    """The folder with every link resolved. Raises InvalidWorkspace.

    Folders that expose the host to a container are refused (see ``unsafe_mounts``), except
    ``allowed``, a resolved path.
    """
    path = resolve_path(given)
    if not path.is_dir():
        raise InvalidWorkspace(
            f"{path} is a file, not a folder",
            hint="Use the folder that contains the project: "
            f"--workspace {shlex.quote(str(path.parent))}",
            details={"workspace": str(path)},
        )
    why = None if path == allowed else unsafe_mounts.unsafe_mount_reason(path)
    if why:
        raise InvalidWorkspace(
            f"{path} would expose more than one project to the container: it {why}",
            hint="Use the project's own folder with --workspace; if it must be this one, add "
            f"--allow-workspace {shlex.quote(str(path))}",
            details={"workspace": str(path), "reason": why},
        )
    return path


def resolve_path(given: Path) -> Path:
    """The path with every link resolved. Raises InvalidWorkspace where it does not exist."""
    try:
        path = given.expanduser().resolve(strict=True)
        # The engine API is JSON, which cannot transport other names.
        str(path).encode()
    except (OSError, RuntimeError, ValueError) as exc:
        is_text = not isinstance(exc, UnicodeEncodeError)
        reason = getattr(exc, "strerror", None) or (exc if is_text else "its name is not UTF-8")
        raise InvalidWorkspace(
            f"there is no workspace {str(given)!r}: {reason}",
            hint="Use an existing folder with --workspace",
            details={"workspace": str(given)},
        ) from None
    return path


def owner_of(path: Path) -> tuple[int, int]:
    """The folder's uid and gid; ``(0, 0)`` on systems without them.

    Raises InvalidWorkspace where it does not exist.
    """
    try:
        found = path.stat()
    except OSError as exc:
        raise _unusable(path, exc) from None
    return (found.st_uid, found.st_gid) if os.name == "posix" else (0, 0)


def is_roots_and_open(path: Path) -> bool:
    """Whether root owns the folder and other users of this machine can enter it."""
    if os.name != "posix":
        return False
    with suppress(OSError):
        others = all(p.stat().st_mode & stat.S_IXOTH for p in (path, *path.parents))
        return others and path.stat().st_uid == 0
    return False


def check_mountpoint(path: Path) -> None:
    """Raises InvalidWorkspace where something other than a folder is in the place of a mount point.

    The engine would remove a file or a link when it prepares the volume.
    """
    if os.path.lexists(path) and (path.is_symlink() or not path.is_dir()):
        kind = "a link" if path.is_symlink() else "a file"
        raise InvalidWorkspace(
            f"{path} is {kind}: the project's packages are kept in a volume that is mounted there",
            hint="Move it away; the packages are installed again, into the volume",
            details={"path": str(path)},
        )


def make_mountpoint(path: Path, identity: FolderIdentity) -> bool:
    """Creates ``path`` with the owner of its folder, which is ``identity``; False where it exists.

    The engine would create a missing mount point itself, owned by root. Raises InvalidWorkspace,
    also where another folder is in the place of the workspace by now.
    """
    try:
        if os.mkdir in os.supports_dir_fd:
            _make_in(path, identity)
        else:
            path.mkdir()
    except FileExistsError:
        return False
    except OSError as exc:
        raise _unusable(path, exc) from None
    return True


def _make_in(path: Path, identity: FolderIdentity) -> None:
    """Through a descriptor: whoever owns the folder, or one above it, can replace it by a link."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        found = os.fstat(folder)
        if (found.st_dev, found.st_ino) != (identity.device, identity.inode):
            raise OSError("Another folder is in its place")
        os.mkdir(path.name, dir_fd=folder)
        if os.geteuid() == 0:
            owner = found.st_uid, found.st_gid
            os.chown(path.name, *owner, dir_fd=folder, follow_symlinks=False)
    finally:
        os.close(folder)


def _unusable(path: Path, exc: OSError) -> InvalidWorkspace:
    return InvalidWorkspace(
        f"the workspace cannot be used: {path}: {(exc.strerror or str(exc)).lower()}",
        hint="The folder must exist and be writable for its owner",
        details={"path": str(path)},
    )


def is_gone(path: Path) -> bool:
    """True only where the folder certainly does not exist, not where it cannot be read."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def remove_mountpoint(path: Path) -> None:
    """Removes a mount point, if it is still empty."""
    with suppress(OSError):
        path.rmdir()
