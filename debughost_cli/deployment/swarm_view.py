"""The projects of a swarm as its manager and the engines of its nodes show them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.deployment.managers import NO_MAJORITY
from debughost_cli.engine.port import Engine
from debughost_cli.engine.port_swarm_types import SwarmNode, SwarmRole, SwarmService, SwarmTask
from debughost_cli.errors import EngineTimeout, EngineUnavailable, NotAManager
from debughost_cli.planning.swarm import (
    current_task,
    place_of,
    stand_in,
    summary_of,
    task_containers,
)
from debughost_cli.resources import Container, ContainerSummary
from debughost_cli.swarm_place import SwarmPlace

Warn = Callable[[str, str], None]
"""Takes a warning's code and its message."""
NodeEngine = Callable[[str], Engine | None]
"""The engine of the node of that id, None where none is known or it does not answer."""


class SwarmMember(Struct, frozen=True):
    """A project's service. ``engine``: its node's, None where that is not known or not reached.

    ``containers``: what that engine has of it.
    """

    service: SwarmService
    task: SwarmTask | None
    place: SwarmPlace
    engine: Engine | None
    containers: tuple[ContainerSummary, ...] = ()

    @property
    def stand_in(self) -> Container:
        """What is known of it without its container."""
        return stand_in(self.service, self.task, self.place, self.engine is not None)

    @property
    def shown(self) -> tuple[ContainerSummary, ...]:
        """As lines of a container list."""
        return self.containers or (summary_of(self.stand_in),)

    def placed(self, container: Container) -> Container:
        """A container with the place at which the swarm has it, and the image that it is made of:
        its own differs for each start.
        """
        image = container.labels.get(names.BASE) or container.image_id
        return replace(container, place=self.place, image_id=image)


class SwarmView:
    """Reads; what it has read last says which engine a container is on."""

    def __init__(self, manager: Engine, node_engine: NodeEngine, warn: Warn) -> None:
        self._manager = manager
        self._node_engine = node_engine
        self._warn = warn
        self._warned: set[str] = set()
        self._members: dict[str, SwarmMember] = {}
        self.has_majority = True
        """Whether the managers could tell what the swarm runs, when they were asked last."""

    def read(self, labels: Sequence[str]) -> tuple[SwarmMember, ...]:
        """The members whose services have ``labels``; one request where there is none."""
        services = [s for s in self._services(labels) if s.labels.get(names.NODE)]
        if not services:
            return ()
        tasks = self._manager.swarm.tasks([s.id for s in services])
        nodes = {n.id: n for n in self._manager.swarm.nodes()}
        listed: dict[str, Sequence[ContainerSummary] | None] = {}
        for node in {s.node for s in services}:
            listed[node] = self._containers(node, labels)
        found = tuple(self._member(s, tasks, nodes, listed[s.node]) for s in services)
        for member in found:
            ids = (member.service.id, *(c.id for c in member.containers))
            self._members |= dict.fromkeys(ids, member)
        return found

    def _services(self, labels: Sequence[str]) -> Sequence[SwarmService]:
        """None where the engine has left its swarm since that was read, and where most managers are
        lost: what the engine has without the swarm must go on.
        """
        swarm = self._manager.swarm
        try:
            found = swarm.services(labels)
        except NotAManager:
            if swarm.membership().role is SwarmRole.MANAGER:
                self.has_majority = False
                self.warn("NO_MAJORITY", NO_MAJORITY)
            return ()
        self.has_majority = True
        return found

    def warn(self, code: str, message: str) -> None:
        """Once for a command."""
        if message not in self._warned:
            self._warned.add(message)
            self._warn(code, message)

    def _containers(self, node: str, labels: Sequence[str]) -> Sequence[ContainerSummary] | None:
        engine = self._node_engine(node)
        try:
            return engine.containers.list(labels) if engine else None
        except (EngineUnavailable, EngineTimeout):
            return None

    def _member(
        self, service: SwarmService, tasks: Iterable[SwarmTask], nodes: dict[str, SwarmNode],
        listed: Sequence[ContainerSummary] | None,
    ) -> SwarmMember:  # fmt: skip
        task = current_task(service, tasks)
        place = place_of(service, task, nodes, is_known=listed is not None)
        engine = self._node_engine(service.node) if listed is not None else None
        containers = task_containers(listed or (), service) if service.replicas else ()
        return SwarmMember(service, task, place, engine, containers)

    def member_of(self, ref: str) -> SwarmMember | None:
        """Whose service or container ``ref`` is, as far as it was read; None for no member's."""
        return self._members.get(ref)

    def again(self, member: SwarmMember) -> SwarmMember | None:
        """The same as it is now; None where the service is gone."""
        labels = [f"{names.MANAGED}=true", f"{names.PROJECT}={member.service.project}"]
        return next((m for m in self.read(labels) if m.service.id == member.service.id), None)

    def engines(self) -> list[Engine]:
        """Of all nodes that had a project when they were read, also of one that is gone by now."""
        found = {m.service.node: m.engine for m in self._members.values() if m.engine}
        return list(found.values())
