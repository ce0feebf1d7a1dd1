"""The files that a container gets besides the project: the launcher and its inputs."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from debughost_cli import names
from debughost_cli.models import Dependencies, ProjectType
from debughost_cli.project.detect import manifest_lines
from debughost_cli.project.workspace import FolderIdentity
from debughost_cli.resources import FileEntry
from debughost_cli.specs import MountType, ServiceSpec

_NO_HOOKS: Mapping[str, str] = MappingProxyType({})


@cache
def launcher() -> bytes:
    """The shell program that is the project's first process."""
    return (files(__name__) / "launch.sh").read_bytes()


def private_files_script() -> bytes:
    """The PHP program that keeps files private from PHP's own web server."""
    return (files(__name__) / "private.php").read_bytes()


def fingerprint(workspace: Path, dependencies: Dependencies, image_id: str) -> str:
    """Manager, image and manifests as one SHA-256 in hex; the launcher computes the same."""
    return fingerprint_of(manifest_lines(workspace, dependencies), dependencies, image_id)


def fingerprint_of(lines: str, dependencies: Dependencies, image_id: str) -> str:
    """The same from what ``sha256sum`` prints for the manifests."""
    text = f"{_identity(dependencies, image_id)}\n{lines}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _identity(dependencies: Dependencies, image_id: str) -> str:
    """Packages that were compiled for one image may not work in another."""
    return f"{dependencies.manager} {image_id.removeprefix('sha256:')[:16]}"


def control_files(
    spec: ServiceSpec,
    dependencies: Dependencies | None,
    uid: int,
    gid: int,
    *,
    hooks: Mapping[str, str] = _NO_HOOKS,
    workspace: FolderIdentity | None = None,
    ca_bundle: bytes = b"",
    git: bytes = b"",
) -> list[FileEntry]:
    """The files that a new container needs before its first start.

    ``hooks``: shell text by name. ``workspace``: the folder that must be at ``/app`` at every
    start, None where the container has no way to tell. ``ca_bundle``: certificates as PEM, empty
    for none. ``git``: its settings.

    The launcher and its inputs belong to root, in a folder of root's. The folders for the state,
    the home and the volumes belong to the project's user; where that is the image's own user, which
    is not known here, every user in the container may write to them.
    """
    open_mode = 0o755 if spec.user else 0o777
    volumes = [m.target for m in spec.mounts if m.type is MountType.VOLUME]
    entries = [
        FileEntry(names.CONTROL_DIR, None, 0, 0, 0o755),
        FileEntry(names.LAUNCHER, launcher(), 0, 0, 0o755),
        *(
            FileEntry(folder, None, uid, gid, open_mode)
            for folder in dict.fromkeys((names.STATE_DIR, names.HOME_DIR, *volumes))
        ),
    ]
    if workspace:
        entries.append(_workspace_file(workspace))
    if names.WORKDIR in volumes:
        entries.append(FileEntry(f"{names.CONTROL_DIR}/uploaded", b"", 0, 0, 0o644))
    if ca_bundle:
        entries.append(FileEntry(names.CA_FILE, ca_bundle, 0, 0, 0o444))
    if git:
        entries.append(FileEntry(names.GIT_FILE, git, 0, 0, 0o644))
    if spec.type is ProjectType.PHP:
        entries.append(FileEntry(names.PHP_PRIVATE, private_files_script(), 0, 0, 0o644))
    if spec.debug_port:
        entries += _debug_files(spec)
    if dependencies:
        entries += _dependency_files(spec, dependencies)
    entries += [
        FileEntry(f"{names.CONTROL_DIR}/{name}", text.encode(), 0, 0, 0o644)
        for name, text in hooks.items()
    ]
    return entries


_DEBUG_FILES: Mapping[ProjectType, Mapping[str, str]] = {
    ProjectType.NODE: {"node.sh": "run", "attach.cjs": "attach.cjs"},
    ProjectType.PYTHON: {"python.sh": "run", "attach.py": "sitecustomize.py"},
    ProjectType.PHP: {"php.sh": "run", "xdebug.ini": "xdebug.ini"},
}
"""What the debugger of a type needs, and what it is called in the container."""


def _debug_files(spec: ServiceSpec) -> Iterator[FileEntry]:
    settings = f"port={spec.debug_port}\nprogram_port={spec.container_port}\n".encode()
    yield FileEntry(names.DEBUG_DIR, None, 0, 0, 0o755)
    for source, name in _DEBUG_FILES[spec.type].items():
        data = (files(__name__) / "debug" / source).read_bytes()
        given = settings if name == "run" else b""
        yield FileEntry(f"{names.DEBUG_DIR}/{name}", given + data, 0, 0, 0o644)


def _workspace_file(workspace: FolderIdentity) -> FileEntry:
    """Device numbers may change when a machine starts: they count until then."""
    text = f"device={workspace.device}\ninode={workspace.inode}\nboot={workspace.boot}\n"
    return FileEntry(f"{names.CONTROL_DIR}/workspace", text.encode("ascii"), 0, 0, 0o644)


def _dependency_files(spec: ServiceSpec, dependencies: Dependencies) -> list[FileEntry]:
    values = {
        "manager": dependencies.manager,
        "folder": names.volume_target(spec.type) or "",
        "files": " ".join(dependencies.files),
        "identity": _identity(dependencies, spec.image_id),
    }
    text = "".join(f"{k}={shlex.quote(v)}\n" for k, v in values.items())
    return [
        FileEntry(f"{names.CONTROL_DIR}/dependencies", text.encode(), 0, 0, 0o644),
        FileEntry(f"{names.CONTROL_DIR}/install", dependencies.script.encode(), 0, 0, 0o644),
    ]
