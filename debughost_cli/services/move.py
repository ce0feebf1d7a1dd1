"""``move``: a project goes to another engine, with all that it has, or stays where it is.

It is stopped, its volumes are copied, and it is brought up over there; only when it is ready there,
what it had here is removed. Until then a failure is rolled back, and it runs here again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.deployment.transport import Transport, transport_of
from debughost_cli.engine.port import Engine
from debughost_cli.errors import (
    DebughostError,
    Interrupted,
    NameConflict,
    ProjectNotFound,
    SyncConflict,
    WorkspaceConflict,
)
from debughost_cli.models import Action, PullPolicy
from debughost_cli.planning.up import ConvergeOptions
from debughost_cli.project.resolve import ResolvedProject, resolve_existing
from debughost_cli.resources import Container, Volume
from debughost_cli.services.engine_copies import Side, copy_volume
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.image_steps import ImageSteps
from debughost_cli.services.images import ImageService
from debughost_cli.services.known_engines import checked_identity
from debughost_cli.services.lifecycle import LifecycleService
from debughost_cli.services.lock import project_lock
from debughost_cli.services.owner_process import this_process
from debughost_cli.services.port_notes import note_port
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import find_instance, inspect_main
from debughost_cli.services.removal import RemovalService
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.unsaved import unsaved_files
from debughost_cli.services.up import UpService
from debughost_cli.services.up_state import UpOptions
from debughost_cli.services.volumes import remove_unused, volumes_of
from debughost_cli.services.workspace_transport import choose_transport

_SHOWN = 10


class MoveOptions(Struct, frozen=True):
    """``data``: with the data of its services and the home of its user. ``force``: also where files
    that the program wrote would be lost.
    """

    data: bool = False
    force: bool = False
    stop_timeout: int = 10


class MoveService:
    """Of one project from one engine to another, each given with its name."""

    def __init__(
        self, here: tuple[str, Engine], there: tuple[str, Engine], progress: Progress, project: str,
        environ: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._from, self._here = here
        self._to, self._there = there
        self._progress = progress
        self._project = project
        self._environ = environ
        self._owner = this_process(host_identity())

    def run(self, options: MoveOptions, cancelled: UpOptions) -> ProjectResult:
        """The project as it is over there. ``cancelled``: of these, what ends the waiting.

        Raises ProjectNotFound, NameConflict, WorkspaceConflict, SyncConflict, Busy, and what
        ``up`` raises over there.
        """
        resolved = self._resolved(inspect_main(self._here, self._project))
        # It may take minutes, and changes nothing of the project.
        images = ImageSteps(self._there, self._progress, ImageService(self._there, self._progress))
        image = images.get(resolved, PullPolicy.MISSING)[0].ref
        with ExitStack() as locks:
            identities = {checked_identity(engine) for engine in (self._here, self._there)}
            for identity in sorted(identities):
                # In an order that two commands share, so that they cannot wait for each other.
                lock = project_lock(identity, self._project, on_wait=self._progress.phase)
                locks.enter_context(lock)
            container = inspect_main(self._here, self._project)
            return self._moved(container, resolved, Side(self._there, image), options, cancelled)

    def _resolved(self, container: Container) -> ResolvedProject:
        if container.labels.get(names.HOST, host_identity()) != host_identity():
            raise WorkspaceConflict(
                f"project {self._project} belongs to a workspace of another machine",
                hint="Move it on the machine where its workspace is",
                details={"project": self._project},
            )
        if find_instance(self._there, self._project):
            raise NameConflict(
                f"there is a project {self._project} on engine {self._to} already",
                hint=f"Remove it there first: debughost rm {self._project} --engine {self._to}",
                details={"project": self._project, "engine": self._to},
            )
        return resolve_existing(container, None, self._environ)

    def _moved(
        self, container: Container, resolved: ResolvedProject, there: Side, options: MoveOptions,
        cancelled: UpOptions,
    ) -> ProjectResult:  # fmt: skip
        here = Side(self._here, container.image)
        volumes = self._to_copy(container, resolved, there.image, options)
        self._check_unsaved(container, volumes, here, options)
        self._check_free(volumes)
        before = {volume.name for volume in volumes_of(self._there, self._project)}
        was_running = container.is_running
        try:
            LifecycleService(self._here, self._progress).stop(self._project, options.stop_timeout)
            self._check_unsaved(container, volumes, here, options)
            for volume in volumes:
                self._progress.phase(PhaseKind.CREATE, f"Copying {volume.name} to {self._to}")
                self._there.volumes.create(volume.name, volume.labels)
                copy_volume(here, there, volume.name, self._project, self._owner)
            if container.port and names.port_note_name(self._project) not in before:
                note_port(self._there, container, self._project)
            self._progress.phase(PhaseKind.CREATE, f"Bringing up {self._project} on {self._to}")
            up = UpService(self._there, self._progress)
            result = up.run(resolved, replace(cancelled, converge=ConvergeOptions()))
            if not was_running:
                lifecycle = LifecycleService(self._there, self._progress)
                result = lifecycle.stop(self._project, options.stop_timeout)
        except (Exception, Interrupted):
            self._back(before, was_running=was_running)
            raise
        self._remove_old(options)
        project = replace(result.project, engine=self._to)
        return replace(result, project=project, action=Action.RECREATED, executed=())

    def _to_copy(
        self, container: Container, resolved: ResolvedProject, image: str, options: MoveOptions
    ) -> list[Volume]:
        """An uploaded workspace, which has what the program wrote; and with the data, that."""
        chosen = []
        for volume in volumes_of(self._here, self._project):
            role = volume.labels.get(names.ROLE)
            is_data = bool(volume.labels.get(names.SERVICE)) or role == "home"
            if (is_data and options.data) or role == "workspace":
                chosen.append(volume)
        transport = choose_transport(
            self._there, self._project, resolved.workspace, image, self._owner
        )
        if transport is Transport.BIND:
            chosen = [v for v in chosen if v.labels.get(names.ROLE) != "workspace"]
        return chosen

    def _check_unsaved(
        self, container: Container, volumes: list[Volume], here: Side, options: MoveOptions
    ) -> None:
        """Raises SyncConflict for files that the program wrote and that would be lost."""
        name = names.workspace_volume_name(self._project)
        is_uploaded = transport_of(container.labels) is Transport.VOLUME
        if not is_uploaded or options.force or any(v.name == name for v in volumes):
            return
        lost = unsaved_files(here, container, self._owner)
        if lost:
            more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
            raise SyncConflict(
                f"{self._project} wrote files on engine {self._from} that are not here: "
                f"{', '.join(lost[:_SHOWN])}{more}",
                hint=f"Fetch them with 'debughost pull -p {self._project}'; with --force they are "
                "lost",
                details={"project": self._project, "files": lost},
            )

    def _check_free(self, volumes: list[Volume]) -> None:
        """Raises NameConflict for volumes that are over there already."""
        taken = {volume.name for volume in volumes_of(self._there, self._project)}
        left = sorted(v.name for v in volumes if v.name in taken)
        if left:
            raise NameConflict(
                f"an earlier project {self._project} left volumes on engine {self._to}: "
                f"{', '.join(left)}",
                hint=f"Remove them with 'debughost rm {self._project} --volumes --data "
                f"--engine {self._to}'",
                details={"project": self._project, "engine": self._to, "volumes": left},
            )

    def _back(self, before: set[str], *, was_running: bool) -> None:
        """Over there nothing is left but what was there ``before``; here it runs again."""
        self._progress.phase(PhaseKind.ROLLBACK, f"Bringing up {self._project} again")
        try:
            self._clear(before)
        finally:
            if was_running:
                options = UpOptions(ConvergeOptions(wait=False))
                lifecycle = LifecycleService(self._here, self._progress)
                lifecycle.up_existing(self._project, options, None, self._environ)

    def _clear(self, before: set[str]) -> None:
        try:
            RemovalService(self._there, self._progress).remove(
                self._project, 0, volumes=False, data=True
            )
        except ProjectNotFound:
            """It did not get that far."""
        except DebughostError as exc:
            self._warn_of_left(self._to, exc)
            return
        made = [v for v in volumes_of(self._there, self._project) if v.name not in before]
        remove_unused(self._there, self._progress, made)

    def _remove_old(self, options: MoveOptions) -> None:
        """It runs over there: what cannot be removed here is a warning."""
        try:
            RemovalService(self._here, self._progress).remove(
                self._project, options.stop_timeout, volumes=True, data=options.data
            )
        except DebughostError as exc:
            self._warn_of_left(self._from, exc)

    def _warn_of_left(self, engine: str, exc: DebughostError) -> None:
        named = f" --engine {engine}" if engine else ""
        self._progress.warn(
            "OLD_NOT_REMOVED",
            f"what {self._project} has on engine {engine or 'before'} could not be removed: "
            f"{exc.message}; later: debughost rm {self._project} --volumes{named}",
        )
