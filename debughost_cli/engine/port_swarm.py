"""The interface of a swarm's manager: the part of the engine's port that local projects never need.

Every method may raise what those of ``engine/port.py`` may, and ``NotAManager``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from debughost_cli.engine.port_swarm_types import (
    SwarmMembership,
    SwarmNode,
    SwarmService,
    SwarmSpec,
    SwarmTask,
)
from debughost_cli.engine.port_types import LogQuery
from debughost_cli.resources import LogLine, Network


class Swarm(Protocol):
    """Nodes, services and their tasks."""

    def membership(self) -> SwarmMembership:
        """What the engine is in a swarm now; not what was read before."""
        ...

    def nodes(self) -> Sequence[SwarmNode]:
        """All nodes."""
        ...

    def services(self, labels: Sequence[str] = ()) -> Sequence[SwarmService]:
        """All services that carry every label of ``labels`` (``k=v``)."""
        ...

    def tasks(self, services: Sequence[str]) -> Sequence[SwarmTask]:
        """The tasks of services, by their ids, the newest first; also those that have ended."""
        ...

    def create(self, spec: SwarmSpec) -> str:
        """The new service's id. Raises NameConflict."""
        ...

    def update(self, service: str, spec: SwarmSpec) -> None:
        """Replaces its task by one of ``spec``. Raises NotFound."""
        ...

    def scale(self, service: str, replicas: int) -> None:
        """Has it run (1) or not (0). Raises NotFound."""
        ...

    def restart(self, service: str) -> None:
        """Replaces its task, whether anything changed or not. Raises NotFound."""
        ...

    def undo(self, service: str) -> None:
        """Takes back the last update. Raises NotFound."""
        ...

    def remove(self, service: str) -> None:
        """With its tasks; gone already is fine."""
        ...

    def create_job(self, spec: SwarmSpec) -> str:
        """The id of a service that is placed as ``spec`` would be, and then runs nothing."""
        ...

    def task_logs(self, task: str, query: LogQuery) -> Iterator[LogLine]:
        """The output of a task, as ``Containers.logs``; ends after a while without any."""
        ...

    def create_network(self, name: str, labels: Mapping[str, str]) -> Network:
        """An overlay that containers may join, as it is after its creation. Raises Conflict."""
        ...
