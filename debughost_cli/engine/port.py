"""The interface of an engine, in terms of this program.

Every method may raise ``EngineUnavailable``, ``EngineTimeout``, ``EnginePermissionDenied``,
``DiskFull`` or ``EngineError``; its docstring names what else it may raise. Nothing of the
engine's client library passes through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from debughost_cli.engine.port_images import Images as Images
from debughost_cli.engine.port_swarm_types import SwarmMembership as SwarmMembership
from debughost_cli.engine.port_types import Codec as Codec
from debughost_cli.engine.port_types import Conflict as Conflict
from debughost_cli.engine.port_types import ContainerCorrupted as ContainerCorrupted
from debughost_cli.engine.port_types import DiskUsageBusy as DiskUsageBusy
from debughost_cli.engine.port_types import ExecResult as ExecResult
from debughost_cli.engine.port_types import ExecSpec as ExecSpec
from debughost_cli.engine.port_types import Execution as Execution
from debughost_cli.engine.port_types import ImageMissing as ImageMissing
from debughost_cli.engine.port_types import LogQuery as LogQuery
from debughost_cli.engine.port_types import LogsUnsupported as LogsUnsupported
from debughost_cli.engine.port_types import NotFound as NotFound
from debughost_cli.engine.port_types import NotPaused as NotPaused
from debughost_cli.engine.port_types import OnOutput as OnOutput
from debughost_cli.engine.port_types import OnText as OnText
from debughost_cli.engine.port_types import RemovalInProgress as RemovalInProgress
from debughost_cli.resources import (
    Container,
    ContainerSummary,
    DiskUsage,
    EngineEvent,
    EngineInfo,
    FileEntry,
    Link,
    LogLine,
    Network,
    StatsSample,
    UserMapping,
    Volume,
)
from debughost_cli.specs import ServiceSpec

if TYPE_CHECKING:
    from debughost_cli.engine.port_swarm import Swarm


class Containers(Protocol):
    """Containers, with their files, counters and output."""

    def list(self, labels: Sequence[str] = ()) -> Sequence[ContainerSummary]:
        """All containers, running or not, that carry every label of ``labels`` (``k=v``).

        Newer engines may list one that has just ended as running for some milliseconds: inspect it.
        """
        ...

    def inspect(self, ref: str) -> Container:
        """Raises NotFound."""
        ...

    def create(self, name: str, spec: ServiceSpec) -> str:
        """The new container's id. Raises NameConflict, ImageNotFound, InvalidWorkspace."""
        ...

    def start(self, ref: str) -> None:
        """Already running is fine. Raises NotFound, PortInUse, StartFailed, ContainerCorrupted."""
        ...

    def stop(self, ref: str, stop_timeout: int) -> None:
        """SIGTERM, and SIGKILL after ``stop_timeout`` seconds; stopped is fine. Raises NotFound."""
        ...

    def kill(self, ref: str, signal: str) -> None:
        """Raises NotFound, and Conflict where it does not run."""
        ...

    def unpause(self, ref: str) -> None:
        """Lets a paused container run on; one that runs is fine. Raises NotFound."""
        ...

    def remove(self, ref: str, *, force: bool = False) -> None:
        """Gone already is fine. Raises Conflict where it runs and ``force`` is False."""
        ...

    def put_files(self, ref: str, entries: Sequence[FileEntry]) -> None:
        """Writes files and folders (absolute paths) into a container. Raises NotFound."""
        ...

    def put_archive(self, ref: str, make: Callable[[], Iterable[bytes]]) -> None:
        """Unpacks a tar, compressed or not, at ``/`` of a container, through its mounts.

        ``make`` gives its bytes as they are sent; it is called again for each try. What it raises
        passes through. An archive that was cut off leaves what came until then. Raises NotFound.
        """
        ...

    def get_archive(self, ref: str, path: str) -> Iterator[bytes]:
        """A tar of what is at ``path`` in a container, through its mounts, as it is read.

        Its entries begin with the last part of ``path``. Raises NotFound.
        """
        ...

    def read_files(self, ref: str, folder: str, limit: int = 65536) -> Mapping[str, bytes]:
        """The plain files straight in ``folder``, each cut at ``limit`` bytes. Raises NotFound.

        It costs a few MiB at most, whatever is there: what lies behind files of some MiB is left
        out. ``folder`` may also be one plain file.
        """
        ...

    def read_link(self, ref: str, path: str) -> Link | None:
        """A symbolic link in a container; None where there is no such link or container.

        ``target`` is what it points to without the folder, if that is the link's own.
        """
        ...

    def stats(self, ref: str) -> StatsSample:
        """The counters of a running container. Raises NotFound."""
        ...

    def logs(self, ref: str, query: LogQuery) -> Iterator[LogLine]:
        """The output, line by line, in the engine's order. Raises NotFound.

        What has no end (yet) and what is very long comes as LogFragment, see ``LogQuery``.
        """
        ...


class Exec(Protocol):
    """Commands in running containers."""

    def start(self, ref: str, spec: ExecSpec) -> Execution:
        """Starts a command. Raises NotFound, Conflict where nothing runs, StartFailed.

        An engine that cannot start it may also report that as the command's output, with code 126.
        """
        ...

    def run(
        self, ref: str, command: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        """Runs a command to its end, and keeps 1 MiB of each of its streams.

        Raises NotFound, and Conflict where nothing runs.
        """
        ...


class Events(Protocol):
    """What happens on the engine."""

    def read(self, since: float | None, until: float | None = None) -> Iterator[EngineEvent]:
        """What happens to containers of ours, from ``since`` on (seconds since the epoch).

        Ends after a while without events; the caller opens it again from the last one's time.
        """
        ...


class Networks(Protocol):
    """Networks."""

    def find(self, name: str) -> Sequence[Network]:
        """Every network of exactly that name, with what is attached."""
        ...

    def list(self) -> Sequence[Network]:
        """All networks, without what is attached."""
        ...

    def create(
        self, name: str, subnet: str | None, gateway: str | None, labels: Mapping[str, str]
    ) -> str:
        """The new network's id. ``subnet``: None for one that the engine chooses.

        Raises Conflict for an equal name, NetworkConflict for overlap.
        """
        ...

    def connect(
        self, name: str, container: str, aliases: Sequence[str], links: Sequence[str] = ()
    ) -> None:
        """Joins a container; one that is in it already is fine. Raises NotFound.

        ``links``: ``NAME:ALIAS``, names that it alone has for others in that network.
        """
        ...

    def remove(self, ref: str) -> None:
        """Gone already is fine. Raises InUse."""
        ...


class Volumes(Protocol):
    """Named volumes."""

    def list(self, labels: Sequence[str] = ()) -> Sequence[Volume]:
        """Volumes with all of ``labels``, not measured."""
        ...

    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        """Creates it, or returns the one of that name, whoever created it."""
        ...

    def remove(self, name: str) -> None:
        """Gone already is fine. Raises InUse."""
        ...


class Engine(Protocol):
    """An engine that runs containers."""

    @property
    def containers(self) -> Containers: ...

    @property
    def exec(self) -> Exec: ...

    @property
    def events(self) -> Events: ...

    @property
    def networks(self) -> Networks: ...

    @property
    def volumes(self) -> Volumes: ...

    @property
    def images(self) -> Images: ...

    @property
    def swarm(self) -> Swarm:
        """For managers of a swarm."""
        ...

    def membership(self) -> SwarmMembership:
        """Its part in a swarm; read once."""
        ...

    @property
    def info(self) -> EngineInfo:
        """Where it is and what it can do."""
        ...

    def identity(self) -> str:
        """What tells this engine from others, whatever address it is reached at; read once."""
        ...

    def memory_bytes(self) -> int:
        """The memory of the engine's machine, 0 where it does not say; read once."""
        ...

    def users(self) -> UserMapping:
        """How it maps the users of containers; read once."""
        ...

    @property
    def connection_failures(self) -> int:
        """How many calls found no engine since the connection was opened."""
        ...

    def ping(self) -> None:
        """Checks on a new connection whether it answers: one that ends answers on open ones."""
        ...

    def close(self) -> None:
        """Closes pooled connections; no call follows."""
        ...

    def disk_usage(self) -> DiskUsage:
        """What uses the engine's disk; the engine walks over all files of volumes for it."""
        ...
