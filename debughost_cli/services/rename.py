"""``rename``: what has to be checked before, and what is carried over or removed with the old id.

A container's labels cannot be changed, so the project is removed and created under the new id. Its
packages are installed again: they are in volumes of the old id, which go last.
"""

from __future__ import annotations

from collections.abc import Sequence

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import InUse, NameConflict, WorkspaceConflict
from debughost_cli.resources import Container, Volume
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.port_notes import forget_port, note_port
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import MANAGED_FILTER, get_instance, list_instances


class RenameService:
    """The parts of it that are on the engine."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def check(self, old: str, new: str) -> Container:
        """The project's container, where it can be renamed.

        Raises ProjectNotFound, NameConflict where something has the new id, InUse where its
        services keep data, and WorkspaceConflict for one of another machine.
        """
        instance = get_instance(self._engine, old)
        if old == new or new in list_instances(self._engine):
            raise NameConflict(
                f"there is a project {new} already",
                hint="Choose another id, or remove that one",
                details={"project": new},
            )
        left = [v.name for v in self._volumes(new) if v.labels.get(names.ROLE) != "port"]
        if left:
            raise NameConflict(
                f"an earlier project {new} left volumes: {', '.join(left)}",
                hint=f"Remove them with 'debughost volumes prune -p {new}', or choose another id",
                details={"project": new, "volumes": left},
            )
        if instance.companions or any(v.labels.get(names.SERVICE) for v in self._volumes(old)):
            raise InUse(
                f"the services of {old} keep their data under its id",
                hint="A project with services cannot be renamed: choose its id before them",
                details={"project": old},
            )
        container = self._engine.containers.inspect(instance.main.id)
        if container.labels.get(names.HOST, host_identity()) != host_identity():
            raise WorkspaceConflict(
                f"project {old} belongs to a workspace of another machine",
                hint="Rename it on the machine where its workspace is",
                details={"project": old},
            )
        return container

    def move_port(self, container: Container, new: str) -> None:
        """Its port, which nothing holds any more, is remembered for the new id."""
        forget_port(self._engine, container.project)
        if container.port:
            note_port(self._engine, container, new)

    def remove_packages(self, project: str) -> None:
        """What was installed under the old id. Its home, which nobody else has, stays."""
        homes = [v.name for v in self._volumes(project) if v.labels.get(names.ROLE) == "home"]
        self.remove_volumes(project, kept=homes)
        for home in homes:
            self._progress.notice(
                f"The home of {project} (shell history, settings of tools) is still in {home}; "
                f"'debughost volumes prune -p {project}' removes it"
            )

    def remove_volumes(self, project: str, kept: Sequence[str] = ()) -> None:
        """All of an id that is not used any more, except those ``kept``."""
        for volume in self._volumes(project):
            if volume.name in kept:
                continue
            try:
                self._engine.volumes.remove(volume.name)
            except InUse as exc:
                self._progress.warn("VOLUME_IN_USE", exc.message)

    def _volumes(self, project: str) -> Sequence[Volume]:
        return self._engine.volumes.list([MANAGED_FILTER, f"{names.PROJECT}={project}"])
