"""What one observation lists of an engine: each kind when it is needed, and once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from debughost_cli.engine.port import Engine
from debughost_cli.planning.instance import instances
from debughost_cli.resources import ContainerSummary, Network, ProjectInstance, Volume
from debughost_cli.services.abandoned import abandoned
from debughost_cli.services.owner_process import OwnerProcess


class Listings:
    """A view of one moment; it is not for longer than one observation.

    ``known``: the one project that is of interest, where it has just been listed.
    """

    def __init__(self, engine: Engine, known: ProjectInstance | None = None) -> None:
        self._engine = engine
        self._known = known

    @cached_property
    def projects(self) -> Mapping[str, ProjectInstance]:
        """The projects on the engine, by id."""
        return {self._known.project: self._known} if self._known else instances(self.containers)

    def abandoned(self, project: str, owner: OwnerProcess) -> tuple[str, ...]:
        """The ids of what killed commands have left of a project; ``owner``: this process."""
        known = self._known.one_offs if self._known else self.containers
        own = (c for c in known if c.project == project)
        return tuple(c.id for c in abandoned(own, owner))

    @cached_property
    def containers(self) -> Sequence[ContainerSummary]:
        """All containers, of whoever."""
        return self._engine.containers.list()

    @cached_property
    def networks(self) -> Sequence[Network]:
        """All networks, without what is attached."""
        return self._engine.networks.list()

    @cached_property
    def volumes(self) -> Sequence[Volume]:
        """All volumes, not measured."""
        return self._engine.volumes.list()
