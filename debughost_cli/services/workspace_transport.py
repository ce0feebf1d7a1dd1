"""Whether an engine sees a workspace: proven by a file, not inferred from the engine's address.

A file of a random name is written into the workspace, and looked up through a container with the
workspace mounted, which is never started. The container is labelled as a one-off container, so that
a later command removes one that a killed command left.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from debughost_cli import __version__, names
from debughost_cli.deployment.transport import Transport, transport_of
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import InvalidWorkspace
from debughost_cli.models import ProjectType, RestartPolicy
from debughost_cli.resources import Container
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.services.seen_workspaces import is_seen, keep_seen
from debughost_cli.specs import Limits, Role, ServiceSpec

_PREFIX = ".debughost-probe-"


def choose_transport(
    engine: Engine, project: str, workspace: Path, image: str, owner: OwnerProcess,
    current: Container | None = None, *, again: bool = False, dry_run: bool = False,
) -> Transport:  # fmt: skip
    """A bind mount where the engine sees the workspace, else an upload.

    ``image``: one that the engine has, for the container that looks. ``current``: the project's
    container, whose label says what was found when it was created; ``again``: neither that nor what
    is kept of an earlier proof counts. ``dry_run``: without any change, and so without a proof: an
    engine elsewhere is then assumed not to see it.

    Raises what creating a container raises.
    """
    info = engine.info
    if info.shares_files:
        return Transport.BIND
    if current and current.labels.get(names.TRANSPORT) and not again:
        return transport_of(current.labels)
    if is_seen(engine.identity(), workspace) and not again:
        return Transport.BIND
    if dry_run:
        return Transport.BIND if info.shares_machine else Transport.VOLUME
    if not _sees(engine, project, workspace, image, owner):
        return Transport.VOLUME
    keep_seen(engine.identity(), workspace)
    return Transport.BIND


def _sees(
    engine: Engine, project: str, workspace: Path, image: str, owner: OwnerProcess
) -> bool:  # fmt: skip
    token = secrets.token_hex(8)
    spec = _probe(project, str(workspace), image, owner)
    name = names.probe_name(project, token)
    with _file(workspace, token) as path:
        if path is None:
            # Nobody can write there, so a copy serves as well, if it may be another machine's.
            return engine.info.shares_kernel
        try:
            ref = engine.containers.create(name, spec)
            found = engine.containers.read_files(ref, f"{names.WORKDIR}/{path.name}")
        except (InvalidWorkspace, NotFound):
            return False
        finally:
            # By its name: the creation may have been interrupted.
            engine.containers.remove(name, force=True)
    return found.get(path.name) == token.encode()


@contextmanager
def _file(workspace: Path, token: str) -> Iterator[Path | None]:
    """A file in the workspace with ``token`` in it; None where it cannot be written."""
    for left in workspace.glob(f"{_PREFIX}*"):
        # Of a command that was killed.
        with suppress(OSError):
            left.unlink()
    try:
        descriptor, path = tempfile.mkstemp(prefix=_PREFIX, dir=workspace)
    except OSError:
        yield None
        return
    try:
        with os.fdopen(descriptor, "w") as file:
            # The engine may be another user.
            os.fchmod(descriptor, 0o644)
            file.write(token)
        yield Path(path)
    finally:
        with suppress(OSError):
            Path(path).unlink()


def _probe(project: str, workspace: str, image: str, owner: OwnerProcess) -> ServiceSpec:
    labels = names.base_labels(__version__, datetime.now(UTC)) | {
        names.PROJECT: project,
        names.ROLE: Role.RUN.value,
        names.OWNER: str(owner),
    }
    return ServiceSpec(
        project=project, type=ProjectType.STATIC, workspace="", image=image, image_id="",
        command=("/never-started",), ports=(), environment={}, limits=Limits(), user=None,
        labels=labels, mounts=(Transport.BIND.mount(project, workspace),),
        restart=RestartPolicy(), network="none", network_id="", aliases=(), role=Role.SERVICE,
    )  # fmt: skip
