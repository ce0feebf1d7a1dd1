"""Copies volumes into others: an engine cannot give one another name."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from debughost_cli import __version__, names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Engine
from debughost_cli.errors import StartFailed
from debughost_cli.models import ProjectType, RestartPolicy
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.services.projects import log_tail
from debughost_cli.specs import Limits, Mount, MountType, Role, ServiceSpec, User

COPY = (
    "sh",
    "-c",
    'for from in /from/*; do cp -a "$from/." "/to/${from##*/}/" || exit 1; done',
)
_POLL = 0.1
"""Seconds."""


def copy_volumes(
    engine: Engine, project: str, image: str, volumes: Mapping[str, str], owner: OwnerProcess,
    clock: Clock = SYSTEM_CLOCK,
) -> None:  # fmt: skip
    """Copies files with their owners, from the names of volumes to those of new ones.

    In a container of ``image``, which has a shell. Raises StartFailed where it cannot.
    """
    mounts = [
        mount
        for n, (old, new) in enumerate(volumes.items())
        for mount in (
            Mount(MountType.VOLUME, old, f"/from/{n}", read_only=True),
            Mount(MountType.VOLUME, new, f"/to/{n}"),
        )
    ]
    # As a one-off container, it is removed by a later command should this one be killed.
    labels = names.base_labels(__version__, datetime.now(UTC)) | {
        names.PROJECT: project,
        names.ROLE: Role.RUN.value,
        names.OWNER: str(owner),
    }
    spec = ServiceSpec(
        project=project, type=ProjectType.STATIC, workspace="", image=image, image_id="",
        command=COPY, ports=(), environment={}, limits=Limits(), user=User(0, 0), labels=labels,
        mounts=tuple(mounts), restart=RestartPolicy(), network="none", network_id="", aliases=(),
        # With the capabilities of one, to read and give away files of any user.
        role=Role.SERVICE,
    )  # fmt: skip
    ref = engine.containers.create(f"debug-host-{project}-copy-{secrets.token_hex(4)}", spec)
    try:
        engine.containers.start(ref)
        while (container := engine.containers.inspect(ref)).is_running:
            clock.sleep(_POLL)
        if container.exit_code:
            said = " ".join(log_tail(engine, container)) or f"exit code {container.exit_code}"
            raise StartFailed(
                f"the volumes of {project} could not be copied: {said}",
                hint="See whether the engine's disk has room for them: debughost doctor",
                details={"project": project, "volumes": list(volumes)},
            )
    finally:
        engine.containers.remove(ref, force=True)
