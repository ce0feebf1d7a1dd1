"""``rename``: a project gets another id, with all that it has, or everything is as it was.

Neither a container's labels nor a volume's name can be changed. So the project is stopped, its
volumes are copied to those of the new id, and it is created again. Those of the old id are removed
last: until then, a failure is rolled back with them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import Interrupted, NameConflict, WorkspaceConflict
from debughost_cli.models import Action
from debughost_cli.resources import Container
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.known_engines import checked_identity
from debughost_cli.services.lock import project_lock
from debughost_cli.services.owner_process import this_process
from debughost_cli.services.port_notes import forget_port, note_port
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import get_instance, list_instances
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.volume_copies import copy_volumes
from debughost_cli.services.volumes import remove_unused, volumes_of


class Commands(Protocol):
    """The commands that it is made of, for a project by its id."""

    def up(self, project: str) -> ProjectResult:
        """Creates it in the workspace of the old one, with its flags."""
        ...

    def stop(self, project: str) -> ProjectResult: ...

    def remove(self, project: str) -> None:
        """Its containers and network; nothing where there are none."""
        ...


class RenameService:
    """Of one project. Nothing is changed before ``run``."""

    def __init__(self, engine: Engine, progress: Progress, old: str, new: str) -> None:
        """Raises ProjectNotFound, NameConflict for an id in use, WorkspaceConflict for one of
        another machine.
        """
        self._engine = engine
        self._progress = progress
        self._old, self._new = old, new
        self.container = self._checked()

    def run(self, commands: Commands, write_id: Callable[[], None]) -> ProjectResult:
        """The project under its new id. Raises what removing and creating raise.

        Both ids are locked meanwhile. ``write_id``: writes the new one into the configuration.
        """
        with ExitStack() as locks:
            for project in sorted((self._old, self._new)):
                # In an order that two commands share, so that they cannot wait for each other.
                identity = checked_identity(self._engine)
                locks.enter_context(project_lock(identity, project, on_wait=self._progress.phase))
            self.container = self._checked()
            return self._renamed(commands, write_id)

    def _renamed(self, commands: Commands, write_id: Callable[[], None]) -> ProjectResult:
        was_running = self.container.is_running
        try:
            commands.stop(self._old)
            self._copy_volumes()
            commands.remove(self._old)
            self._move_port(self._new)
            self._progress.phase(PhaseKind.CREATE, f"Creating {self._new}")
            result = commands.up(self._new)
            if not was_running:
                result = commands.stop(self._new)
            write_id()
        except (Exception, Interrupted):
            self._back(commands, was_running)
            raise
        self._remove_volumes(self._old)
        return replace(result, action=Action.RECREATED, executed=())

    def _back(self, commands: Commands, was_running: bool) -> None:
        self._progress.phase(PhaseKind.ROLLBACK, f"Bringing up {self._old} again")
        commands.remove(self._new)
        self._remove_volumes(self._new)
        if self._old not in list_instances(self._engine):
            self._move_port(self._old)
        commands.up(self._old)
        if not was_running:
            commands.stop(self._old)

    def _checked(self) -> Container:
        instance = get_instance(self._engine, self._old)
        if self._old == self._new or self._new in list_instances(self._engine):
            raise NameConflict(
                f"there is a project {self._new} already",
                hint="Choose another id, or remove that one",
                details={"project": self._new},
            )
        left = [
            v.name
            for v in volumes_of(self._engine, self._new)
            if v.labels.get(names.ROLE) != "port"
        ]
        if left:
            hint = f"Remove them with 'debughost rm {self._new} --volumes --data'"
            raise NameConflict(
                f"an earlier project {self._new} left volumes: {', '.join(left)}",
                hint=f"{hint} or 'volumes prune -p {self._new}', or choose another id",
                details={"project": self._new, "volumes": left},
            )
        container = self._engine.containers.inspect(instance.main.id)
        if container.labels.get(names.HOST, host_identity()) != host_identity():
            raise WorkspaceConflict(
                f"project {self._old} belongs to a workspace of another machine",
                hint="Rename it on the machine where its workspace is",
                details={"project": self._old},
            )
        return container

    def _copy_volumes(self) -> None:
        prefix = f"debug-host-{self._old}-"
        copies = {}
        for volume in volumes_of(self._engine, self._old):
            if volume.labels.get(names.ROLE) != "port" and volume.name.startswith(prefix):
                name = f"debug-host-{self._new}-{volume.name.removeprefix(prefix)}"
                labels = {**volume.labels, names.PROJECT: self._new}
                copies[volume.name] = self._engine.volumes.create(name, labels).name
        if copies:
            self._progress.phase(PhaseKind.CREATE, f"Copying the volumes of {self._old}")
            owner = this_process(host_identity())
            copy_volumes(self._engine, self._new, self.container.image, copies, owner)

    def _move_port(self, project: str) -> None:
        """The port, which nothing holds any more, is remembered for that id."""
        forget_port(self._engine, self._old)
        if self.container.port:
            note_port(self._engine, self.container, project)

    def _remove_volumes(self, project: str) -> None:
        remove_unused(self._engine, self._progress, volumes_of(self._engine, project))
