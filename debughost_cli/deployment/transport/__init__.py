"""How the files of a workspace get into a container: a mount of the folder, or an upload."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from debughost_cli import names
from debughost_cli.specs import Mount, MountType


class Transport(StrEnum):
    """The ways; the label ``debug-host.transport`` has them."""

    BIND = "bind"
    """A mount of the folder: the engine sees this machine's files, or another machine's own."""
    VOLUME = "volume"
    """Copies in a volume of the engine, which does not see the folder."""

    def mount(self, project: str, workspace: str) -> Mount:
        """The mount that shows the workspace at ``/app``."""
        if self is Transport.VOLUME:
            volume = names.workspace_volume_name(project)
            return Mount(MountType.VOLUME, volume, names.WORKDIR)
        return Mount(MountType.BIND, workspace, names.WORKDIR)


def transport_of(labels: Mapping[str, str]) -> Transport:
    """How the workspace gets to a container with these labels; older ones have a mount."""
    is_volume = labels.get(names.TRANSPORT) == Transport.VOLUME
    return Transport.VOLUME if is_volume else Transport.BIND
