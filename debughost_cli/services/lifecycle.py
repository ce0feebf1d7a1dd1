"""``stop``, ``restart`` and ``rm``: one project each; several are run side by side by ``batch``."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from debughost_cli import __version__, names
from debughost_cli.engine.port import Engine, Missing
from debughost_cli.errors import DiskFull, InUse, Usage
from debughost_cli.models import Action, ProjectType
from debughost_cli.planning.ports import preferred_port
from debughost_cli.planning.up import Do, Plan, Step
from debughost_cli.resources import Container, ContainerSummary, FileEntry
from debughost_cli.services.lock import project_lock
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import (
    OURS,
    by_project,
    containers_of,
    describe,
    not_found,
    outline,
    read_marks,
)
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.up import UpOptions, UpService
from debughost_cli.services.volumes import remove_ours
from debughost_cli.services.wanted import want_again
from debughost_cli.workspace import is_gone, remove_mountpoint


class LifecycleService:
    """What can be done to a project that exists."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress
        self._up = UpService(engine, progress)

    def all_projects(self, *, orphans: bool = False) -> list[str]:
        """Every project on the engine; ``orphans``: those whose workspace is gone.

        Raises Usage for orphans of an engine elsewhere: their workspaces may well be there.
        """
        if orphans and not self._engine.info.is_local:
            raise Usage(
                "--orphans needs an engine on this machine: the workspaces may be elsewhere",
                hint="Name the projects with --project",
            )
        groups = by_project(self._engine.list_containers([OURS]))
        if not orphans:
            return sorted(groups)
        return sorted(p for p, group in groups.items() if _is_orphan(group[0]))

    def _lock(self, project: str) -> AbstractContextManager[None]:
        return project_lock(self._engine.info.endpoint, project, on_wait=self._progress.step)

    def _group(self, project: str) -> list[ContainerSummary]:
        """The project's containers. Raises ProjectNotFound."""
        found = containers_of(self._engine, project)
        if not found:
            raise not_found(project, self.all_projects())
        return found

    def _inspect(self, project: str) -> Container:
        ref = self._group(project)[0].id
        try:
            return self._engine.inspect_container(ref)
        except Missing:
            raise not_found(project, self.all_projects()) from None

    def stop(self, project: str, grace: int) -> ProjectResult:
        """SIGTERM, then SIGKILL after ``grace`` seconds. Raises ProjectNotFound, Busy."""
        with self._lock(project):
            container = self._inspect(project)
            action = Action.STOPPED if container.is_running else Action.UNCHANGED
            if container.is_running:
                self._progress.step(f"Stopping {project}")
                self._stop(container, grace)
            container = self._engine.inspect_container(container.id)
            marks = read_marks(self._engine, container.id)
            return ProjectResult(describe(self._engine, container, marks), action)

    def _stop(self, container: Container, grace: int) -> None:
        """The launcher notes the SIGTERM, so that no client ever takes the end for a crash."""
        if container.status == "restarting":
            # Nothing runs between two tries that could note anything.
            mark = FileEntry(names.STATE_LINK, None, link="running+term")
            self._engine.put_files(container.id, [mark])
        if container.status == "paused":
            # A frozen process cannot answer SIGTERM.
            self._engine.unpause_container(container.id)
        self._engine.stop_container(container.id, grace)

    def restart(
        self, project: str, options: UpOptions, wait_timeout: float | None
    ) -> ProjectResult:
        """Stop, then up with today's configuration and the flags of the last ``up``.

        The configuration is read before anything is stopped. Raises what ``up`` raises.
        """
        wanted = want_again(self._inspect(project), wait_timeout)
        return self._up.run(wanted, options)

    def remove(self, project: str, grace: int, *, volumes: bool) -> ProjectResult:
        """Stops gracefully and removes the container, and with ``volumes`` what it installed.

        Raises ProjectNotFound, Busy.
        """
        with self._lock(project):
            container = self._inspect(project)
            before = outline(container, read_marks(self._engine, container.id))
            if container.is_running:
                self._progress.step(f"Stopping {project}")
                self._stop(container, grace)
            self._progress.step(f"Removing {project}")
            if not volumes:
                # First: the port must not be forgotten when this is cut off in between.
                self._remember_port(container)
            for summary in self._group(project):
                self._engine.remove_container(summary.id, force=True)
            _tidy_workspace(container)
            if volumes:
                self._remove_volumes(project)
        gone = replace(before, state=None, ready=False, uptime_seconds=None)
        return ProjectResult(gone, Action.REMOVED)

    def plan_removal(self, project: str, *, volumes: bool) -> ProjectResult:
        """What ``remove`` would do, without doing it. Raises ProjectNotFound."""
        container = self._inspect(project)
        steps = []
        if container.is_running:
            steps.append(Step(Do.STOP_CONTAINER, container.name, "it runs"))
        steps += [Step(Do.REMOVE_CONTAINER, c.name, "rm") for c in self._group(project)]
        if volumes:
            found = self._engine.list_volumes([OURS, f"{names.PROJECT}={project}"])
            steps += [Step(Do.REMOVE_VOLUME, v.name, "--volumes") for v in found]
        marks = read_marks(self._engine, container.id)
        plan = Plan(Action.REMOVED, tuple(steps))
        return ProjectResult(outline(container, marks), Action.REMOVED, plan=plan)

    def _remove_volumes(self, project: str) -> None:
        for volume in self._engine.list_volumes([OURS, f"{names.PROJECT}={project}"]):
            try:
                self._engine.remove_volume(volume.name)
            except InUse as exc:
                self._progress.warn("VOLUME_IN_USE", exc.message)

    def _remember_port(self, container: Container) -> None:
        """A port that the id alone would not give again is noted in an empty volume's label."""
        kind = container.labels.get(names.TYPE, "")
        usual = (
            preferred_port(container.project, ProjectType(kind)) if kind in set(ProjectType) else 0
        )
        name = names.port_note_name(container.project)
        # A run that was cut off may have noted a port that it no longer has.
        remove_ours(self._engine, name)
        if not container.port or container.port == usual:
            return
        labels = names.base_labels(__version__, datetime.now(UTC)) | {
            names.PROJECT: container.project,
            names.TYPE: kind,
            names.ROLE: "port",
            names.PORT: str(container.port),
        }
        try:
            self._engine.create_volume(name, labels)
        except DiskFull:
            # Whoever removes things may well do so for this reason, and must succeed.
            self._progress.warn("PORT_FORGOTTEN", "the disk is too full to note its port")


def _is_orphan(container: ContainerSummary) -> bool:
    workspace = container.labels.get(names.WORKSPACE, "")
    return bool(workspace) and is_gone(Path(workspace))


def _tidy_workspace(container: Container) -> None:
    """The mount point that we made is taken away, so that the workspace is as it was."""
    kind = container.labels.get(names.TYPE, "")
    if container.labels.get(names.MOUNTPOINT) == "made" and kind in names.DEPENDENCY_FOLDERS:
        folder = names.DEPENDENCY_FOLDERS[ProjectType(kind)][1]
        remove_mountpoint(Path(container.labels.get(names.WORKSPACE, "")) / folder)
