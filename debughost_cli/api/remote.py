"""Methods for projects whose engine is on another machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from debughost_cli.api.reader import ProjectReader
from debughost_cli.api.whereabouts import Projects

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine
    from debughost_cli.errors import PortInUse
    from debughost_cli.services.forward import Forwarding
    from debughost_cli.services.pull import PullResult
    from debughost_cli.services.sync import Syncing


class RemoteProjects(ProjectReader):
    """What brings a workspace there, its changes back, and its ports here."""

    def forward(self, projects: Projects = None, *, skip_taken: bool = False) -> Forwarding:
        """The ports of projects and their services on this machine's 127.0.0.1, until it is closed.

        Iterated over, it gives what happens. A project on this machine's own engine has its ports
        there already. ``skip_taken``: a port that is in use here is a warning. Raises
        ProjectNotFound, PortInUse.

        >>> _ = host.up()
        >>> with host.forward() as forwarding:
        ...     forwarding.connections
        0
        """
        from debughost_cli.services.forward import ForwardService

        names = self.chosen(projects)
        engine = self._one_home(names).reconnecting()
        service = ForwardService(engine, self._progress.notice, self.cancel)
        return service.open(names, self._warn_of_taken if skip_taken else None)

    def _warn_of_taken(self, error: PortInUse) -> None:
        self._progress.warn("NOT_FORWARDED", error.message)

    def sync(self, project: str | None = None, *, overwrite: bool = False) -> Syncing:
        """Keeps the workspace on an engine of another machine in step, until it is closed.

        Iterated over, it sends what changes and gives what happened; ``once()`` sends what differs
        now. ``overwrite``: also files that the program has changed. Raises ProjectNotFound, Busy,
        WorkspaceConflict, and SyncConflict once files changed on both sides.

        >>> _ = host.up()
        >>> with host.sync() as syncing:
        ...     syncing.is_needed
        False
        """
        from debughost_cli.services.known_engines import check_known
        from debughost_cli.services.sync import Syncing

        (name,) = self.chosen(project)
        home = self._home_of(name)

        def connect() -> Engine:
            engine = home.reconnecting()
            check_known(engine)
            return engine

        return Syncing(
            connect,
            name,
            self._progress.warn,
            self.cancel,
            overwrite=overwrite,
        )

    def pull(
        self,
        project: str | None = None,
        paths: Sequence[str] = (),
        *,
        dry_run: bool = False,
        overwrite: bool = False,
        deletes: bool = False,
    ) -> PullResult:
        """Fetches what the program wrote on an engine of another machine.

        ``paths``: only these, also where ignore rules leave them out. ``overwrite``: also what
        changed here. ``deletes``: also deletes what the program deleted. Raises SyncConflict,
        ProjectNotFound, WorkspaceConflict.

        >>> _ = host.up()
        >>> host.pull().is_needed
        False
        """
        from debughost_cli.services.pull import PullOptions, PullService

        (name,) = self.chosen(project)
        options = PullOptions(tuple(paths), dry_run, overwrite, deletes)
        return PullService(self._home_of(name).get(), self._progress).run(name, options)
