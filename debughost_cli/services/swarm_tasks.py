"""Waiting until a swarm has started the task of a service, or finding out why it does not."""

from __future__ import annotations

from collections.abc import Callable

from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment.swarm_engine import SwarmEngine
from debughost_cli.engine.port_swarm_types import SwarmNode, SwarmService, SwarmTask
from debughost_cli.errors import Interrupted, StartFailed
from debughost_cli.planning.swarm import in_words
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import MANAGED_FILTER
from debughost_cli.services.swarm_placement import not_placed

PLACED_WITHIN = 5.0
"""Seconds after which "no suitable node" is the answer; the swarm tries for ever."""
STARTED_WITHIN = 60.0
"""Seconds for a task that is placed to start; the one before it may take its time to end."""
_PAUSE = 0.15


class TaskWait:
    """Waits for tasks on one node."""

    def __init__(
        self, engine: SwarmEngine, node: SwarmNode, progress: Progress, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._engine = engine
        self._node = node
        self._progress = progress
        self._clock = clock

    def container(self, service: str, project: str, cancelled: Callable[[], bool]) -> str:
        """The id of the container of the service's last update. Raises NotPlaced, StartFailed."""
        self._progress.phase(PhaseKind.CREATE, f"Waiting until node {self._node.name} starts it")
        began = self._clock.monotonic()
        while True:
            found = self._service(service)
            task = next(
                (t for t in self._engine.swarm.tasks([service]) if t.revision == found.revision),
                None,
            )
            waited = self._clock.monotonic() - began
            if task and task.container and task.state not in ("assigned", "accepted", "preparing"):
                return task.container
            self._check(found, task, project, waited)
            if cancelled():
                raise Interrupted
            self._clock.sleep(_PAUSE)

    def _service(self, ref: str) -> SwarmService:
        services = self._engine.swarm.services([MANAGED_FILTER])
        return next(s for s in services if s.id == ref)

    def _check(
        self, service: SwarmService, task: SwarmTask | None, project: str, waited: float
    ) -> None:
        if service.update.startswith("rollback"):
            raise StartFailed(
                f"the swarm could not start {project} as it is now, and restored what ran before",
                hint=f"See why with 'docker service ps {service.name}'",
                details={"project": project, "service": service.name},
            )
        if task and task.state == "rejected":
            raise StartFailed(
                f"node {self._node.name} refuses {project}: {in_words(task.error)}",
                hint=f"See all tries with 'docker service ps {service.name}'",
                details={"project": project, "engine": task.error},
            )
        if task and task.state == "pending" and task.error and waited > PLACED_WITHIN:
            raise not_placed(project, task, 1, self._node.name)
        if waited > STARTED_WITHIN:
            state = task.state if task else "not there"
            raise StartFailed(
                f"node {self._node.name} did not start {project} within {STARTED_WITHIN:g} s: "
                f"its task is {state}",
                hint=f"See why with 'docker service ps --no-trunc {service.name}'",
                details={"project": project, "task": state},
            )
