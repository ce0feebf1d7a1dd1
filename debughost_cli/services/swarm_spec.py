"""From a resolved project to its specification in a swarm."""

from __future__ import annotations

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.deployment.transport import Transport
from debughost_cli.engine.port import Engine
from debughost_cli.engine.port_swarm_types import Reservation, SwarmNode
from debughost_cli.models import RestartMode, RestartPolicy
from debughost_cli.planning.ports import preferred_port
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.settings import Source
from debughost_cli.services.images import ImageChoice
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.services.project_ports import ProjectPorts
from debughost_cli.services.spec import make_spec
from debughost_cli.specs import MountType, ServiceSpec

_TRIES = 3
"""How often the swarm starts a project again that ends, where the user chose nothing."""


def swarm_spec(
    resolved: ResolvedProject, image: ImageChoice, engine: Engine, owner: OwnerProcess,
    node: SwarmNode | None = None,
) -> ServiceSpec:  # fmt: skip
    """As on a single engine; the workspace is a volume, and nothing is published.

    ``node``: where it is to run, as far as that is decided; ``engine``: that node's.
    """
    fixed = resolved.settings.fixed_port
    port = preferred_port(resolved.project, resolved.type) if fixed is None else fixed
    made = make_spec(
        resolved,
        ports=ProjectPorts(port if resolved.listens else 0),
        image=image,
        network=None,
        engine=engine,
        owner=owner,
        mountpoint_made=False,
        transport=Transport.VOLUME,
    ).main
    limits = made.limits
    if node and node.cpus and resolved.settings.source("cpus") is Source.DEFAULT:
        limits = replace(limits, cpus=min(limits.cpus, node.cpus))
    return replace(
        made,
        # Not the repository of a worktree: that is on this machine.
        mounts=tuple(m for m in made.mounts if m.type is MountType.VOLUME),
        limits=limits,
        network=names.OVERLAY,
        restart=_restart(resolved),
        labels={
            **made.labels,
            names.NODE: node.id if node else "",
            names.BASE: image.image_id,
        },
    )


def reservation_of(resolved: ResolvedProject) -> Reservation:
    """A node must have the memory that the project may use; of CPUs what the user asked for."""
    settings = resolved.settings
    cpus = 0.0 if settings.source("cpus") is Source.DEFAULT else settings.cpus
    return Reservation(settings.memory, cpus)


def _restart(resolved: ResolvedProject) -> RestartPolicy:
    """A swarm is there to start what ended again: a few times, where the user chose nothing."""
    if resolved.settings.source("restart") is Source.DEFAULT:
        return RestartPolicy(RestartMode.ON_FAILURE, _TRIES)
    return resolved.settings.restart
