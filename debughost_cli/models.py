"""What the application reports about projects: plain, frozen facts.

Units: sizes in bytes (int), shares in percent (float, 100 = one core), durations in seconds
(float), times as aware ``datetime`` in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from debughost_cli.failure import NotReadyReason
from debughost_cli.swarm_place import SwarmPlace
from debughost_cli.synced import Sync

THIS_MACHINE = "this machine"
"""``url_host`` of a project whose ports are published on the machine of the user."""


class ProjectType(StrEnum):
    """Picks the base image, the port range, the dependency volume and the default command."""

    NODE = "node"
    PYTHON = "python"
    PHP = "php"
    STATIC = "static"


class RestartMode(StrEnum):
    """When the engine starts a container again that has ended."""

    NO = "no"
    ALWAYS = "always"
    UNLESS_STOPPED = "unless-stopped"
    ON_FAILURE = "on-failure"


class RestartPolicy(Struct, frozen=True):
    """A restart policy; as text in Docker's notation, such as ``on-failure:3``."""

    mode: RestartMode = RestartMode.NO
    max_retries: int = 0

    @classmethod
    def parse(cls, text: str) -> RestartPolicy:
        """From Docker's notation. Raises ValueError."""
        name, colon, retries = text.partition(":")
        mode = RestartMode(name)
        if not colon:
            return cls(mode)
        if mode is not RestartMode.ON_FAILURE or not re.fullmatch(r"[1-9][0-9]{0,5}", retries):
            raise ValueError(text)
        return cls(mode, int(retries))

    def __str__(self) -> str:
        return f"{self.mode}:{self.max_retries}" if self.max_retries else self.mode.value


class WaitLimits(Struct, frozen=True):
    """Seconds. ``ready``: until the program listens, from the end of the install on.

    ``install``: for the install. ``stable``: that the program has to stay ready.
    """

    ready: float = 60.0
    install: float = 600.0
    stable: float = 0.0


class PortFrom(Struct, frozen=True):
    """The first free port from ``first`` on; as text ``3000+``."""

    first: int

    def __str__(self) -> str:
        return f"{self.first}+"


class State(StrEnum):
    """A project's state: Docker's, with ``exited`` split by what ended it."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    COMPLETED = "completed"
    CRASHED = "crashed"


class Action(StrEnum):
    """What a command did with a project."""

    CREATED = "created"
    STARTED = "started"
    RECREATED = "recreated"
    RESTARTED = "restarted"
    STOPPED = "stopped"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    FAILED = "failed"


class ExitReason(StrEnum):
    """Why a container ended, or never started."""

    OOM = "oom"
    KILLED = "killed"
    CRASHED = "crashed"
    COMPLETED = "completed"
    STOPPED = "stopped"
    NEVER_STARTED = "never_started"


class PullPolicy(StrEnum):
    """When ``up`` pulls or builds the image."""

    MISSING = "missing"
    ALWAYS = "always"
    NEVER = "never"


class Freshness(StrEnum):
    """Whether the installed dependencies are those that the workspace requires."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"
    NONE = "none"


class Dependencies(Struct, frozen=True):
    """How a workspace's dependencies are installed.

    ``files``: the manifests and lock files, relative to the workspace, whose content decides
    whether an install is needed. ``script``: POSIX shell text that installs in ``/app``.
    """

    manager: str
    files: tuple[str, ...]
    script: str


class NoCommand(Struct, frozen=True):
    """Why detection gives no command, and what the user has to do; as an error has it."""

    message: str
    hint: str
    details: Mapping[str, object] = field(default_factory=dict)


class Warn(Struct, frozen=True):
    """Something worth knowing that did not stop the command."""

    code: str
    message: str


class Detection(Struct, frozen=True):
    """What a workspace is and how it is run.

    ``command`` is an argument vector in which the text ``{port}`` stands for the port's number;
    empty where the project gives no command. ``framework`` describes in a few words what was
    recognised. ``evidence``: the files that decided it. ``listens``: false for a
    program without a port, such as a worker or a bot. ``compiles``: whether a dependency is known
    to be published as source alone. ``several``: whether it starts several programs at once.
    ``warnings``: what a user has to know besides, with ``{port}`` as in the command, and
    ``{network}`` for the network's name.
    """

    type: ProjectType
    command: tuple[str, ...]
    framework: str
    evidence: tuple[str, ...]
    dependencies: Dependencies | None = None
    no_command: NoCommand | None = None
    listens: bool = True
    compiles: bool = False
    several: bool = False
    warnings: tuple[Warn, ...] = ()


class Stats(Struct, frozen=True):
    """What a running container uses. ``cpu_percent`` is Docker's: 100 is one core."""

    cpu_percent: float
    cpu_limit: float
    memory_bytes: int
    memory_limit_bytes: int
    memory_percent: float
    pids: int
    net_rx_bytes: int
    net_tx_bytes: int
    cpu_throttled_percent: float = 0.0
    """Share of the scheduler's periods in which it was held back by its CPU limit."""
    pids_limit: int | None = None


class Exit(Struct, frozen=True):
    """How a project ended. ``expected`` is true where a user requested it or it ended with 0."""

    code: int
    signal: str | None
    reason: ExitReason
    expected: bool
    message: str
    finished_at: datetime | None
    log_tail: tuple[str, ...] = ()


class Drift(Struct, frozen=True):
    """A field in which the container differs from the requested configuration."""

    field: str
    want: object
    have: object


class ContainerRef(Struct, frozen=True):
    """The container of a project, as shown to users."""

    id: str
    name: str
    image: str


class PublishedPort(Struct, frozen=True):
    """A port of a project's container that is published on the engine's machine.

    ``name``: what it is for; ``http`` is the one of ``port`` and ``url``. ``url``: with the scheme
    of what is spoken there where that is known (``postgresql://``, ``redis://``), else ``http://``.
    """

    name: str
    container_port: int
    host_port: int
    url: str


class Listener(Struct, frozen=True):
    """A TCP port on which something in a container listens.

    ``is_loopback``: only on the container's own loopback address.
    """

    port: int
    is_loopback: bool = False


class Companion(Struct, frozen=True):
    """A companion service of a project, as it is on the engine."""

    name: str
    state: State
    container: ContainerRef
    health: str | None = None
    ports: tuple[PublishedPort, ...] = ()
    """Those that are published on the engine's machine, if any."""
    stats: Stats | None = None
    exit: Exit | None = None


class Project(Struct, frozen=True):
    """A project and all that is known about it; the ``P`` of the JSON contract."""

    project: str
    type: str | None = None
    state: State | None = None
    ready: bool = False
    not_ready: NotReadyReason | None = None
    """Why it is not, where it runs and that is known."""
    health: str | None = None
    url: str | None = None
    url_host: str | None = None
    """The machine on which ``url`` and the ports are valid: "this machine", or the engine's."""
    port: int | None = None
    ports: tuple[PublishedPort, ...] = ()
    services: tuple[Companion, ...] = ()
    workspace: str | None = None
    command: tuple[str, ...] | None = None
    container: ContainerRef | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    uptime_seconds: float | None = None
    restart_count: int = 0
    stats: Stats | None = None
    exit: Exit | None = None
    drift: tuple[Drift, ...] = ()
    drift_unknown: str | None = None
    """Why the configuration could not be compared with the container."""
    dependencies: Freshness = Freshness.NONE
    flags: tuple[str, ...] = ()  # Of earlier runs of ``up``, in force; of variables the names.
    memory_limit_bytes: int | None = None
    sync: Sync | None = None  # Of a workspace that is uploaded.
    engine: str | None = None  # Its name, where more than one was asked.
    swarm: SwarmPlace | None = None
