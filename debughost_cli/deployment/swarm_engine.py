"""A manager with the engines of its nodes, as one engine: what reads a project finds it anywhere.

A project of a swarm that has no container that could be reached is shown all the same, by a
container that stands in for it and has the service's id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from debughost_cli import names
from debughost_cli.deployment.managers import no_majority, node_unreachable
from debughost_cli.deployment.swarm_view import NodeEngine, SwarmMember, SwarmView, Warn
from debughost_cli.engine.port import (
    Containers,
    Engine,
    Events,
    Exec,
    ExecResult,
    ExecSpec,
    Execution,
    Images,
    LogQuery,
    Networks,
    NotFound,
    SwarmMembership,
    Volumes,
)
from debughost_cli.engine.port_swarm import Swarm
from debughost_cli.errors import EngineTimeout, EngineUnavailable, NodeUnreachable
from debughost_cli.resources import (
    Container,
    ContainerSummary,
    DiskUsage,
    EngineInfo,
    FileEntry,
    Link,
    LogLine,
    StatsSample,
    UserMapping,
    Volume,
)
from debughost_cli.specs import ServiceSpec

_NOT_FETCHED = b"Error grabbing logs: rpc error: code = "
_MANAGED = f"{names.MANAGED}=true"


class SwarmEngine:
    """What is not about a container of a member goes to the manager."""

    def __init__(
        self, manager: Engine, node_engine: NodeEngine, warn: Warn = lambda _code, _text: None
    ) -> None:
        self.manager = manager
        self.node_engine = node_engine
        self.view = SwarmView(manager, node_engine, warn)
        self.containers: Containers = _SwarmContainers(self)
        self.exec: Exec = _SwarmExec(self)
        self.volumes: Volumes = _SwarmVolumes(self)

    def engine_of(self, ref: str) -> Engine:
        """Where a container is. Raises NodeUnreachable for one that only the manager knows."""
        member = self.view.member_of(ref)
        if member is None:
            return self.manager
        if member.engine is None or ref == member.service.id:
            raise unreachable(member)
        return member.engine

    @property
    def events(self) -> Events:
        return self.manager.events

    @property
    def networks(self) -> Networks:
        return self.manager.networks

    @property
    def images(self) -> Images:
        return self.manager.images

    @property
    def swarm(self) -> Swarm:
        return self.manager.swarm

    def membership(self) -> SwarmMembership:
        return self.manager.membership()

    @property
    def info(self) -> EngineInfo:
        return self.manager.info

    def identity(self) -> str:
        return self.manager.identity()

    def memory_bytes(self) -> int:
        return self.manager.memory_bytes()

    def users(self) -> UserMapping:
        return self.manager.users()

    @property
    def connection_failures(self) -> int:
        return self.manager.connection_failures

    def ping(self) -> None:
        self.manager.ping()

    def close(self) -> None:
        self.manager.close()

    def disk_usage(self) -> DiskUsage:
        return self.manager.disk_usage()


def unreachable(member: SwarmMember) -> NodeUnreachable:
    """Nothing can be done in the project now; with what helps."""
    return node_unreachable(
        member.service.project, member.place, is_known=member.engine is not None
    )


class _SwarmContainers:
    def __init__(self, engine: SwarmEngine) -> None:
        self._engine = engine
        self._own = engine.manager.containers
        self._view = engine.view
        self._seen: set[str] = set()

    def list(self, labels: Sequence[str] = ()) -> Sequence[ContainerSummary]:
        members = self._view.read(labels or [_MANAGED])
        found = self._own.list(labels)
        self._seen |= {c.labels.get(names.PROJECT, "") for c in found}
        if not self._view.has_majority:
            self._check_known(labels)
            return found
        own = [c for c in found if names.SWARM_SERVICE not in c.labels]
        return [*own, *(c for m in members for c in m.shown)]

    def _check_known(self, labels: Sequence[str]) -> None:
        """A project that this engine never had may be one of the swarm: it is not said that there
        is none, and no second one is made.
        """
        wanted = dict(label.partition("=")[::2] for label in labels).get(names.PROJECT)
        if wanted and wanted not in self._seen:
            raise no_majority(self._engine.manager, wanted)

    def inspect(self, ref: str) -> Container:
        member = self._view.member_of(ref)
        if member is None:
            return self._own.inspect(ref)
        if ref != member.service.id and member.engine:
            try:
                return member.placed(member.engine.containers.inspect(ref))
            except (NotFound, EngineUnavailable, EngineTimeout):
                # A stop removes it, what replaces a task has a new one, or its node is lost.
                pass
        now = self._view.again(member)
        if now is None:
            raise NotFound(f"the service {member.service.name} does not exist any more")
        if now.containers and now.engine:
            newest = max(now.containers, key=lambda c: (c.is_running, c.created_at))
            return now.placed(now.engine.containers.inspect(newest.id))
        return now.stand_in

    def create(self, name: str, spec: ServiceSpec) -> str:
        return self._own.create(name, spec)

    def start(self, ref: str) -> None:
        self._at(ref).start(ref)

    def stop(self, ref: str, stop_timeout: int) -> None:
        self._at(ref).stop(ref, stop_timeout)

    def kill(self, ref: str, signal: str) -> None:
        self._at(ref).kill(ref, signal)

    def unpause(self, ref: str) -> None:
        self._at(ref).unpause(ref)

    def remove(self, ref: str, *, force: bool = False) -> None:
        self._at(ref).remove(ref, force=force)

    def put_files(self, ref: str, entries: Sequence[FileEntry]) -> None:
        self._at(ref).put_files(ref, entries)

    def put_archive(self, ref: str, make: Callable[[], Iterable[bytes]]) -> None:
        self._at(ref).put_archive(ref, make)

    def get_archive(self, ref: str, path: str) -> Iterator[bytes]:
        return self._at(ref).get_archive(ref, path)

    def read_files(self, ref: str, folder: str, limit: int = 65536) -> Mapping[str, bytes]:
        return self._at(ref).read_files(ref, folder, limit)

    def read_link(self, ref: str, path: str) -> Link | None:
        member = self._view.member_of(ref)
        if member and (ref == member.service.id or member.engine is None):
            is_stopped = path == names.STATE_LINK and not member.service.replicas
            return Link("running+term", None) if is_stopped else None
        try:
            return self._at(ref).read_link(ref, path)
        except (EngineUnavailable, EngineTimeout) as exc:
            if member is None:
                raise
            project = member.service.project
            raise node_unreachable(project, member.place, is_known=False) from exc

    def stats(self, ref: str) -> StatsSample:
        return self._at(ref).stats(ref)

    def logs(self, ref: str, query: LogQuery) -> Iterator[LogLine]:
        member = self._view.member_of(ref)
        if member and (ref == member.service.id or member.engine is None):
            task = member.task
            if not member.service.replicas:
                self._view.warn(
                    "LOGS_GONE",
                    f"{member.service.project} is stopped, and the swarm has removed what it wrote "
                    "with its container; 'logs -f' while it runs keeps it",
                )
                return iter(())
            if task is None or not task.container or member.place.is_lost:
                raise unreachable(member)
            return _or_unreachable(self._engine.swarm.task_logs(task.id, query), member)
        return self._at(ref).logs(ref, query)

    def _at(self, ref: str) -> Containers:
        return self._engine.engine_of(ref).containers


def _or_unreachable(lines: Iterator[LogLine], member: SwarmMember) -> Iterator[LogLine]:
    """A manager that does not reach the node says so as if the program had written it."""
    for line in lines:
        if line.stream == "stderr" and line.data.startswith(_NOT_FETCHED):
            raise unreachable(member)
        yield line


class _SwarmExec:
    def __init__(self, engine: SwarmEngine) -> None:
        self._engine = engine

    def start(self, ref: str, spec: ExecSpec) -> Execution:
        return self._engine.engine_of(ref).exec.start(ref, spec)

    def run(
        self, ref: str, command: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        return self._engine.engine_of(ref).exec.run(ref, command, user=user, workdir=workdir)


class _SwarmVolumes:
    """The manager's own, and those of members on the engines of their nodes."""

    def __init__(self, engine: SwarmEngine) -> None:
        self._engine = engine
        self._own = engine.manager.volumes
        self._places: dict[str, Engine] = {}

    def list(self, labels: Sequence[str] = ()) -> Sequence[Volume]:
        found = {v.name: v for v in self._own.list(labels)}
        self._engine.view.read(labels or [_MANAGED])
        for engine in self._engine.view.engines():
            for volume in engine.volumes.list(labels):
                if volume.name not in found:
                    found[volume.name] = volume
                    self._places[volume.name] = engine
        return list(found.values())

    def create(self, name: str, labels: Mapping[str, str]) -> Volume:
        return self._own.create(name, labels)

    def remove(self, name: str) -> None:
        place = self._places.get(name)
        (place.volumes if place else self._own).remove(name)
