"""How the files of a workspace get into a container; chosen here and nowhere else."""

from __future__ import annotations

from typing import Protocol

from debughost_cli.deployment.transport.bind_mount import BindMount
from debughost_cli.resources import EngineInfo
from debughost_cli.specs import Mount

_SOCKETS = ("unix://", "npipe://")


class WorkspaceTransport(Protocol):
    """Makes a workspace available to containers of one engine."""

    @property
    def shares_machine(self) -> bool:
        """True where the engine uses this machine's files, ports and CPUs."""
        ...

    def mount(self, workspace: str) -> Mount:
        """The mount that shows the workspace at ``/app``."""
        ...


def choose_transport(engine: EngineInfo) -> WorkspaceTransport:
    """A bind mount: of this machine's folder, or of the remote engine's own folder of that path."""
    return BindMount(shares_machine=engine.endpoint.startswith(_SOCKETS))
