"""What an engine holds and reports, as it describes it: bytes (int), seconds, times in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from debughost_cli.models import RestartPolicy
from debughost_cli.specs import Limits, Mount, PortBinding, Role, User, as_port, parse_bindings
from debughost_cli.swarm_place import SwarmPlace

MAPPED_IDS = 65536
"""How many users and groups an engine with ``userns-remap`` maps."""


class EngineInfo(Struct, frozen=True):
    """The engine that answers: where it is, how it was found, and what it can do."""

    endpoint: str
    source: str
    version: str = ""
    api_version: str = ""
    maps_users: bool = False  # Known from its version; ``Engine.users`` knows more.
    proxies: Mapping[str, str] = field(default_factory=dict)  # Variables for containers and builds.
    shares_kernel: bool = False  # Containers see this machine's devices and inodes.
    known_as: str = ""  # The context or address that leads to it; empty for this machine's own.
    certificate: str = ""  # The path of that with which this client identifies itself by TLS.
    shares_files: bool = False  # It is known to see this machine's files at the same paths.

    @property
    def shares_machine(self) -> bool:
        """Whether it uses this machine's ports and CPUs: it has a socket of this machine."""
        return self.endpoint.startswith(("unix://", "npipe://"))


class UserMapping(Struct, frozen=True):
    """To which users of its machine an engine maps those of containers.

    ``by_engine``: a container's root is who runs the engine (rootless), or ownership is mapped on
    the way (Docker Desktop). ``first_uid`` and ``first_gid``: that of a container's root with
    ``userns-remap``, 0 for none; the range has 65536 of them.
    """

    by_engine: bool = False
    first_uid: int = 0
    first_gid: int = 0

    def user_for(self, uid: int, gid: int) -> User | None:
        """The container's user that is, or comes next to, this one of the machine.

        None for the image's own, where the engine maps them itself or has no such number.
        """
        if self.by_engine:
            return None
        inner = _within(uid, self.first_uid), _within(gid, self.first_gid)
        if self.first_uid and max(inner) >= MAPPED_IDS:
            return None
        return User(*inner)


def _within(number: int, first: int) -> int:
    return number - first if first <= number < first + MAPPED_IDS else number


class ContainerStatus(StrEnum):
    """Docker's own status of a container; ``UNKNOWN`` for one that Docker does not have."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"
    UNKNOWN = "unknown"


class _OfProject:
    """What a container's labels and status contain."""

    labels: Mapping[str, str]
    status: ContainerStatus

    @property
    def project(self) -> str:
        return self.labels.get("debug-host.project", "")

    @property
    def port(self) -> int:
        return as_port(self.labels.get("debug-host.port"))

    @property
    def extra_ports(self) -> tuple[PortBinding, ...]:
        """The published ports besides the project's own, by name."""
        return parse_bindings(self.labels.get("debug-host.ports", ""))

    @property
    def role(self) -> str:
        """The role's label; a container without one was created before there were roles."""
        return self.labels.get("debug-host.role", Role.MAIN)

    @property
    def service(self) -> str:
        """The name of the companion service; empty for the main one."""
        return self.labels.get("debug-host.service", "")

    @property
    def is_running(self) -> bool:
        return self.status in (
            ContainerStatus.RUNNING,
            ContainerStatus.PAUSED,
            ContainerStatus.RESTARTING,
        )


class Container(_OfProject, Struct, frozen=True):
    """A container of ours, as the engine describes it in full."""

    id: str
    name: str
    labels: Mapping[str, str]
    image: str
    image_id: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    limits: Limits
    user: str
    restart: RestartPolicy
    network_ids: Mapping[str, str]
    status: ContainerStatus
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int
    oom_killed: bool
    start_error: str
    health: str | None
    restart_count: int
    pid: int = 0
    tty: bool = False
    ports: tuple[PortBinding, ...] = ()
    address: str = ""  # IPv4; empty where it does not run.
    place: SwarmPlace | None = None


class ContainerSummary(_OfProject, Struct, frozen=True):
    """A line of the engine's list; ``status_text``: ``Up 2 minutes``, another one for each run."""

    id: str
    name: str
    labels: Mapping[str, str]
    image: str
    status: ContainerStatus
    created_at: datetime
    published_ports: tuple[int, ...] = ()
    health: str | None = None
    image_id: str = ""
    status_text: str = ""


class ProjectInstance(Struct, frozen=True):
    """A project as it is found on an engine.

    ``main``: the container that counts. ``companions``: its services. ``leftovers``: others of the
    main role, of a recreation or an interrupted ``up``. ``one_offs``: those of ``run``.
    """

    main: ContainerSummary
    companions: tuple[ContainerSummary, ...] = ()
    leftovers: tuple[ContainerSummary, ...] = ()
    one_offs: tuple[ContainerSummary, ...] = ()

    @property
    def project(self) -> str:
        return self.main.project

    @property
    def of_main_role(self) -> tuple[ContainerSummary, ...]:
        """The containers of the main role, the one that counts first."""
        return (self.main, *self.leftovers)


class StatsSample(Struct, frozen=True):
    """One reading of a container's counters, from which two make a CPU share.

    ``read_ns``, ``cpu_ns``: nanoseconds; ``system_ns`` the host's CPU time over all its cores.
    """

    read_ns: int
    cpu_ns: int
    system_ns: int
    online_cpus: int
    memory_bytes: int
    memory_limit_bytes: int
    pids: int
    net_rx_bytes: int
    net_tx_bytes: int
    periods: int = 0
    throttled_periods: int = 0


class Network(Struct, frozen=True):
    """A network. ``containers``: the ids of what is attached."""

    id: str
    name: str
    driver: str
    subnet: str | None
    gateway: str | None
    labels: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[str, ...] = ()
    created_at: datetime | None = None


class Volume(Struct, frozen=True):
    """A named volume; ``size_bytes`` and ``in_use`` are None where they were not requested."""

    name: str
    labels: Mapping[str, str]
    created_at: datetime | None
    size_bytes: int | None = None
    in_use: bool | None = None

    @property
    def project(self) -> str:
        return self.labels.get("debug-host.project", "")


class DiskUsage(Struct, frozen=True):
    """What takes the engine's disk space, in bytes; the volumes are measured."""

    images_bytes: int
    containers_bytes: int
    build_cache_bytes: int
    volumes: tuple[Volume, ...] = ()


class Image(Struct, frozen=True):
    """An image that is on the engine. What its containers inherit is not known from lists."""

    id: str
    tags: tuple[str, ...]
    labels: Mapping[str, str]
    size_bytes: int
    created_at: datetime | None
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    """The folders that it declares as volumes."""
    user: str = ""


class LogLine(Struct, frozen=True):
    """A line of output. ``ts``: the engine's own RFC 3339 stamp with nanoseconds, or empty."""

    stream: str
    data: bytes
    ts: str = ""


class LogFragment(LogLine, frozen=True):
    """Output as it came: a part of a line, or several with their ends. A LogLine is a whole one."""


class FileEntry(Struct, frozen=True):
    """A file (or a folder, where ``data`` is None, or a link) to be put into a container."""

    path: str
    data: bytes | None
    uid: int = 0
    gid: int = 0
    mode: int = 0o644
    link: str = ""  # The target, for a symbolic link.


class Link(Struct, frozen=True):
    """A symbolic link in a container."""

    target: str
    changed_at: datetime | None


class EngineEvent(Struct, frozen=True):
    """Something that happened to a container of ours, as the engine reports it.

    ``action``: start, die, oom, destroy, pause, unpause, "health_status: healthy", ...;
    ``at``: seconds since the epoch, as the engine's clock has them.
    """

    action: str
    container: str
    project: str
    at: float
    exit_code: int | None = None
    role: str = Role.MAIN
    service: str = ""
