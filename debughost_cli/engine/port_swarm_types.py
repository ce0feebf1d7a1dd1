"""What the manager of a swarm reports, and what a service of a project is created from.

Times are aware ``datetime`` in UTC, sizes in bytes, durations in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from debughost_cli.specs import ServiceSpec


class SwarmRole(StrEnum):
    """What an engine is in a swarm."""

    NONE = "none"
    WORKER = "worker"
    MANAGER = "manager"


class SwarmMembership(Struct, frozen=True):
    """An engine's part in a swarm. ``managers``: the addresses of those that it knows."""

    role: SwarmRole = SwarmRole.NONE
    node: str = ""
    managers: tuple[str, ...] = ()


class SwarmNode(Struct, frozen=True):
    """A node. ``state``: ready, down, disconnected or unknown; ``availability``: active, pause or
    drain. ``since``: when either changed last. ``cpus``: 0 where not known.
    """

    id: str
    name: str
    state: str
    availability: str
    address: str = ""
    since: datetime | None = None
    cpus: float = 0.0

    @property
    def is_lost(self) -> bool:
        """Whether the manager hears nothing of it."""
        return self.state != "ready"


class SwarmTask(Struct, frozen=True):
    """A task of a service. ``state``: Docker's own. ``error``: why it is in that state.

    ``container``: the id on its node, empty where there is none yet. ``revision``: what the
    service was updated to when the task was made.
    """

    id: str
    service: str
    node: str
    state: str
    desired: str
    error: str
    container: str
    created_at: datetime
    exit_code: int = 0
    revision: str = ""


class Reservation(Struct, frozen=True):
    """What a node must have free; 0 for what does not count."""

    memory_bytes: int = 0
    cpus: float = 0.0

    def beyond(self, held: Reservation) -> Reservation:
        """What has to be free besides what is ``held`` already."""
        memory = max(0, self.memory_bytes - held.memory_bytes)
        return Reservation(memory, max(0.0, self.cpus - held.cpus))


class SwarmService(Struct, frozen=True):
    """A service. ``node``: the only one that it may run on. ``update``: of the last one, its state.

    ``labels`` and ``environment`` are those of its containers.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    command: tuple[str, ...]
    image: str
    replicas: int
    node: str
    created_at: datetime
    updated_at: datetime
    revision: str = ""
    update: str = ""
    reservation: Reservation = Reservation()

    @property
    def project(self) -> str:
        return self.labels.get("debug-host.project", "")


class SwarmSpec(Struct, frozen=True):
    """A service of one replica. ``image``: an id that the node has. ``network``: an overlay's id.

    ``stop_timeout``: seconds between SIGTERM and SIGKILL. ``excluded``: nodes that it may not run
    on, where no ``node`` is set.
    """

    name: str
    spec: ServiceSpec
    image: str
    reservation: Reservation
    node: str = ""
    network: str = ""
    stop_timeout: int = 10
    excluded: tuple[str, ...] = field(default_factory=tuple)
