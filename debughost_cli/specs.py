"""What a container is created from: the services that a project should consist of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from debughost_cli.models import PortFrom, ProjectType, RestartPolicy

HTTP = "http"
"""The name of the port binding that is the project's own port."""
DEBUG = "debug"
"""The name of the one on which a debugger listens."""


class MountType(StrEnum):
    """The kinds of mounts that are used."""

    BIND = "bind"
    VOLUME = "volume"


class Role(StrEnum):
    """What a container is in its project."""

    MAIN = "main"
    SERVICE = "service"
    RUN = "run"
    """A one-off container: nothing of the project that stays."""


class User(Struct, frozen=True):
    """A numeric user of a container; as text, ``UID:GID``."""

    uid: int
    gid: int

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}"


class PortBinding(Struct, frozen=True):
    """A container's port and the port of the engine's machine on which it is published.

    ``name``: what it is for; ``http`` is the project's own port.
    """

    name: str
    container_port: int
    host_port: int


class PortRequest(Struct, frozen=True):
    """A port that is to be published besides the project's own. As text ``HOST:CONTAINER``.

    ``host``: the port of the engine's machine, or the first one to try there.
    """

    container_port: int
    host: int | PortFrom

    def __str__(self) -> str:
        same = str(self.host).rstrip("+") == str(self.container_port)
        return str(self.host) if same else f"{self.host}:{self.container_port}"


_BINDING = re.compile(r"([a-z0-9_-]+)=([0-9]{1,5}):([0-9]{1,5})", re.ASCII)


def bindings_text(ports: Iterable[PortBinding]) -> str:
    """The ports besides the project's own, as a label keeps them: ``debug=9230:9229``."""
    further = (p for p in ports if p.name != HTTP)
    return " ".join(f"{p.name}={p.host_port}:{p.container_port}" for p in further)


def parse_bindings(text: str) -> tuple[PortBinding, ...]:
    """What ``bindings_text`` wrote; anything else is left out."""
    found = (_BINDING.fullmatch(word) for word in text.split())
    return tuple(PortBinding(m[1], int(m[3]), int(m[2])) for m in found if m)


def as_port(text: str | None) -> int:
    """The port in a label, 0 where there is no valid one."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


class Mount(Struct, frozen=True):
    """A mount of a container. ``source``: a path for ``bind``, a volume's name for ``volume``."""

    type: MountType
    source: str
    target: str
    read_only: bool = False


class Limits(Struct, frozen=True):
    """CPUs in cores, memory in bytes (swap included), processes as a number.

    ``shm_bytes``: the size of ``/dev/shm``, None for the engine's own (64 MiB).
    """

    cpus: float = 2.0
    memory_bytes: int = 2 * 1024**3
    pids: int = 512
    shm_bytes: int | None = None

    @property
    def are_applied(self) -> bool:
        """False for the limits of a container whose engine took none; each of ours is above 0."""
        return bool(self.cpus or self.memory_bytes or self.pids)


class ServiceSpec(Struct, frozen=True):
    """One service of a project: everything that its container is created from.

    ``name`` is empty for the main service. ``image_id`` and ``network_id`` are empty where the
    image or network does not exist yet. ``user``: None for the image's own. ``own_network``: the
    project's own, where it is in that one besides ``network``. ``debug_port``: where the program's
    debugger listens in the container, or, for PHP, where it connects to on the engine's machine; 0
    for none. A companion service without a ``command`` has its image's.
    """

    project: str
    type: ProjectType
    workspace: str
    image: str
    image_id: str
    command: tuple[str, ...]
    ports: tuple[PortBinding, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    limits: Limits
    user: User | None
    restart: RestartPolicy
    network: str
    network_id: str
    aliases: tuple[str, ...]
    labels: Mapping[str, str]
    config_hash: str = ""
    role: Role = Role.MAIN
    name: str = ""
    own_network: str = ""
    own_network_id: str = ""
    links: tuple[str, ...] = ()
    """``NAME:ALIAS``: what its own name for a container in its own network is, whatever other
    containers of its other network are called."""
    debug_port: int = 0

    @property
    def port(self) -> int:
        """The published port of the service's program; 0 where it has none."""
        return next((p.host_port for p in self.ports if p.name == HTTP), 0)

    @property
    def container_port(self) -> int:
        """The port on which the program is to listen; 0 where it has none."""
        return next((p.container_port for p in self.ports if p.name == HTTP), 0)


class ProjectSpec(Struct, frozen=True):
    """What a project should be on the engine: its main service and its companions."""

    main: ServiceSpec
    companions: tuple[ServiceSpec, ...] = ()

    def with_volume(self, name: str) -> ServiceSpec:
        """The service that a volume belongs to: a companion that mounts it, else the main one."""
        users = (c for c in self.companions if any(m.source == name for m in c.mounts))
        return next(users, self.main)
