"""The files that are written into a new container before its first start."""

from __future__ import annotations

from debughost_cli import names
from debughost_cli.container import control_files
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import FileEntry
from debughost_cli.services.git_configuration import git_configuration
from debughost_cli.specs import ServiceSpec, User

_LONGEST = 1024**2
"""Bytes of ``/etc/passwd``; images' own have 1 to 3 KB."""


def container_files(
    engine: Engine, ref: str, spec: ServiceSpec, resolved: ResolvedProject
) -> list[FileEntry]:
    """The launcher with its inputs, and a name for the container's user."""
    user = spec.user or User(0, 0)
    entries = control_files(
        spec,
        resolved.dependencies,
        user.uid,
        user.gid,
        hooks=resolved.settings.hooks,
        workspace=resolved.folder if spec.labels.get(names.WORKSPACE_INODE) else None,
        ca_bundle=resolved.ca_bundle.pem if resolved.ca_bundle else b"",
        git=git_configuration() if resolved.settings.git else b"",
    )
    return entries + (_user_entry(engine, ref, user) if user.uid else [])


def _user_entry(engine: Engine, ref: str, user: User) -> list[FileEntry]:
    """git, ssh and Node's os.userInfo() fail for a uid without a name."""
    try:
        found = engine.containers.read_files(ref, "/etc/passwd", limit=_LONGEST + 1)
    except NotFound:
        return []
    passwd = found.get("passwd", b"")
    if len(passwd) > _LONGEST:
        # Written back, it would lose its end. The program runs without a name for its user.
        return []
    if any(line.split(b":")[2:3] == [str(user.uid).encode()] for line in passwd.splitlines()):
        return []
    line = f"developer:x:{user}:developer:{names.HOME_DIR}:/bin/sh\n".encode()
    separator = b"" if passwd.endswith(b"\n") or not passwd else b"\n"
    return [FileEntry("/etc/passwd", passwd + separator + line)]
