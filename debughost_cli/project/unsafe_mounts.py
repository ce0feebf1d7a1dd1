"""Folders that expose the host to a container that can write to them.

A container writes to its workspace as the workspace's owner, on many machines root. A folder that
belongs to the system, to a user's account or to an engine is therefore refused; so is one that
contains a socket on which a program of this host listens, because a mount gives access to it.

Where a rule decides, no name has to be known: what belongs to a system account is the system's for
any other caller, and a hidden folder of a home folder belongs to a program. Lists are needed for
callers that own everything, and for what is deeper.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

_TREES = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys",
    "/lib32", "/libx32", "/snap", "/usr/bin", "/usr/include", "/usr/lib", "/usr/lib32",
    "/usr/lib64", "/usr/libexec", "/usr/libx32", "/usr/sbin", "/usr/local/bin", "/usr/local/etc",
    "/usr/local/include", "/usr/local/lib", "/usr/local/lib64", "/usr/local/libexec",
    "/usr/local/sbin", "/var/backups", "/var/db", "/var/lib/NetworkManager", "/var/lib/apt",
    "/var/lib/cloud", "/var/lib/dbus", "/var/lib/dpkg", "/var/lib/pam", "/var/lib/polkit-1",
    "/var/lib/rpm", "/var/lib/snapd", "/var/lib/sudo", "/var/lib/systemd", "/var/log", "/var/mail",
    "/var/run", "/var/spool", "/Library", "/System",
)  # fmt: skip
_FOLDERS = (
    "/", "/home", "/media", "/mnt", "/opt", "/root", "/run/media", "/srv", "/tmp",  # noqa: S108
    "/usr", "/usr/local", "/usr/local/share", "/usr/share", "/var", "/var/cache", "/var/lib",
    "/var/tmp", "/Applications", "/Users", "/Volumes",  # noqa: S108
)  # fmt: skip
_DISKS = "/run/media"
"""Where desktops mount removable disks."""
_KEYS = {".aws", ".azure", ".docker", ".gnupg", ".kube", ".password-store", ".ssh"}
_KEPT_KEYS = (
    ".ssh", ".gnupg", ".password-store", ".aws/credentials", ".azure/azureProfile.json",
    ".config/gcloud", ".config/gh", ".docker/config.json", ".kube/config",
)  # fmt: skip
"""What is in a folder that was used as a home; projects may have ".docker" folders of their own."""
_IN_HOME = (
    ".cargo/bin", ".config/1Password", ".config/BraveSoftware", ".config/Code", ".config/autostart",
    ".config/chromium", ".config/configstore", ".config/containers", ".config/doctl",
    ".config/environment.d", ".config/fish", ".config/gcloud", ".config/gh", ".config/git",
    ".config/glab-cli", ".config/google-chrome", ".config/helm", ".config/heroku", ".config/hub",
    ".config/op", ".config/rclone", ".config/sops", ".config/systemd", ".local/bin",
    ".local/share/applications", ".local/share/keyrings", ".local/share/systemd", ".mozilla",
    ".pki", ".thunderbird", "Library/Application Support", "Library/Keychains",
    "Library/LaunchAgents", "bin",
)  # fmt: skip
"""Folders of a home folder that hold credentials, or programs that start by themselves."""
_OF_HOME = (".local/share", ".local/state", "Library")
"""Folders that contain those, without being refused as a whole."""
_FIRST_USER = 500 if sys.platform == "darwin" else 1000
"""The lowest uid of a person."""
_MOST_ENTRIES = 200
"""How many entries of a folder are looked at for the data of an engine."""
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
    if "lost+found" in place.parts or _is_systems(path):
        return "belongs to the system"
    if not _KEYS.isdisjoint(place.parts) or any(os.path.lexists(path / k) for k in _KEPT_KEYS):
        return "contains keys"
    if _is_programs(place):
        return "belongs to programs of a user's account"
    if any(place.is_relative_to(e) for e in _ENGINES) or _is_engines(path):
        return "belongs to an engine's data"
    if any(Path(e).is_relative_to(place) for e in _ENGINES) or _contains_engines(path):
        return "contains an engine's data"
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


def _is_systems(path: Path) -> bool:
    """Whether a system account that is not the caller's owns the folder."""
    if os.name != "posix":
        return False
    with suppress(OSError):
        owner = path.stat().st_uid
        return owner < _FIRST_USER and os.geteuid() not in (0, owner)
    return False


def _is_programs(path: Path) -> bool:
    """Whether a folder of a home folder holds what programs keep there, or start."""
    for home in _homes(path):
        inside = path.relative_to(home)
        if len(inside.parts) == 1 and inside.name.startswith("."):
            return True
        if str(inside) in _OF_HOME or any(inside.is_relative_to(i) for i in _IN_HOME):
            return True
    return False


def _homes(path: Path) -> Iterator[Path]:
    """The home folders that contain a folder."""
    yield from (p for p in path.parents if p.parent in (Path("/home"), Path("/Users")))
    if path.is_relative_to("/root"):
        yield Path("/root")
    with suppress(RuntimeError, OSError, ValueError):
        home = Path.home().resolve()
        if path.relative_to(home).parts:
            yield home


def _contains_engines(path: Path) -> bool:
    """Whether an engine's data is directly in the folder."""
    with suppress(OSError), os.scandir(path) as entries:
        return any(
            os.path.lexists(Path(entry.path, file))
            for entry in islice(entries, _MOST_ENTRIES)
            if entry.is_dir(follow_symlinks=False)
            for file in _ENGINES_FILES
        )
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
