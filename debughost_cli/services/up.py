"""``up``: get the image, observe, plan, carry out, wait. A failed run leaves what it found."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment.single import SingleEngineDeployment
from debughost_cli.engine.port import Conflict, Engine, NotFound
from debughost_cli.errors import (
    Crashed,
    DebughostError,
    DependenciesFailed,
    Interrupted,
    NotReady,
    PortInUse,
)
from debughost_cli.models import Action, Companion, Project
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Container, ProjectInstance
from debughost_cli.services import disk_space
from debughost_cli.services.companion_status import describe_companions
from debughost_cli.services.companion_steps import CompanionPortInUse
from debughost_cli.services.debugger_check import wait_for_debugger
from debughost_cli.services.drift import freshness
from debughost_cli.services.elsewhere import choose_port
from debughost_cli.services.executor import RESTORE, Executor
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.image_steps import ImageSteps
from debughost_cli.services.images import ImageService
from debughost_cli.services.mapped_users import warn_if_not_writable
from debughost_cli.services.migrations import find_pending, with_migrations
from debughost_cli.services.network import ROUTES, NetworkService
from debughost_cli.services.observe import ConcurrentModification, Observation, Observer
from debughost_cli.services.owner_process import this_process
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import (
    describe,
    find_instance,
    observe,
    planned,
    read_launcher_status,
)
from debughost_cli.services.readiness import ENDED
from debughost_cli.services.recovery import PortRace, Recovery, busy
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.rollback import Rollback
from debughost_cli.services.run_limits import check_run_limits
from debughost_cli.services.runtime_pins import (
    find_mismatches,
    warn_of_mismatches,
    with_mismatches,
)
from debughost_cli.services.shared_port import warn_if_port_is_shared
from debughost_cli.services.up_checks import check_limits, warn_of_setuid, warn_of_worktree
from debughost_cli.services.up_state import Attempt, UpOptions, UpState


class UpService:
    """Brings the project on the engine into the requested state."""

    def __init__(
        self,
        engine: Engine,
        progress: Progress,
        clock: Clock = SYSTEM_CLOCK,
        routes: Path = ROUTES,
    ) -> None:
        self._engine = engine
        self._progress = progress
        self._clock = clock
        self._images = ImageService(engine, progress)
        self._image_steps = ImageSteps(engine, progress, self._images)
        self._network = NetworkService(engine, progress, clock, routes)
        deployment = SingleEngineDeployment(engine)
        self._owner = this_process(host_identity())
        self._observer = Observer(engine, self._network, self._images, self._owner)
        self._executor = Executor(engine, deployment, progress, self._network, clock)
        self._recovery = Recovery(engine, deployment, progress)

    def dry_run(self, resolved: ResolvedProject, options: UpOptions) -> ProjectResult:
        """The plan that ``run`` would carry out, without one changing request."""
        check_limits(self._engine, resolved, self._owner, self._progress)
        try:
            observation = self._observer.observe(
                resolved, options.converge, pull=options.pull, dry_run=True
            )
        except ConcurrentModification as exc:
            raise busy(resolved.project, exc) from exc
        current, spec = observation.current, observation.spec.main
        project = self._present(observation) if current else planned(spec)
        project = replace(project, drift=observation.plan.drift)
        return ProjectResult(project, observation.plan.action, plan=observation.plan)

    def run(
        self, resolved: ResolvedProject, options: UpOptions, known: ProjectInstance | None = None
    ) -> ProjectResult:
        """Carries the plan out and waits until the project listens.

        ``known``: the project, where it has just been listed.

        Raises what the contract lists for ``up``. A project that ended before it was ready is kept
        for its logs, unless it replaced one that ran: then that one is restored.
        """
        check_limits(self._engine, resolved, self._owner, self._progress)
        warn_of_setuid(self._engine, resolved, self._progress)
        warn_of_worktree(resolved, self._progress)
        state = UpState(resolved, options, Rollback(self._progress), known)
        with disk_space.with_usage_details(self._engine):
            return self._result(state, self._run(state))

    def _result(self, state: UpState, attempt: Attempt) -> ProjectResult:
        """The project as it is then, or the error for one that is not ready."""
        action, outcome = state.action(attempt), attempt.outcome
        if isinstance(outcome, DebughostError):
            # The container is kept, for its logs or because it goes on running.
            changed = action is not Action.UNCHANGED
            if isinstance(outcome, Crashed | NotReady):
                from debughost_cli.services import missing_service  # heavy, for failures alone

                outcome = missing_service.with_missing(outcome, state.resolved)
            is_install = isinstance(outcome, DependenciesFailed | NotReady)
            if is_install and state.resolved.network == names.NETWORK:
                outcome = self._network.with_rivals(outcome)
            if isinstance(outcome, Crashed | DependenciesFailed):
                outcome = with_mismatches(outcome, state.mismatches)
            raise with_migrations(outcome, state.resolved).with_context(
                changed=changed
            ) from outcome
        container, launcher = outcome or observe(self._engine, attempt.ref)
        project = describe(self._engine, container, launcher)
        project = replace(
            project,
            dependencies=freshness(self._engine, state.resolved, container, launcher),
            services=self._services(state.resolved),
            sync=state.sync if project.sync else None,
        )
        if action is Action.CREATED:
            self._warn_of_detected(state.resolved, project)
        if action is not Action.UNCHANGED:
            warn_if_not_writable(self._engine, container, state.resolved.workspace, self._progress)
            wait_for_debugger(self._engine, container, self._progress, self._clock)
            warn_if_port_is_shared(self._engine, state.resolved, container, self._progress)
        pending = self._pending(state, action, container) if project.ready else ()
        return ProjectResult(project, action, executed=state.executed(attempt), pending=pending)

    def _services(self, resolved: ResolvedProject) -> tuple[Companion, ...]:
        if not resolved.settings.services:
            return ()
        instance = find_instance(self._engine, resolved.project)
        return describe_companions(self._engine, instance.companions if instance else ())

    def _warn_of_detected(self, resolved: ResolvedProject, project: Project) -> None:
        """What detection knows about its own command, for a new project."""
        if resolved.command:
            return
        for warning in resolved.detection.warnings:
            text = warning.message.replace("{port}", str(project.port))
            self._progress.warn(warning.code, text.replace("{network}", resolved.network))

    def _pending(self, state: UpState, action: Action, container: Container) -> tuple[str, ...]:
        """The command for migrations that this start has shown to be missing. Warns of them."""
        if action is Action.UNCHANGED:
            return ()
        is_new = action is Action.CREATED
        found = find_pending(self._engine, state.resolved, container, is_new=is_new)
        if found:
            found.warn(self._progress)
        return found.command if found and found.is_certain else ()

    def _run(self, state: UpState) -> Attempt:
        failures = self._engine.connection_failures
        try:
            self._get_images(state)
            attempt = self._recovery.until_intact(state, lambda: self._bring_up(state))
            if isinstance(attempt.outcome, ENDED) and state.rollback.contains(RESTORE):
                hint = f"{attempt.outcome.hint}; what ran before was started again"
                raise attempt.outcome.with_context(hint=hint) from attempt.outcome
        except BaseException:
            # Without the lock there is nothing to roll back, and no reason to wait for it again.
            if state.rollback:
                with self._recovery.lock(state.project):
                    state.rollback.run()
            raise
        self._clean_up(state, attempt)
        is_ready = not isinstance(attempt.outcome, DebughostError)
        if is_ready and self._engine.connection_failures > failures:
            # An engine that is about to end answers on open connections, and stops it then.
            self._engine.ping()
            self._wait(state, attempt, failures)
        return attempt

    def _get_images(self, state: UpState) -> None:
        state.image, state.image_steps = self._image_steps.get(
            state.resolved, state.options.pull, state.given_up
        )
        state.mismatches = find_mismatches(state.resolved, state.image)
        warn_of_mismatches(state.mismatches, self._progress)

    def _bring_up(self, state: UpState) -> Attempt:
        """Until the container is started and, without ``--no-wait``, ready or ended.

        One that listens on a port of its own choice is published with that port. The container's
        ports cannot be changed, so it is recreated once.
        """
        attempt = self._converge_and_wait(state)
        port = self._port_to_adopt(state, attempt)
        if not port:
            return attempt
        self._clean_up(state, attempt)
        self._progress.phase(PhaseKind.CREATE, f"{state.project} listens on {port}: publishing it")
        state.first, state.container_port = attempt, port
        return self._converge_and_wait(state)

    def _port_to_adopt(self, state: UpState, attempt: Attempt) -> int | None:
        """Only in place of a port that the user did not choose."""
        is_free = state.resolved.settings.fixed_port is None and not state.container_port
        if not (is_free and isinstance(attempt.outcome, NotReady)):
            return None
        container, launcher = observe(self._engine, attempt.ref)
        address = container.address if self._engine.info.shares_kernel else ""
        return choose_port(launcher.others, container, address)

    def _converge_and_wait(self, state: UpState) -> Attempt:
        failures = self._engine.connection_failures
        with self._recovery.lock(state.project):
            attempt = self._unchanged(state) or self._recovery.until_converged(
                state, lambda: self._converge(state)
            )
        self._wait(state, attempt, failures)
        return attempt

    def _unchanged(self, state: UpState) -> Attempt | None:
        """The attempt for a project that was just listed and runs as it should; else None.

        Its container is inspected under the lock: one that another command replaced meanwhile does
        not run any more.
        """
        known = state.take_known()
        if known is None:
            return None
        try:
            observation = self._observer.observe(
                state.resolved, state.converge, image=state.image, known=known
            )
        except (ConcurrentModification, NotFound, Conflict):
            return None
        current, launcher = observation.current, observation.launcher
        if current is None or launcher is None or observation.plan.changes:
            return None
        return Attempt(observation, current.id, seen=(current, launcher))

    def _converge(self, state: UpState) -> Attempt:
        check_run_limits(self._engine, state.resolved, self._owner)
        observation = self._observer.observe(
            state.resolved,
            state.converge,
            avoid=state.avoided_ports,
            container_port=state.container_port,
            image=state.take_image(),
        )
        observation.check_uncontested()
        current = observation.current
        attempt = Attempt(observation, ref=current.id if current else "")
        self._executor.restore_on_failure(state, attempt)
        try:
            self._executor.run(state, attempt, observation.plan.changes)
        except CompanionPortInUse:
            raise
        except PortInUse as exc:
            raise PortRace(observation.spec.main.ports) from exc
        except (NotFound, Conflict) as exc:
            # Another client removed or changed what was just observed.
            raise ConcurrentModification(exc.message) from exc
        return attempt

    def _wait(self, state: UpState, attempt: Attempt, failures: int) -> None:
        steps = attempt.observation.plan.wait
        if steps:
            self._recovery.while_engine_restarts(
                state, attempt, failures, lambda: self._executor.run(state, attempt, steps)
            )

    def _clean_up(self, state: UpState, attempt: Attempt) -> None:
        """What was brought up stays: an interruption comes too late to roll it back."""
        steps = attempt.observation.plan.cleanup
        try:
            self._executor.run(state, attempt, steps)
        except Interrupted:
            self._executor.run(state, attempt, steps)
            raise

    def _present(self, observation: Observation) -> Project:
        assert observation.current is not None
        launcher = read_launcher_status(self._engine, observation.current.id)
        return describe(self._engine, observation.current, launcher)
