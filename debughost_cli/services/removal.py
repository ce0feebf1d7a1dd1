"""``rm``: what of a project goes, and what is kept for its next container."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.deployment import choose_deployment
from debughost_cli.engine.port import Engine
from debughost_cli.errors import DiskFull, ProjectNotFound
from debughost_cli.models import Action, Project, ProjectType
from debughost_cli.planning.ports import preferred_port
from debughost_cli.planning.up import Plan, Step, StepKind
from debughost_cli.project.workspace import remove_mountpoint
from debughost_cli.resources import Container, ContainerSummary, ProjectInstance, Volume
from debughost_cli.services.abandoned import abandoned, remove_abandoned
from debughost_cli.services.companion_lifecycle import CompanionLifecycle
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.known_engines import checked_identity
from debughost_cli.services.lock import project_lock
from debughost_cli.services.own_network import OwnNetworks
from debughost_cli.services.owner_process import this_process
from debughost_cli.services.port_notes import forget_port, note_port
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import (
    get_instance,
    inspect_main,
    outline,
    read_launcher_status,
)
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.volumes import remove_unused, volumes_of


def unless_gone(result: ProjectResult) -> ProjectResult:
    """The result, where a project that does not exist is unchanged."""
    if isinstance(result.error, ProjectNotFound):
        return ProjectResult(Project(result.project.project), Action.UNCHANGED)
    return result


class RemovalService:
    """Removes a project, its services included, or what an interrupted command left of one."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress
        self._deployment = choose_deployment(engine)
        self._companions = CompanionLifecycle(engine, self._deployment, progress)
        self._own_networks = OwnNetworks(engine, progress)
        self._process = this_process(host_identity())

    def remove(
        self, project: str, stop_timeout: int, *, volumes: bool, data: bool = False
    ) -> ProjectResult:
        """Stops gracefully and removes the containers, and with ``volumes`` what it installed.

        ``data``: with the volumes also those with the data of its services. Raises
        ProjectNotFound, Busy.
        """
        with project_lock(checked_identity(self._engine), project, on_wait=self._progress.phase):
            try:
                container = inspect_main(self._engine, project)
            except ProjectNotFound as exc:
                remove_abandoned(self._engine, project, self._process)
                return self._remove_left(project, stop_timeout, exc, volumes=volumes, data=data)
            before = outline(container, read_launcher_status(self._engine, container.id))
            if container.is_running:
                self._progress.phase(PhaseKind.STOP, f"Stopping {project}")
                self._deployment.stop(container, stop_timeout)
            self._progress.phase(PhaseKind.REMOVE, f"Removing {project}")
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
                self._remove_volumes(project, data=data)
            if instance.companions and not data:
                self._companions.mention_data(project)
        gone = replace(before, state=None, ready=False, uptime_seconds=None)
        return ProjectResult(gone, Action.REMOVED)

    def _to_remove(self, instance: ProjectInstance) -> tuple[ContainerSummary, ...]:
        left = abandoned(instance.one_offs, self._process) if instance.one_offs else ()
        return (*instance.of_main_role, *left)

    def plan_removal(self, project: str, *, volumes: bool, data: bool = False) -> ProjectResult:
        """What ``remove`` would do, without doing it. Raises ProjectNotFound."""
        try:
            container = inspect_main(self._engine, project)
        except ProjectNotFound as exc:
            return self._plan_removal_of_left(project, exc, volumes=volumes, data=data)
        steps = []
        if container.is_running:
            steps.append(Step(StepKind.STOP_CONTAINER, container.name, "it runs"))
        instance = get_instance(self._engine, project)
        services = self._companions.of(instance)
        steps += _steps_of_containers(services, self._to_remove(instance))
        if names.network_name(project) in container.network_ids:
            steps += self._step_of_network(project)
        if volumes:
            steps += self._steps_of_volumes(project, data=data)
        launcher = read_launcher_status(self._engine, container.id)
        plan = Plan(Action.REMOVED, tuple(steps))
        return ProjectResult(outline(container, launcher), Action.REMOVED, plan=plan)

    def _plan_removal_of_left(
        self, project: str, not_found: ProjectNotFound, *, volumes: bool, data: bool
    ) -> ProjectResult:
        left = self._left(project, not_found, volumes=volumes, data=data)
        steps = [*_steps_of_containers(left), *self._step_of_network(project)]
        if volumes:
            steps += self._steps_of_volumes(project, data=data)
        plan = Plan(Action.REMOVED, tuple(steps))
        return ProjectResult(Project(project), Action.REMOVED, plan=plan)

    def _step_of_network(self, project: str) -> list[Step]:
        if not self._own_networks.find(project):
            return []
        return [Step(StepKind.REMOVE_NETWORK, names.network_name(project), "rm")]

    def _steps_of_volumes(self, project: str, *, data: bool) -> list[Step]:
        found = self._volumes(project, data=data)
        return [Step(StepKind.REMOVE_VOLUME, v.name, "--volumes") for v in found]

    def _remove_left(
        self, project: str, stop_timeout: int, not_found: ProjectNotFound, *, volumes: bool,
        data: bool,
    ) -> ProjectResult:  # fmt: skip
        """Services without their project, of 'run' or of an interruption, and its volumes.

        Raises ``not_found`` where there is neither.
        """
        left = self._left(project, not_found, volumes=volumes, data=data)
        self._companions.remove(left, stop_timeout)
        self._own_networks.remove(project)
        if volumes:
            self._remove_volumes(project, data=data)
        if not data:
            self._companions.mention_data(project)
        return ProjectResult(Project(project), Action.REMOVED)

    def _left(
        self, project: str, not_found: ProjectNotFound, *, volumes: bool, data: bool
    ) -> list[ContainerSummary]:
        left = self._companions.without_project(project)
        if not left and not (volumes and self._volumes(project, data=data)):
            raise not_found
        return left

    def _remove_volumes(self, project: str, *, data: bool) -> None:
        remove_unused(self._engine, self._progress, self._volumes(project, data=data))

    def _volumes(self, project: str, *, data: bool) -> list[Volume]:
        """The project's volumes; ``data``: also those of its services."""
        found = volumes_of(self._engine, project)
        return [v for v in found if data or not v.labels.get(names.SERVICE)]

    def _remember_port(self, container: Container) -> None:
        """A port that the id alone would not give again is noted in an empty volume's label."""
        kind = container.labels.get(names.TYPE, "")
        usual = (
            preferred_port(container.project, ProjectType(kind)) if kind in set(ProjectType) else 0
        )
        # A run that was cut off may have noted a port that it no longer has.
        forget_port(self._engine, container.project)
        moved = any(p.host_port != p.container_port for p in container.extra_ports)
        if container.port in (0, usual) and not moved:
            return
        try:
            note_port(self._engine, container, container.project)
        except DiskFull:
            # A removal may be meant to free disk space, and must succeed.
            self._progress.warn("PORT_FORGOTTEN", "the disk is too full to note its port")


def _steps_of_containers(
    services: Sequence[ContainerSummary], others: Sequence[ContainerSummary] = ()
) -> list[Step]:
    running = [c for c in services if c.is_running]
    stopped = [Step(StepKind.STOP_SERVICE, c.service, "it runs") for c in running]
    removed = [Step(StepKind.REMOVE_CONTAINER, c.name, "rm") for c in (*services, *others)]
    return [*stopped, *removed]


def _tidy_workspace(container: Container) -> None:
    """Removes the mount point that ``up`` created, so that the workspace is as it was."""
    kind = container.labels.get(names.TYPE, "")
    if container.labels.get(names.MOUNTPOINT) == "made" and kind in names.DEPENDENCY_FOLDERS:
        folder = names.DEPENDENCY_FOLDERS[ProjectType(kind)][1]
        remove_mountpoint(Path(container.labels.get(names.WORKSPACE, "")) / folder)
