"""Carries out the steps of a plan that are about companion services."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from debughost_cli import names
from debughost_cli.clock import Clock
from debughost_cli.deployment.port import Deployment
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import PortInUse
from debughost_cli.planning.up import Step, StepKind
from debughost_cli.resources import Container, ContainerStatus
from debughost_cli.services.companion_readiness import wait_companion
from debughost_cli.services.companion_secrets import write_secret
from debughost_cli.services.companions import ObservedCompanion
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.up_state import Attempt, UpState
from debughost_cli.services.worker_pool import WorkerPool


class CompanionPortInUse(PortInUse):
    """The port on which a service is to be published; no other one is chosen for it."""


class CompanionSteps:
    """Has one method for each kind of step, see ``run``."""

    def __init__(
        self, engine: Engine, deployment: Deployment, progress: Progress, clock: Clock
    ) -> None:
        self._engine = engine
        self._deployment = deployment
        self._progress = progress
        self._clock = clock

    def methods(self) -> dict[StepKind, Callable[[UpState, Attempt, Step], None]]:
        """What carries out each kind of step."""
        return {
            StepKind.CREATE_SERVICE: self._create,
            StepKind.START_SERVICE: self._start,
            StepKind.STOP_SERVICE: self._stop,
            StepKind.WAIT_SERVICES: self._wait,
        }

    def _create(self, state: UpState, attempt: Attempt, step: Step) -> None:
        service = attempt.observation.companions.named(step.target)
        spec = service.spec
        name = names.service_container_name(spec.project, spec.name, self._clock.now())
        self._progress.phase(
            PhaseKind.CREATE, f"Creating service {spec.name} of {spec.project} from {spec.image}"
        )
        # By name, and before it exists: an interruption in between must find it as well.
        owner = spec.labels[names.OWNER]
        state.rollback.push(f"remove container {name}", partial(self._remove, name, owner))
        ref = self._deployment.create(name, spec)
        if service.secret:
            write_secret(self._engine, ref, service.secret)
        attempt.services[spec.name] = ref

    def _remove(self, name: str, owner: str) -> None:
        with suppress(NotFound):
            if self._engine.containers.inspect(name).labels.get(names.OWNER) == owner:
                self._deployment.remove(name)

    def _start(self, state: UpState, attempt: Attempt, step: Step) -> None:
        service = attempt.observation.companions.named(step.target)
        current, created = service.current, attempt.services.get(step.target)
        if current and not created:
            attempt.services[step.target] = current.id
            if current.status is ContainerStatus.PAUSED:
                self._deployment.resume(current.id)
                return
            if not current.is_running:
                state.rollback.push(f"stop service {step.target}", self._stopper(state, current))
        try:
            self._deployment.start(attempt.services[step.target])
        except PortInUse as exc:
            raise _port_in_use(service) from exc

    def _stop(self, state: UpState, attempt: Attempt, step: Step) -> None:
        current = attempt.observation.companions.named(step.target).current
        assert current is not None
        self._progress.phase(
            PhaseKind.STOP, f"Stopping service {step.target} of {state.project}: {step.reason}"
        )
        state.rollback.push(f"start service {step.target} again", partial(self._restart, current))
        self._deployment.stop(current, state.options.stop_timeout)

    def _restart(self, container: Container) -> None:
        """Unless another client has started one meanwhile: two would write to the same data."""
        labels = [f"{name}={container.labels[name]}" for name in (names.PROJECT, names.SERVICE)]
        others = self._engine.containers.list(labels)
        if not any(c.is_running for c in others):
            with suppress(NotFound):
                self._deployment.start(container.id)

    def _stopper(self, state: UpState, container: Container) -> Callable[[], None]:
        def stop() -> None:
            with suppress(NotFound):
                found = self._engine.containers.inspect(container.id)
                self._deployment.stop(found, state.options.stop_timeout)

        return stop

    def _wait(self, state: UpState, attempt: Attempt, step: Step) -> None:
        """Side by side: the slowest one decides how long it takes."""
        started = step.target.split(", ")
        self._progress.phase(
            PhaseKind.SERVICES, f"Waiting until {step.target} of {state.project} can be used"
        )
        companions, left = attempt.observation.companions, set(started)

        def wait(name: str) -> None:
            wait_companion(
                self._engine,
                companions.named(name),
                attempt.services[name],
                state.resolved.settings.wait_timeout,
                cancelled=state.options.cancelled,
                clock=self._clock,
            )
            left.discard(name)
            if left:
                waiting = ", ".join(sorted(left))
                self._progress.detail(f"{name} can be used; waiting for {waiting}")

        with WorkerPool(len(started)) as pool:
            pool.map(wait, started)


def _port_in_use(service: ObservedCompanion) -> CompanionPortInUse:
    (binding,) = service.spec.ports
    name = service.spec.name
    return CompanionPortInUse(
        f"port {binding.host_port} of the service {name} is in use",
        hint=f"Choose another one: 'publish' in [services.{name}] of debughost.toml",
        details={"port": binding.host_port, "service": name},
    )
