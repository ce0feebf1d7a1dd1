"""Which ports are in use, and by what; read from the engine and this machine when needed."""

from __future__ import annotations

from collections.abc import Mapping

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.planning.ports import PortHolder, PortHolderKind
from debughost_cli.resources import Container
from debughost_cli.services import local_ports
from debughost_cli.services.listings import Listings


class PortTable:
    """Ports as one project sees them: its own are free to it.

    ``avoid`` are ports that the engine itself found taken, for whatever reason. ``current``: the
    project's container, whose ports are free for the one that replaces it.
    """

    def __init__(
        self,
        engine: Engine,
        project: str,
        avoid: frozenset[int] = frozenset(),
        listings: Listings | None = None,
        current: Container | None = None,
    ) -> None:
        is_running = current is not None and current.is_running
        own = {p.host_port for p in current.ports} if current and is_running else set()
        self._own = own - avoid
        self._listings = listings or Listings(engine)
        self._project = project
        self._avoid = avoid
        self._shares_machine = engine.info.shares_machine
        self._lines: dict[int, PortHolder] | None = None

    def holder(self, port: int) -> PortHolder | None:
        """Who has the port, None where it is free. Of a process of this machine only that it is
        one: finding out which costs 30 ms a port.
        """
        if port in self._own:
            return None
        if self._lines is None:
            self._lines = self._held()
        if port in self._lines:
            return self._lines[port]
        if self._shares_machine and local_ports.is_taken(port):
            return PortHolder(PortHolderKind.PROCESS, "on this machine")
        return (
            PortHolder(PortHolderKind.PROCESS, "that the engine saw")
            if port in self._avoid
            else None
        )

    def identify(self, port: int) -> PortHolder:
        """Who has a port that is taken, by name where that can be known."""
        found = self.holder(port) or PortHolder(PortHolderKind.UNKNOWN, "")
        if found.kind is PortHolderKind.PROCESS and self._shares_machine:
            return local_ports.listener(port)
        return found

    def _held(self) -> dict[int, PortHolder]:
        """A project holds its port whether it runs or not; other containers while they run."""
        held: dict[int, PortHolder] = {}
        for container in self._listings.containers:
            ours = container.labels.get(names.MANAGED) == "true"
            if ours and container.project == self._project:
                continue
            for port in container.published_ports:
                held.setdefault(port, PortHolder(PortHolderKind.CONTAINER, container.name))
            own = (container.port, *(p.host_port for p in container.extra_ports)) if ours else ()
            for port in filter(None, own):
                held[port] = PortHolder(PortHolderKind.PROJECT, container.project)
        return held

    def note(self) -> Mapping[str, str] | None:
        """The labels that have the ports of the project's removed container, if it chose them."""
        note = names.port_note_name(self._project)
        for volume in self._listings.volumes:
            labels = volume.labels
            is_note = labels.get(names.MANAGED) == "true" and labels.get(names.ROLE) == "port"
            if volume.name == note and is_note:
                return labels
        return None
