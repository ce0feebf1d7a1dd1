"""``stop``, ``restart`` and ``rm``: one project each; several are run side by side by ``batch``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debughost_cli import __version__, names
from debughost_cli.cancel import CancelToken
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment.single import SingleEngineDeployment
from debughost_cli.deployment.transport import choose_transport
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import DiskFull, InUse, ProjectNotFound, Usage, WorkspaceConflict
from debughost_cli.models import Action, Project, ProjectType
from debughost_cli.planning.ports import preferred_port
from debughost_cli.planning.up import Plan, Step, StepKind
from debughost_cli.project.workspace import is_gone, remove_mountpoint
from debughost_cli.resources import Container, ContainerSummary, ProjectInstance
from debughost_cli.services.abandoned import abandoned, remove_abandoned
from debughost_cli.services.companion_lifecycle import CompanionLifecycle
from debughost_cli.services.companion_status import describe_companions
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.lock import project_lock
from debughost_cli.services.own_network import OwnNetworks
from debughost_cli.services.owner_process import this_process
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import (
    MANAGED_FILTER,
    describe,
    get_instance,
    list_instances,
    mention,
    not_found,
    outline,
    read_launcher_status,
)
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.volumes import remove_owned
from debughost_cli.specs import bindings_text

if TYPE_CHECKING:
    from debughost_cli.services.up_state import UpOptions

Work = Callable[[str, CancelToken], ProjectResult]


def unless_gone(work: Work) -> Work:
    """``work`` for which a project that does not exist is unchanged."""

    def run(project: str, token: CancelToken) -> ProjectResult:
        try:
            return work(project, token)
        except ProjectNotFound:
            return ProjectResult(Project(project), Action.UNCHANGED)

    return run


class LifecycleService:
    """What can be done to a project that exists, its services included."""

    def __init__(self, engine: Engine, progress: Progress, clock: Clock = SYSTEM_CLOCK) -> None:
        self._engine = engine
        self._progress = progress
        self._deployment = SingleEngineDeployment(engine)
        self._clock = clock
        self._companions = CompanionLifecycle(engine, self._deployment, progress)
        self._own_networks = OwnNetworks(engine, progress)
        self._host = host_identity()

    def all_projects(self, *, orphans: bool = False) -> list[str]:
        """Every project on the engine; ``orphans``: those of this machine whose workspace is gone.

        Raises Usage for orphans of an engine elsewhere: their workspaces may well exist there.
        """
        if orphans and not choose_transport(self._engine.info).shares_machine:
            raise Usage(
                "--orphans needs an engine on this machine: the workspaces may be elsewhere",
                hint="Name the projects with --project",
            )
        found = list_instances(self._engine)
        if not orphans:
            return sorted(found)
        return sorted(p for p, instance in found.items() if self._is_orphan(instance.main))

    def _is_orphan(self, container: ContainerSummary) -> bool:
        """Only the machine whose path it is can know that a workspace is gone."""
        workspace = container.labels.get(names.WORKSPACE, "")
        is_here = container.labels.get(names.HOST) == self._host
        return bool(workspace) and is_here and is_gone(Path(workspace))

    def _lock(self, project: str) -> AbstractContextManager[None]:
        return project_lock(self._engine.identity(), project, on_wait=self._progress.step)

    def _inspect(self, project: str) -> Container:
        """The project's main container. Raises ProjectNotFound."""
        ref = get_instance(self._engine, project).main.id
        try:
            return self._engine.containers.inspect(ref)
        except NotFound:
            raise not_found(project, self.all_projects()) from None

    def stop(self, project: str, stop_timeout: int) -> ProjectResult:
        """SIGTERM, then SIGKILL after ``stop_timeout`` seconds. Raises ProjectNotFound, Busy."""
        with self._lock(project):
            instance = get_instance(self._engine, project)
            main = instance.main
            action = Action.STOPPED if main.is_running else Action.UNCHANGED
            try:
                if main.is_running:
                    self._progress.step(f"Stopping {project}")
                    self._deployment.stop(main, stop_timeout)
                container = self._engine.containers.inspect(main.id)
            except NotFound:
                raise not_found(project, self.all_projects()) from None
            if self._companions.stop(self._companions.of(instance), stop_timeout):
                action = Action.STOPPED
            launcher = read_launcher_status(self._engine, container.id)
            described = describe(self._engine, container, launcher)
            services = describe_companions(self._engine, instance.companions)
            return ProjectResult(replace(described, services=services), action)

    def up_existing(
        self,
        project: str,
        options: UpOptions,
        wait_timeout: float | None,
        environ: Mapping[str, str],
    ) -> ProjectResult:
        """``up`` with today's configuration and the flags that belong to the project.

        ``environ``: the caller's variables, of which ``DEBUGHOST_*`` are settings. The
        configuration is read before anything is stopped. Raises what ``up`` raises.
        """
        # What starts a project knows all kinds of projects: stop and rm do without.
        from debughost_cli.project.resolve import resolve_existing
        from debughost_cli.services.up import UpService

        container = self._inspect(project)
        self._check_host(container)
        resolved = resolve_existing(container, wait_timeout, environ)
        mention(self._progress, project, resolved.flags.words())
        options = replace(options, given_up=container.labels.get(names.GIVEN_UP, ""))
        return UpService(self._engine, self._progress, self._clock).run(resolved, options)

    def _check_host(self, container: Container) -> None:
        """The workspace's path means something only on the machine that it is from."""
        if container.labels.get(names.HOST, self._host) == self._host:
            return
        path = container.labels.get(names.WORKSPACE, "")
        raise WorkspaceConflict(
            f"project {container.project} belongs to the workspace {path} of another machine",
            hint="Start it on the machine where its workspace is",
            details={"project": container.project, "workspace": path},
        )

    def remove(
        self, project: str, stop_timeout: int, *, volumes: bool, data: bool = False
    ) -> ProjectResult:
        """Stops gracefully and removes the containers, and with ``volumes`` what it installed.

        ``data``: with the volumes also those with the data of its services. Raises
        ProjectNotFound, Busy.
        """
        with self._lock(project):
            try:
                container = self._inspect(project)
            except ProjectNotFound as exc:
                remove_abandoned(self._engine, project, this_process(self._host))
                return self._remove_left(project, stop_timeout, exc, volumes=volumes, data=data)
            before = outline(container, read_launcher_status(self._engine, container.id))
            if container.is_running:
                self._progress.step(f"Stopping {project}")
                self._deployment.stop(container, stop_timeout)
            self._progress.step(f"Removing {project}")
            if not volumes:
                # First: the port must not be forgotten when this is cut off in between.
                self._remember_port(container)
            instance = get_instance(self._engine, project)
            # Before the main one: with that, the project is gone.
            self._companions.remove(self._companions.of(instance), stop_timeout)
            for summary in self._to_remove(instance):
                self._deployment.remove(summary.id)
            if names.network_name(project) in container.network_ids:
                self._own_networks.remove(project)
            _tidy_workspace(container)
            if volumes:
                self._remove_volumes(self._volumes(project, data=data))
            if instance.companions and not data:
                self._companions.mention_data(project)
        gone = replace(before, state=None, ready=False, uptime_seconds=None)
        return ProjectResult(gone, Action.REMOVED)

    def _to_remove(self, instance: ProjectInstance) -> tuple[ContainerSummary, ...]:
        left = abandoned(instance.one_offs, this_process(self._host)) if instance.one_offs else ()
        return (*instance.of_main_role, *left)

    def plan_removal(self, project: str, *, volumes: bool, data: bool = False) -> ProjectResult:
        """What ``remove`` would do, without doing it. Raises ProjectNotFound."""
        container = self._inspect(project)
        steps = []
        if container.is_running:
            steps.append(Step(StepKind.STOP_CONTAINER, container.name, "it runs"))
        instance = get_instance(self._engine, project)
        services = self._companions.of(instance)
        steps += [
            Step(StepKind.STOP_SERVICE, c.service, "it runs") for c in services if c.is_running
        ]
        found = (*services, *self._to_remove(instance))
        steps += [Step(StepKind.REMOVE_CONTAINER, c.name, "rm") for c in found]
        if names.network_name(project) in container.network_ids and self._own_networks.find(
            project
        ):
            steps.append(Step(StepKind.REMOVE_NETWORK, names.network_name(project), "rm"))
        if volumes:
            named = self._volumes(project, data=data)
            steps += [Step(StepKind.REMOVE_VOLUME, v, "--volumes") for v in named]
        launcher = read_launcher_status(self._engine, container.id)
        plan = Plan(Action.REMOVED, tuple(steps))
        return ProjectResult(outline(container, launcher), Action.REMOVED, plan=plan)

    def _remove_left(
        self, project: str, stop_timeout: int, not_found: ProjectNotFound, *, volumes: bool,
        data: bool,
    ) -> ProjectResult:  # fmt: skip
        """Services without their project, of 'run' or an interrupted one, and data that is left.

        Raises ``not_found`` where there is neither.
        """
        left = self._companions.without_project(project)
        if not left and not (data and self._companions.data_volumes(project)):
            raise not_found
        self._companions.remove(left, stop_timeout)
        self._own_networks.remove(project)
        if volumes:
            self._remove_volumes(self._volumes(project, data=data))
        return ProjectResult(Project(project), Action.REMOVED)

    def _remove_volumes(self, volumes: Sequence[str]) -> None:
        for volume in volumes:
            try:
                self._engine.volumes.remove(volume)
            except InUse as exc:
                self._progress.warn("VOLUME_IN_USE", exc.message)

    def _volumes(self, project: str, *, data: bool) -> list[str]:
        """The names of the project's volumes; ``data``: also those of its services."""
        found = self._engine.volumes.list([MANAGED_FILTER, f"{names.PROJECT}={project}"])
        return [v.name for v in found if data or not v.labels.get(names.SERVICE)]

    def _remember_port(self, container: Container) -> None:
        """A port that the id alone would not give again is noted in an empty volume's label."""
        kind = container.labels.get(names.TYPE, "")
        usual = (
            preferred_port(container.project, ProjectType(kind)) if kind in set(ProjectType) else 0
        )
        name = names.port_note_name(container.project)
        # A run that was cut off may have noted a port that it no longer has.
        remove_owned(self._engine, name)
        moved = any(p.host_port != p.container_port for p in container.extra_ports)
        if container.port in (0, usual) and not moved:
            return
        labels = names.base_labels(__version__, datetime.now(UTC)) | {
            names.PROJECT: container.project,
            names.TYPE: kind,
            names.ROLE: "port",
            names.PORT: str(container.port),
            names.PORTS: bindings_text(container.extra_ports),
        }
        try:
            self._engine.volumes.create(name, labels)
        except DiskFull:
            # A removal may be meant to free disk space, and must succeed.
            self._progress.warn("PORT_FORGOTTEN", "the disk is too full to note its port")


def _tidy_workspace(container: Container) -> None:
    """Removes the mount point that ``up`` created, so that the workspace is as it was."""
    kind = container.labels.get(names.TYPE, "")
    if container.labels.get(names.MOUNTPOINT) == "made" and kind in names.DEPENDENCY_FOLDERS:
        folder = names.DEPENDENCY_FOLDERS[ProjectType(kind)][1]
        remove_mountpoint(Path(container.labels.get(names.WORKSPACE, "")) / folder)
