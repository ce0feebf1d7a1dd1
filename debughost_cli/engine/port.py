"""What the services ask of an engine, in our own terms.

Every method may raise ``EngineUnavailable``, ``EngineTimeout``, ``EnginePermissionDenied``,
``DiskFull`` or ``EngineError``; what else it may raise stands in its docstring. Nothing of the
engine's client library passes through this door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from debughost_cli.errors import EngineError
from debughost_cli.resources import (
    Container,
    ContainerSpec,
    ContainerSummary,
    DiskUsage,
    EngineEvent,
    EngineInfo,
    FileEntry,
    Image,
    Link,
    LogLine,
    Network,
    StatsSample,
    Volume,
)


class Missing(EngineError):
    """The object that was asked for does not exist (any more)."""


class Clash(EngineError):
    """The engine refuses because of the object's present state or an equal name."""


class Spoilt(EngineError):
    """The end of an engine has spoilt this container for good: only a new one can be started."""


@dataclass(frozen=True)
class LogQuery:
    """Which lines, and how: ``tail`` None for all, counted in entries of the engine.

    ``since`` and ``until``: seconds since the epoch, both inclusive; a Decimal is exact.
    ``pieces``: each entry as it comes, a long line in several. Without ``stamps``, ``pieces`` may
    even hold many lines each; that is the fastest.
    """

    tail: int | None = None
    since: Decimal | float | None = None
    until: Decimal | float | None = None
    follow: bool = False
    stamps: bool = True
    pieces: bool = False


@dataclass(frozen=True)
class ExecSpec:
    """A command for a running container; empty: the container's own user, folder, variables.

    ``stdin``: something will be written to it. ``tty``: it gets a terminal, and stdout alone.
    """

    command: tuple[str, ...]
    user: str = ""
    workdir: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bool = False
    tty: bool = False


@dataclass(frozen=True)
class ExecResult:
    """What a command in a container came to."""

    exit_code: int
    stdout: bytes
    stderr: bytes


OnText = Callable[[str], None]
OnOutput = Callable[[str, memoryview], None]
"""Gets ``stdout`` or ``stderr`` and bytes that are gone once it returns."""


class Execution(Protocol):
    """A command that was started in a container."""

    def pump(self, stdin: int | None, on_output: OnOutput) -> None:
        """Moves bytes until the command's streams end; ``stdin`` is a file descriptor.

        The end of ``stdin`` becomes the end of the command's. What ``on_output`` raises passes
        through.
        """
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Tells the command's terminal its size. Raises Missing, Clash where it has ended."""
        ...

    def wait(self) -> int:
        """The exit code, once the command has ended. Raises Missing with its container."""
        ...

    def close(self) -> None:
        """Lets go of the streams; the command itself goes on."""
        ...


class Engine(Protocol):
    """An engine that runs containers."""

    @property
    def info(self) -> EngineInfo:
        """Where it is and what it can do."""
        ...

    @property
    def outages(self) -> int:
        """How many calls have found it away since it was connected to."""
        ...

    def ping(self) -> None:
        """Asks on a new connection whether it is there: one that ends answers on old ones."""
        ...

    def close(self) -> None:
        """Gives the sockets back; no call follows."""
        ...

    # Containers
    def list_containers(self, labels: Sequence[str] = ()) -> list[ContainerSummary]:
        """All containers, running or not, that carry every label of ``labels`` (``k=v``).

        Newer engines may list one that has just ended as running for some milliseconds: inspect it.
        """
        ...

    def inspect_container(self, ref: str) -> Container:
        """Raises Missing."""
        ...

    def create_container(self, name: str, spec: ContainerSpec) -> str:
        """The new container's id. Raises NameConflict, ImageNotFound, InvalidWorkspace."""
        ...

    def start_container(self, ref: str) -> None:
        """Already running is fine. Raises Missing, PortInUse, StartFailed, Spoilt."""
        ...

    def stop_container(self, ref: str, grace: int) -> None:
        """SIGTERM, and SIGKILL after ``grace`` seconds; stopped is fine. Raises Missing."""
        ...

    def kill_container(self, ref: str, signal: str) -> None:
        """Raises Missing, and Clash where it does not run."""
        ...

    def unpause_container(self, ref: str) -> None:
        """Lets a paused container run on; one that runs is fine. Raises Missing."""
        ...

    def remove_container(self, ref: str, *, force: bool = False) -> None:
        """Gone already is fine. Raises Clash where it runs and ``force`` is False."""
        ...

    def put_files(self, ref: str, entries: Sequence[FileEntry]) -> None:
        """Writes files and folders (absolute paths) into a container. Raises Missing."""
        ...

    def read_files(self, ref: str, folder: str, limit: int = 65536) -> Mapping[str, bytes]:
        """The plain files straight in ``folder``, each cut at ``limit`` bytes. Raises Missing."""
        ...

    def read_link(self, ref: str, path: str) -> Link | None:
        """A symbolic link in a container; None where there is no such link or container.

        ``target`` is what it points to without the folder, if that is the link's own.
        """
        ...

    def stats_sample(self, ref: str) -> StatsSample:
        """The counters of a running container. Raises Missing."""
        ...

    def logs(self, ref: str, query: LogQuery) -> Iterator[LogLine]:
        """The output, line by line, in the engine's order. Raises Missing.

        What has no end (yet) and what is very long comes as LogPiece, see ``LogQuery``.
        """
        ...

    def start_exec(self, ref: str, spec: ExecSpec) -> Execution:
        """Starts a command. Raises Missing, Clash where nothing runs, StartFailed.

        An engine that cannot start it may also say so as the command's output, with code 126.
        """
        ...

    def run_exec(
        self, ref: str, command: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        """Runs a command to its end. Raises Missing, and Clash where nothing runs."""
        ...

    def events(self, since: float | None, until: float | None = None) -> Iterator[EngineEvent]:
        """What happens to containers of ours, from ``since`` on (seconds since the epoch).

        Ends after a while without events; the caller opens it again from the last one's time.
        """
        ...

    # Networks
    def find_networks(self, name: str) -> list[Network]:
        """Every network of exactly that name, with what is attached."""
        ...

    def list_networks(self) -> list[Network]:
        """All networks, without what is attached."""
        ...

    def create_network(
        self, name: str, subnet: str, gateway: str, labels: Mapping[str, str]
    ) -> str:
        """The new network's id. Raises Clash for an equal name, NetworkConflict for overlap."""
        ...

    def remove_network(self, ref: str) -> None:
        """Gone already is fine. Raises InUse."""
        ...

    # Volumes
    def list_volumes(self, labels: Sequence[str] = ()) -> list[Volume]:
        """Volumes with all of ``labels``, not measured."""
        ...

    def disk_usage(self) -> DiskUsage:
        """What takes the engine's room; costs a walk over all files of volumes."""
        ...

    def create_volume(self, name: str, labels: Mapping[str, str]) -> Volume:
        """Makes it, or returns the one of that name (whoever it belongs to)."""
        ...

    def remove_volume(self, name: str) -> None:
        """Gone already is fine. Raises InUse."""
        ...

    # Images
    def find_image(self, ref: str) -> Image | None:
        """The image, None where it is not on the engine."""
        ...

    def list_images(self, labels: Sequence[str] = ()) -> list[Image]:
        """Images with all of ``labels``."""
        ...

    def pull_image(self, ref: str, on_text: OnText) -> None:
        """Raises ImageNotFound with its reason."""
        ...

    def build_image(
        self,
        context: Path,
        *,
        tags: Sequence[str],
        labels: Mapping[str, str],
        build_args: Mapping[str, str],
        no_cache: bool,
        on_text: OnText,
    ) -> None:
        """Builds ``context/Dockerfile``. Raises ImageNotFound for a base that is not to be had."""
        ...
