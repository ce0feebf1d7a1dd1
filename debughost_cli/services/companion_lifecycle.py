"""Stopping and removing the companion services of a project, with the project."""

from __future__ import annotations

from collections.abc import Sequence

from debughost_cli import names
from debughost_cli.deployment.port import Deployment
from debughost_cli.engine.port import Engine
from debughost_cli.planning.companions import is_managed
from debughost_cli.resources import ContainerSummary, ProjectInstance, Volume
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import MANAGED_FILTER
from debughost_cli.services.volumes import volumes_of
from debughost_cli.services.worker_pool import WorkerPool
from debughost_cli.specs import Role


class CompanionLifecycle:
    """Acts on the services that ``up`` created; others stay as they are."""

    def __init__(self, engine: Engine, deployment: Deployment, progress: Progress) -> None:
        self._engine = engine
        self._deployment = deployment
        self._progress = progress

    def of(self, instance: ProjectInstance) -> list[ContainerSummary]:
        """Their containers."""
        return [c for c in instance.companions if is_managed(c)]

    def without_project(self, project: str) -> list[ContainerSummary]:
        """Those that an interrupted ``up`` or ``rm`` left of a project without a container."""
        found = self._engine.containers.list([MANAGED_FILTER, f"{names.PROJECT}={project}"])
        return [c for c in found if c.role == Role.SERVICE and is_managed(c)]

    def stop(self, found: Sequence[ContainerSummary], stop_timeout: int) -> bool:
        """Side by side: SIGTERM, then SIGKILL. Whether any of them ran."""
        running = [c for c in found if c.is_running]
        if not running:
            return False
        listed = ", ".join(sorted(c.service for c in running))
        self._progress.phase(PhaseKind.STOP, f"Stopping {listed} of {running[0].project}")
        with WorkerPool(len(running)) as pool:
            pool.map(lambda c: self._deployment.stop(c, stop_timeout), running)
        return True

    def remove(self, found: Sequence[ContainerSummary], stop_timeout: int) -> None:
        """Stops and removes the containers; their data stays."""
        self.stop(found, stop_timeout)
        for container in found:
            self._deployment.remove(container.id)

    def data_volumes(self, project: str) -> list[Volume]:
        """The volumes with their data and passwords."""
        return [v for v in volumes_of(self._engine, project) if v.labels.get(names.SERVICE)]

    def mention_data(self, project: str) -> None:
        """Says which data a removal of volumes leaves."""
        left = [v.name for v in self.data_volumes(project) if v.labels.get(names.ROLE) == "data"]
        if left:
            self._progress.warn(
                "DATA_KEPT",
                f"{project} keeps the data of its services ({', '.join(left)}); "
                f"'debughost volumes prune' leaves it, 'rm --volumes --data' removes it",
            )
