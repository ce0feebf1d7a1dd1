"""``up``: get the image, look, plan, carry out, wait. A failed run leaves what it found."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace

from debughost_cli import names
from debughost_cli.engine.port import Conflict, ContainerCorrupted, Engine, NotFound
from debughost_cli.errors import (
    Busy,
    Crashed,
    DebughostError,
    DependenciesFailed,
    DiskFull,
    EngineError,
    ImageNotFound,
    Interrupted,
    NotReady,
    PortInUse,
    StartFailed,
    VolumeNotWritable,
)
from debughost_cli.models import Action, ContainerRef, ExitReason, Project
from debughost_cli.planning.ports import port_in_use
from debughost_cli.planning.up import ConvergeOptions, StepKind
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Container, LauncherStatus
from debughost_cli.services import disk_space
from debughost_cli.services.drift import freshness
from debughost_cli.services.executor import RESTORE, Executor
from debughost_cli.services.images import ImageService
from debughost_cli.services.lock import LOCK_TIMEOUT, project_lock
from debughost_cli.services.network import NetworkService
from debughost_cli.services.observe import ConcurrentModification, Observation, Observer
from debughost_cli.services.port_table import PortTable
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import describe, observe, read_launcher_status, url_of
from debughost_cli.services.readiness import wait_ready
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.rollback import Rollback
from debughost_cli.services.volumes import remove_owned

LOOK_AGAIN = 0.2
"""Seconds between looks while another client is making the project's container."""
BUILD_LOCK_TIMEOUT = 1800.0
"""Seconds to wait for another command that builds the same image."""
TRIES = 3
"""How many containers are made when the engine ends in the middle of it and spoils them."""

_Outcome = tuple[Container, LauncherStatus] | DebughostError
_ENDED = (Crashed, StartFailed, DependenciesFailed, VolumeNotWritable, DiskFull)


class PortRace(Exception):
    """The port was free when it was chosen, and the engine found it taken at the start."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port


@dataclass(frozen=True)
class UpOptions:
    """How ``up`` goes about it; none of it is part of the container.

    ``pull``: missing, always or never. ``stop_timeout``: seconds that a container which is
    replaced or restarted has to end; ``cancelled`` is called while waiting.
    """

    converge: ConvergeOptions = field(default_factory=ConvergeOptions)
    pull: str = "missing"
    stop_timeout: int = 10
    cancelled: Callable[[], bool] = lambda: False


class UpService:
    """Makes what is wanted come true on the engine."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress
        self._network = NetworkService(engine, progress)
        self._images = ImageService(engine, progress)
        self._observer = Observer(engine, self._network, self._images)

    def dry_run(self, resolved: ResolvedProject, options: UpOptions) -> ProjectResult:
        """The plan that ``run`` would carry out, without one changing request."""
        step = self._observer.image_step(resolved, options.pull)
        try:
            observation = self._observer.look(resolved, options.converge, image_step=step)
        except ConcurrentModification as exc:
            raise _busy(resolved.project, exc) from exc
        project = self._present(observation) if observation.current else _planned(observation)
        project = replace(project, drift=observation.plan.drift)
        return ProjectResult(project, observation.plan.action, plan=observation.plan)

    def run(self, resolved: ResolvedProject, options: UpOptions) -> ProjectResult:
        """Carries the plan out and waits until the project listens.

        Raises what the contract lists for ``up``. A project that ended before it was ready is kept
        for its logs, unless it took the place of one that ran: that one is put back.
        """
        with disk_space.with_usage_details(self._engine):
            return self._run(resolved, options)

    def _run(self, resolved: ResolvedProject, options: UpOptions) -> ProjectResult:
        self._get_image(resolved, options)
        rollback = Rollback(self._progress)
        connection_failures = self._engine.connection_failures
        try:
            observation, ref, outcome = self._bring_up(resolved, options, rollback)
            if isinstance(outcome, _ENDED) and rollback.remembers(RESTORE):
                raise outcome.with_context(
                    hint=f"{outcome.hint}; what ran before was started again"
                ) from outcome
        except BaseException:
            # Who never got the lock has nothing to take back, and must not wait for it again.
            if rollback:
                with self._lock(resolved.project):
                    rollback.run()
            raise
        self._finish(observation)
        if self._engine.connection_failures > connection_failures and not isinstance(
            outcome, DebughostError
        ):
            outcome = self._outcome(resolved, ref, options, connection_failures)
        if isinstance(outcome, DebughostError):
            # The container is kept, for its logs or because it goes on.
            changed = observation.plan.action is not Action.UNCHANGED
            raise outcome.with_context(changed=changed) from outcome
        project = describe(self._engine, *outcome)
        project = replace(project, dependencies=freshness(resolved, *outcome))
        return ProjectResult(project, observation.plan.action)

    def _bring_up(
        self, resolved: ResolvedProject, options: UpOptions, rollback: Rollback, tries: int = TRIES
    ) -> tuple[Observation, str, _Outcome]:
        """What was seen at first, the container that was started, and what it came to.

        A container that the end of an engine has spoilt is made anew.
        """
        connection_failures = self._engine.connection_failures
        try:
            with self._lock(resolved.project):
                observation, ref = self._converge(resolved, options, rollback)
            outcome = self._outcome(resolved, ref, options, connection_failures)
            if isinstance(outcome, Crashed | StartFailed):
                self._check_launcher(ref)
            return observation, ref, outcome
        except ContainerCorrupted as exc:
            if tries == 1:
                raise
            self._progress.step(f"Making {resolved.project} anew: {exc.message}")
        with self._lock(resolved.project):
            rollback.run()
        anew = replace(options, converge=replace(options.converge, recreate=True))
        return self._bring_up(resolved, anew, rollback, tries - 1)

    def _check_launcher(self, ref: str) -> None:
        """Raises ContainerCorrupted where the files that were written into the container are gone.

        An engine that is about to end takes files, says so, and may lose them.
        """
        with suppress(NotFound):
            container, launcher = observe(self._engine, ref)
            if container.is_running or launcher.phase:
                return
            try:
                self._engine.containers.read_files(ref, names.LAUNCHER)
            except NotFound as exc:
                if self._engine.containers.inspect(ref).status != "exited":
                    # Somebody is removing it.
                    return
                raise ContainerCorrupted(
                    "the engine lost what was written into the container",
                    hint="Make a new one with 'debughost up --recreate'",
                ) from exc

    def _lock(self, name: str, **timeout: float) -> AbstractContextManager[None]:
        endpoint = self._engine.info.endpoint
        return project_lock(endpoint, name, on_wait=self._progress.step, **timeout)

    def _get_image(self, resolved: ResolvedProject, options: UpOptions) -> None:
        step = self._observer.image_step(resolved, options.pull)
        if step is None:
            return
        if step.kind is StepKind.PULL_IMAGE:
            # The engine itself makes one of two pulls of the same layers.
            self._images.pull(step.target)
            return
        # No project id has a dot in it. Who waited finds the image made.
        with self._lock(f"image.{resolved.type}", timeout=BUILD_LOCK_TIMEOUT):
            if self._observer.image_step(resolved, options.pull):
                self._build(resolved)

    def _build(self, resolved: ResolvedProject) -> None:
        """An image of an older Dockerfile serves on where today's cannot be made."""
        try:
            self._images.build([resolved.type], ca_bundle=resolved.ca_bundle)
        except (ImageNotFound, EngineError) as exc:
            if self._images.find(resolved.type).image is None:
                raise
            self._progress.warn(
                "IMAGE_OUTDATED", f"the {resolved.type} image could not be made anew: {exc.message}"
            )

    def _converge(
        self, resolved: ResolvedProject, options: UpOptions, rollback: Rollback
    ) -> tuple[Observation, str]:
        """Looks, plans and acts until the container runs; anew where the world moved meanwhile."""
        avoid: frozenset[int] = frozenset()
        deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            try:
                observation = self._observer.look(resolved, options.converge, avoid=avoid)
                ref = self._carry_out(resolved, observation, options, rollback)
            except ConcurrentModification as exc:
                rollback.run()
                if time.monotonic() >= deadline:
                    raise _busy(resolved.project, exc) from exc
                time.sleep(LOOK_AGAIN)
            except PortRace as exc:
                rollback.run()
                avoid |= {exc.port}
                if resolved.settings.port or time.monotonic() >= deadline:
                    raise self._explained(resolved, exc.port, avoid) from exc
                self._progress.step(f"Port {exc.port} was taken meanwhile, choosing another")
            else:
                return observation, ref

    def _carry_out(
        self,
        resolved: ResolvedProject,
        observation: Observation,
        options: UpOptions,
        rollback: Rollback,
    ) -> str:
        executor = Executor(
            self._engine,
            self._progress,
            self._network,
            resolved,
            observation,
            rollback,
            options.stop_timeout,
        )
        try:
            return executor.run()
        except PortInUse as exc:
            raise PortRace(observation.spec.port) from exc

    def _explained(self, resolved: ResolvedProject, port: int, avoid: frozenset[int]) -> PortInUse:
        """The engine names only the port; who holds it is looked up."""
        table = PortTable(self._engine, resolved.project, avoid)
        return port_in_use(
            resolved.project, resolved.type, port, table.identify(port), table.holder
        )

    def _outcome(
        self, resolved: ResolvedProject, ref: str, options: UpOptions, connection_failures: int
    ) -> _Outcome:
        """As ``_awaited``; what went down with its engine is started again.

        ``connection_failures``: how many the engine had before the container was started.
        """
        while True:
            outcome = self._awaited(resolved, ref, options)
            if not self._stopped_by_engine(outcome, connection_failures):
                return outcome
            connection_failures = self._engine.connection_failures
            self._progress.step(
                f"Starting {resolved.project} again, which went down with the engine"
            )
            try:
                with self._lock(resolved.project):
                    self._engine.containers.start(ref)
            except (NotFound, Conflict):
                return outcome

    def _stopped_by_engine(self, outcome: _Outcome, connection_failures: int) -> bool:
        """An engine stops its containers when it ends, or when it starts after a crash."""
        reason = outcome.reason if isinstance(outcome, Crashed) else None
        if reason not in (ExitReason.STOPPED, ExitReason.KILLED):
            return False
        self._engine.ping()
        return self._engine.connection_failures > connection_failures

    def _awaited(self, resolved: ResolvedProject, ref: str, options: UpOptions) -> _Outcome:
        """The container once it is ready, or why it is not; the engine's failures are raised."""
        if not options.converge.wait:
            return observe(self._engine, ref)
        try:
            return wait_ready(
                self._engine,
                ref,
                resolved.settings.wait_timeout,
                on_wait=lambda: self._progress.step(f"Waiting until {resolved.project} listens"),
                cancelled=options.cancelled,
            )
        except (*_ENDED, NotReady) as exc:
            return exc

    def _finish(self, observation: Observation) -> None:
        """What was brought up stays: an interruption comes too late to take it back."""
        try:
            self._remove_replaced(observation)
        except Interrupted:
            self._remove_replaced(observation)
            raise

    def _remove_replaced(self, observation: Observation) -> None:
        """What the new container replaces: the old one, and the note of the port."""
        if observation.plan.action is Action.RECREATED and observation.current:
            self._engine.containers.remove(observation.current.id, force=True)
        if observation.plan.action is Action.CREATED:
            remove_owned(self._engine, names.port_note_name(observation.spec.project))

    def _present(self, observation: Observation) -> Project:
        assert observation.current is not None
        launcher = read_launcher_status(self._engine, observation.current.id)
        return describe(self._engine, observation.current, launcher)


def _busy(project: str, exc: ConcurrentModification) -> Busy:
    owner = f" ({exc.owner})" if exc.owner else ""
    return Busy(
        f"another client is at work on project {project}{owner}: {exc.name}",
        hint=f"It was waited for {LOCK_TIMEOUT:.0f} s; try again when it is done",
        details={"project": project, "holder": {"maker": exc.owner, "container": exc.name}},
    )


def _planned(observation: Observation) -> Project:
    """A project that is not there yet, as it would be."""
    spec = observation.spec
    return Project(
        project=spec.project,
        type=spec.type,
        url=url_of(spec.port),
        port=spec.port,
        workspace=spec.workspace,
        command=spec.command,
        container=ContainerRef("", "", spec.image),
    )
