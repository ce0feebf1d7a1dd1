"""Methods for projects whose engine is on another machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debughost_cli.api.reader import ProjectReader
from debughost_cli.api.whereabouts import Projects

if TYPE_CHECKING:
    from debughost_cli.services.forward import Forwarding


class RemoteProjects(ProjectReader):
    """What brings a workspace there, its changes back, and its ports here."""

    def forward(self, projects: Projects = None) -> Forwarding:
        """The ports of projects on this machine's 127.0.0.1, until what is returned is closed.

        Iterated over, it gives what happens. A project on this machine's own engine has its ports
        there already. Raises ProjectNotFound, PortInUse.

        >>> _ = host.up()
        >>> with host.forward() as forwarding:
        ...     forwarding.connections
        0
        """
        from debughost_cli.services.forward import ForwardService

        names = self.chosen(projects)
        engine = self._source.reconnecting()
        return ForwardService(engine, self._progress.notice, self.cancel).open(names)
