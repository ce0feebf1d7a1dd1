"""The workspace as a bind mount of the machine that runs the engine."""

from __future__ import annotations

from msgspec import Struct

from debughost_cli.names import WORKDIR
from debughost_cli.specs import Mount, MountType


class BindMount(Struct, frozen=True):
    """A folder of the engine's machine, which is this one where ``shares_machine`` is true."""

    shares_machine: bool

    def mount(self, workspace: str) -> Mount:
        return Mount(MountType.BIND, workspace, WORKDIR)
