"""Whether what is installed in a container is what the manifests ask for."""

from __future__ import annotations

import hashlib
import posixpath
from contextlib import suppress

from debughost_cli import names
from debughost_cli.container import fingerprint, fingerprint_of
from debughost_cli.deployment.transport import Transport, transport_of
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Container

_LONGEST = 4 * 1024**2
"""Bytes of a lock file that are read from a container."""


def is_installed(
    engine: Engine, resolved: ResolvedProject, container: Container, installed: str
) -> bool:
    """``installed``: the fingerprint that the launcher reported. Raises InvalidConfig.

    In an uploaded workspace an install may have updated a lock file, which is not here: that is no
    change of the user's.
    """
    dependencies = resolved.dependencies
    if dependencies is None:
        return True
    if installed == fingerprint(resolved.workspace, dependencies, container.image_id):
        return True
    if transport_of(container.labels) is not Transport.VOLUME:
        return False
    from debughost_cli.services.workspace_state import find_stale

    changed = find_stale(engine, container, resolved.workspace, resolved.type).paths
    if changed.intersection(dependencies.files):
        return False
    lines = "".join(_line(engine, container, name) for name in dependencies.files)
    return installed == fingerprint_of(lines, dependencies, container.image_id)


def _line(engine: Engine, container: Container, name: str) -> str:
    with suppress(NotFound):
        path = f"{names.WORKDIR}/{name}"
        found = engine.containers.read_files(container.id, path, limit=_LONGEST)
        data = found.get(posixpath.basename(name))
        return f"{hashlib.sha256(data).hexdigest()}  {name}\n" if data is not None else ""
    return ""
