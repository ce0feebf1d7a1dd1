"""Who holds which port: asked of the engine and this machine only when somebody wants to know."""

from __future__ import annotations

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.planning.ports import Holder
from debughost_cli.services import host
from debughost_cli.services.projects import OURS


class PortTable:
    """Ports as one project sees them: its own are free to it.

    ``avoid`` are ports that the engine itself found taken, for whatever reason.
    """

    def __init__(self, engine: Engine, project: str, avoid: frozenset[int] = frozenset()) -> None:
        self._engine = engine
        self._project = project
        self._avoid = avoid
        self._lines: dict[int, Holder] | None = None

    def holder(self, port: int) -> Holder | None:
        """Who has the port, None where it is free. Of a process of this machine only that it is
        one: finding out which costs 30 ms a port.
        """
        if self._lines is None:
            self._lines = self._held()
        if port in self._lines:
            return self._lines[port]
        if self._engine.info.is_local and host.is_taken(port):
            return Holder("process", "on this machine")
        return Holder("process", "that the engine saw") if port in self._avoid else None

    def identify(self, port: int) -> Holder:
        """Who has a port that is taken, by name where that can be known."""
        found = self.holder(port) or Holder("unknown", "")
        if found.kind == "process" and self._engine.info.is_local:
            return host.listener(port)
        return found

    def _held(self) -> dict[int, Holder]:
        """A project holds its port whether it runs or not; other containers while they run."""
        held: dict[int, Holder] = {}
        for container in self._engine.list_containers():
            ours = container.labels.get(names.MANAGED) == "true"
            if ours and container.project == self._project:
                continue
            for port in container.published_ports:
                held.setdefault(port, Holder("container", container.name))
            if ours and container.port:
                held[container.port] = Holder("project", container.project)
        return held

    def remembered(self) -> int | None:
        """The port that the project had when its container was removed, if it was a chosen one."""
        note = names.port_note_name(self._project)
        for volume in self._engine.list_volumes([OURS, f"{names.ROLE}=port"]):
            text = volume.labels.get(names.PORT, "")
            if volume.name == note and text.isascii() and text.isdigit():
                return int(text)
        return None
