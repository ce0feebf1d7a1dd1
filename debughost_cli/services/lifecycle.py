"""``stop`` and ``restart``: one project each; several are run side by side by ``batch``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment import choose_deployment
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import Usage, WorkspaceConflict
from debughost_cli.models import Action
from debughost_cli.project.workspace import is_gone
from debughost_cli.resources import Container, ContainerSummary
from debughost_cli.services.companion_lifecycle import CompanionLifecycle
from debughost_cli.services.companion_status import describe_companions
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.known_engines import checked_identity
from debughost_cli.services.lock import project_lock
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import (
    describe,
    get_instance,
    inspect_main,
    list_instances,
    mention,
    not_found,
    read_launcher_status,
)
from debughost_cli.services.results import ProjectResult

if TYPE_CHECKING:
    from debughost_cli.services.up_state import UpOptions


class LifecycleService:
    """What can be done to a project that exists, its services included."""

    def __init__(self, engine: Engine, progress: Progress, clock: Clock = SYSTEM_CLOCK) -> None:
        self._engine = engine
        self._progress = progress
        self._deployment = choose_deployment(engine)
        self._clock = clock
        self._companions = CompanionLifecycle(engine, self._deployment, progress)
        self._host = host_identity()

    def all_projects(self, *, orphans: bool = False) -> list[str]:
        """Every project on the engine; ``orphans``: those of this machine whose workspace is gone.

        Raises Usage for orphans of an engine elsewhere: their workspaces may well exist there.
        """
        if orphans and not self._engine.info.shares_machine:
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

    def stop(self, project: str, stop_timeout: int) -> ProjectResult:
        """SIGTERM, then SIGKILL after ``stop_timeout`` seconds. Raises ProjectNotFound, Busy."""
        with project_lock(checked_identity(self._engine), project, on_wait=self._progress.phase):
            instance = get_instance(self._engine, project)
            main = instance.main
            action = Action.STOPPED if main.is_running else Action.UNCHANGED
            try:
                if main.is_running:
                    self._progress.phase(PhaseKind.STOP, f"Stopping {project}")
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

        container = inspect_main(self._engine, project)
        self._check_host(container)
        resolved = resolve_existing(container, wait_timeout, environ)
        mention(self._progress, project, resolved.flags.words())
        options = replace(options, given_up=container.labels.get(names.GIVEN_UP, ""))
        if resolved.settings.swarm:
            from debughost_cli.services.swarm_manager import swarm_up

            return swarm_up(self._engine, self._progress, self._clock).run(resolved, options)
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
