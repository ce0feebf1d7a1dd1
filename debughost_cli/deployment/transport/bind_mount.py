"""The workspace as a bind mount of the machine that runs the engine."""

from __future__ import annotations

from dataclasses import dataclass

from debughost_cli.names import WORKDIR
from debughost_cli.specs import Mount, MountType


@dataclass(frozen=True)
class BindMount:
    """A folder of the engine's machine, which is this one where ``shares_machine`` is true."""

    shares_machine: bool

    def mount(self, workspace: str) -> Mount:
        return Mount(MountType.BIND, workspace, WORKDIR)
