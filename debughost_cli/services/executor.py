"""Carries out a plan step by step, and records how each step is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from debughost_cli import names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment.port import Deployment
from debughost_cli.engine.port import ContainerCorrupted, Engine, NotFound
from debughost_cli.errors import (
    DebughostError,
    EngineTimeout,
    EngineUnavailable,
    Interrupted,
    NotReady,
)
from debughost_cli.models import Action
from debughost_cli.planning.instance import precedence
from debughost_cli.planning.up import Step, StepKind
from debughost_cli.resources import Container
from debughost_cli.services.companion_steps import CompanionSteps
from debughost_cli.services.container_files import container_files
from debughost_cli.services.network import NetworkService
from debughost_cli.services.observe import ConcurrentModification
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import find_instance
from debughost_cli.services.readiness import ENDED, wait_ready
from debughost_cli.services.resource_steps import ResourceSteps
from debughost_cli.services.run_limits import check_created
from debughost_cli.services.up_state import Attempt, UpState
from debughost_cli.specs import ServiceSpec

IN_FLIGHT_TIMEOUT = 2.0
"""Seconds in which a container may still appear whose creation was interrupted."""
RESTORE = "start again what ran before"


class Executor:
    """Has one method for each kind of step, see ``_methods``."""

    def __init__(
        self, engine: Engine, deployment: Deployment, progress: Progress, network: NetworkService,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._deployment = deployment
        self._progress = progress
        self._network = network
        self._clock = clock
        self._methods = {
            **CompanionSteps(engine, deployment, progress, clock).methods(),
            **ResourceSteps(engine, progress, network).methods(),
            StepKind.CREATE_CONTAINER: self._create_container,
            StepKind.STOP_CONTAINER: self._stop_container,
            StepKind.START_CONTAINER: self._start_container,
            StepKind.UNPAUSE_CONTAINER: self._unpause_container,
            StepKind.REMOVE_CONTAINER: self._remove_container,
            StepKind.WAIT_READY: self._wait_ready,
        }

    def run(self, state: UpState, attempt: Attempt, steps: Iterable[Step]) -> None:
        """Carries out ``steps``. Raises what the ports raise."""
        for step in steps:
            if state.options.cancelled():
                raise Interrupted
            self._methods[step.kind](state, attempt, step)
            if step not in attempt.executed:
                attempt.executed.append(step)

    def restore_on_failure(self, state: UpState, attempt: Attempt) -> None:
        """Records that the current container gets back into its state if a later step fails.

        It has to be recorded before anything else: rolled back last, it needs the port that the
        new container may have by then.
        """
        current, plan = attempt.observation.current, attempt.observation.plan
        is_removed = any(current and step.target == current.id for step in plan.removals)
        touches = plan.action in (Action.STARTED, Action.RESTARTED, Action.RECREATED)
        if current and touches and not is_removed:
            name = RESTORE if current.is_running else "stop what was stopped before"
            state.rollback.push(name, self._restorer(state, attempt, current))

    # Containers

    def _create_container(self, state: UpState, attempt: Attempt, step: Step) -> None:
        spec = attempt.observation.spec.main
        name = names.container_name(spec.project, self._clock.now())
        self._progress.phase(
            PhaseKind.CREATE, f"Creating container {name} on port {spec.port or 'none'}"
        )
        # By name, and before it exists: an interruption in between must find it as well.
        remove = f"remove container {name}"
        state.rollback.push(remove, lambda: self._remove_created(attempt, name))
        attempt.ref = self._created(attempt, name, spec)
        self._engine.containers.put_files(
            attempt.ref, container_files(self._engine, attempt.ref, spec, state.resolved)
        )
        self._check_first(attempt, spec.project)
        check_created(self._engine, state.resolved, spec.labels[names.OWNER], attempt.ref)

    def _created(self, attempt: Attempt, name: str, spec: ServiceSpec) -> str:
        """Without an answer from the engine it is not known whether it is being created."""
        attempt.in_flight = True
        try:
            ref = self._deployment.create(name, spec)
        except (EngineUnavailable, EngineTimeout):
            raise
        except DebughostError:
            attempt.in_flight = False
            raise
        attempt.in_flight = False
        return ref

    def _remove_created(self, attempt: Attempt, name: str) -> None:
        """Unless the one that it replaced is gone: then it is all that the project has.

        One that another process created under its name stays as it is.
        """
        old = attempt.observation.current
        if old and not self._exists(old.id):
            return
        owner = attempt.observation.spec.main.labels[names.OWNER]
        deadline = self._clock.monotonic() + IN_FLIGHT_TIMEOUT
        while attempt.in_flight and not self._is_owned(name, owner):
            if self._clock.monotonic() >= deadline:
                break
            # The engine goes on with a request whose sender was interrupted.
            self._clock.sleep(0.05)
        if self._is_owned(name, owner):
            self._deployment.remove(name)

    def _exists(self, ref: str) -> bool:
        with suppress(NotFound):
            self._engine.containers.inspect(ref)
            return True
        return False

    def _is_owned(self, name: str, owner: str) -> bool:
        """Whether a container of that name exists and was created by this process."""
        try:
            return self._engine.containers.inspect(name).labels.get(names.OWNER) == owner
        except NotFound:
            return False

    def _check_first(self, attempt: Attempt, project: str) -> None:
        """Two machines share no lock: of containers created at once, all sides keep the same one.

        That is one that was started already, else the oldest by the engine's own time of creation,
        in nanoseconds. The engine sets that time before it lists the container, so an older one
        may appear late: the check comes last before the start, and of two that are started all the
        same only one gets the port.
        """
        observation = attempt.observation
        known = {*observation.leftovers, observation.current.id if observation.current else ""}
        instance = find_instance(self._engine, project)
        others = [c for c in instance.of_main_role if c.id not in known] if instance else []
        if len(others) < 2:
            return
        created = []
        for other in others:
            with suppress(NotFound):
                created.append(self._engine.containers.inspect(other.id))
        first = min(created, key=precedence, default=None)
        if first and first.id != attempt.ref:
            raise ConcurrentModification(first.name, first.labels.get(names.OWNER, ""))

    def _stop_container(self, state: UpState, attempt: Attempt, step: Step) -> None:
        self._progress.phase(PhaseKind.STOP, f"Stopping {state.project}: {step.reason}")
        current = attempt.observation.current
        assert current is not None
        attempt.stop_sent = True
        self._deployment.stop(current, state.options.stop_timeout)

    def _start_container(self, state: UpState, attempt: Attempt, step: Step) -> None:
        self._deployment.start(attempt.ref)

    def _unpause_container(self, state: UpState, attempt: Attempt, step: Step) -> None:
        self._deployment.resume(attempt.ref)

    def _remove_container(self, state: UpState, attempt: Attempt, step: Step) -> None:
        self._deployment.remove(step.target)

    def _wait_ready(self, state: UpState, attempt: Attempt, step: Step) -> None:
        try:
            attempt.outcome = wait_ready(
                self._engine,
                attempt.ref,
                state.resolved.settings.waits,
                seen=attempt.take_seen(),
                progress=self._progress,
                cancelled=state.options.cancelled,
                clock=self._clock,
            )
        except (*ENDED, NotReady) as exc:
            attempt.outcome = exc

    def _restorer(self, state: UpState, attempt: Attempt, old: Container) -> Callable[[], None]:
        def restore() -> None:
            try:
                if attempt.stop_sent or not old.is_running:
                    # A stop that was interrupted goes on in the engine: its end is waited for.
                    self._engine.containers.stop(old.id, state.options.stop_timeout)
                if old.is_running and not self._engine.containers.inspect(old.id).is_running:
                    self._deployment.start(old.id)
            except (NotFound, ContainerCorrupted):
                return

        return restore
