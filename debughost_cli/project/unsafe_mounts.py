"""Folders that expose the host to a container that can write to them.

A container writes to its workspace as the workspace's owner, on many machines root. A folder that
belongs to the system, to a user's account or to an engine is therefore refused; so is one that
contains a socket on which a program of this host listens, because a mount gives access to it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TREES = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys",
    "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/sbin", "/var/run", "/var/spool",
    "/Library", "/System",
)  # fmt: skip
_FOLDERS = (
    "/", "/home", "/media", "/mnt", "/opt", "/root", "/run/media", "/srv", "/tmp",  # noqa: S108
    "/usr", "/usr/local", "/usr/share", "/var", "/var/cache", "/var/lib", "/var/log",
    "/var/tmp", "/Applications", "/Users", "/Volumes",  # noqa: S108
)  # fmt: skip
_DISKS = "/run/media"
"""Where desktops mount removable disks."""
_KEYS = {".aws", ".azure", ".docker", ".gnupg", ".kube", ".ssh"}
_ENGINES = ("/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/var/lib/kubelet")
_ENGINES_FILES = ("volumes/metadata.db", "storage.lock")
"""Docker's and Podman's data may be anywhere; it contains one of these files."""
_ENGINES_SOCKETS = ("docker.sock", "podman.sock", "containerd.sock", "crio.sock")
_BOUND = Path("/proc/net/unix")
"""The sockets of this host, without those of its containers."""


def unsafe_mount_reason(path: Path) -> str | None:
    """Why a resolved folder exposes the host, as the end of "it ..."; None where it does not."""
    place = _canonical(path)
    if str(place) in _FOLDERS or _is_home(place) or place == Path(place.anchor):
        return "is a folder of the system or of a user's account"
    if any(place.is_relative_to(t) for t in _TREES) and not place.is_relative_to(_DISKS):
        return "belongs to the system"
    if not _KEYS.isdisjoint(place.parts):
        return "contains keys"
    if any(place.is_relative_to(e) for e in _ENGINES) or _is_engines(path):
        return "belongs to an engine's data"
    socket = next(_sockets(path), None)
    return f"contains {socket}, a socket of a program on this host" if socket else None


def _canonical(path: Path) -> Path:
    """On macOS, /etc, /tmp and /var are links into /private."""
    with suppress(ValueError):
        return Path("/", path.relative_to("/private"))
    return path


def _is_home(path: Path) -> bool:
    if path.parent in (Path("/home"), Path("/Users")):
        return True
    with suppress(RuntimeError, OSError):
        return path == Path.home().resolve()
    return False


def _is_engines(path: Path) -> bool:
    return any(os.path.lexists(p / file) for p in (path, *path.parents) for file in _ENGINES_FILES)


def _sockets(path: Path) -> Iterator[str]:
    """The sockets in the folder on which a program of this host listens, or an engine may."""
    for name in _ENGINES_SOCKETS:
        with suppress(OSError):
            if stat.S_ISSOCK((path / name).lstat().st_mode):
                yield name
    with suppress(OSError):
        beginning = os.fsencode(path) + b"/"
        for line in _BOUND.read_bytes().splitlines():
            # Num RefCount Protocol Flags Type St Inode Path
            bound = line.split(maxsplit=7)[7:]
            if bound and bound[0].startswith(beginning):
                yield os.fsdecode(bound[0].removeprefix(beginning))
