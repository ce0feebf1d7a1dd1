"""``run``: a command in a container of its own, with all that the project's container has.

The container idles, and the command is run in it as ``exec`` does: so its streams, its signals and
its exit code are those of ``exec``, and what the install writes is not among its output.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.cancel import CancelToken
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment.single import SingleEngineDeployment
from debughost_cli.engine.port import Conflict, Engine, ExecSpec, NotFound
from debughost_cli.errors import DebughostError, DependenciesFailed, Interrupted, NotReady
from debughost_cli.models import PullPolicy, RestartPolicy
from debughost_cli.planning.failure_hints import install_hint
from debughost_cli.planning.launcher_status import LauncherPhase
from debughost_cli.planning.ports import preferred_port
from debughost_cli.planning.up import Step, StepKind
from debughost_cli.project.certificates import trusted_bundle
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.workspace import remove_mountpoint
from debughost_cli.resources import Container, ContainerStatus
from debughost_cli.services import disk_space
from debughost_cli.services.abandoned import remove_abandoned
from debughost_cli.services.exec import ExecService, ProjectExec
from debughost_cli.services.executor import Executor
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.image_steps import ImageSteps
from debughost_cli.services.images import ImageService
from debughost_cli.services.launcher_news import LauncherNews
from debughost_cli.services.network import ROUTES, NetworkService
from debughost_cli.services.observe import Observation, Observer
from debughost_cli.services.owner_process import this_process
from debughost_cli.services.program_output import ProgramOutput
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import find_instance, observe, read_launcher_status
from debughost_cli.services.readiness import ended
from debughost_cli.services.recovery import Recovery
from debughost_cli.services.resource_steps import fill_container
from debughost_cli.services.rollback import Rollback
from debughost_cli.services.up_state import Attempt, UpOptions, UpState
from debughost_cli.services.workspace_limits import check_workspace_limits, warn_of_raised_limits
from debughost_cli.specs import Role, ServiceSpec

_ATTACHED = f"{names.STATE_DIR}/attached"
IDLE = (
    "/bin/sh",
    "-c",
    f'n=0; while [ -e {_ATTACHED} ] || [ "$n" -lt 30 ]; do sleep 2; n=$((n + 1)); done',
)
"""Ends after a minute in which nobody has attached: whoever created the container was killed."""
_ATTACH = ("/bin/sh", "-c", f": >{_ATTACHED}; cat >/dev/null; kill -TERM 1")
"""Ends the container once its stdin has ended, and so when this process has, killed or not."""
_NEEDED = (
    StepKind.CREATE_NETWORK,
    StepKind.CREATE_VOLUME,
    StepKind.CREATE_FOLDER,
    StepKind.CREATE_SERVICE,
    StepKind.START_SERVICE,
)
"""Of what ``up`` would do, what a container needs besides itself."""
_BUSY_PHASES = (LauncherPhase.NONE, LauncherPhase.STARTING, LauncherPhase.INSTALLING)


class OneOffService:
    """Creates one-off containers of a project."""

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
        images = ImageService(engine, progress)
        self._image_steps = ImageSteps(engine, progress, images)
        network = NetworkService(engine, progress, clock, routes)
        deployment = SingleEngineDeployment(engine)
        self._deployment = deployment
        self._owner = this_process(host_identity())
        self._observer = Observer(engine, network, images, self._owner)
        self._executor = Executor(engine, deployment, progress, network, clock)
        self._recovery = Recovery(engine, deployment, progress)

    def create(
        self,
        resolved: ResolvedProject,
        pull: PullPolicy = PullPolicy.MISSING,
        cancel: CancelToken | None = None,
    ) -> OneOff:
        """A container in which commands can be run, its dependencies installed; to be closed.

        The project is locked until then. Raises what ``up`` raises before the program begins.
        """
        check_workspace_limits(self._engine, resolved.settings)
        warn_of_raised_limits(resolved.settings, self._progress)
        idle, token = self._idling(resolved), cancel or CancelToken()
        options = UpOptions(pull=pull, cancelled=token.is_set)
        state = UpState(idle, options, Rollback(self._progress))
        with disk_space.with_usage_details(self._engine):
            state.image, state.image_steps = self._image_steps.get(idle, pull)
            with self._recovery.lock(state.project):
                try:
                    attempt = self._recovery.until_converged(state, lambda: self._prepare(state))
                    return self._started(state, attempt, token)
                except BaseException:
                    state.rollback.run()
                    raise

    def _idling(self, resolved: ResolvedProject) -> ResolvedProject:
        """The project with a program that does nothing, and publishes no port.

        ``PORT`` is that of the project's own program, for what reads it.
        """
        port = resolved.settings.fixed_port or preferred_port(resolved.project, resolved.type)
        given = {"PORT": str(port)} if resolved.listens else {}
        settings = dataclasses.replace(
            resolved.settings,
            command=IDLE,
            port=0,
            ports={},
            debug=False,
            restart=RestartPolicy(),
            # What is to be done before the program starts is not for a command.
            hooks={k: v for k, v in resolved.settings.hooks.items() if k != "before_start"},
        )
        environment = given | dict(resolved.environment)
        return replace(resolved, settings=settings, environment=environment)

    def _prepare(self, state: UpState) -> Attempt:
        """What the container needs besides itself, after what killed commands have left."""
        remove_abandoned(self._engine, state.project, self._owner)
        observation = self._observer.observe(
            state.resolved, state.converge, image=state.take_image()
        )
        attempt = Attempt(observation, ref="")
        changes = observation.plan.changes
        if observation.current is None:
            # Volumes that another workspace filled are replaced; else a container may use them.
            foreign = [s for s in changes if s.kind is StepKind.REMOVE_VOLUME]
            self._executor.run(state, attempt, foreign)
        self._executor.run(state, attempt, _needed(observation))
        return attempt

    def _started(self, state: UpState, attempt: Attempt, token: CancelToken) -> OneOff:
        if attempt.observation.current:
            self._wait_for_install(state, attempt.observation.current)
        spec = _of_one_off(attempt.observation.spec.main)
        text = f"Creating a container of {state.project} for the command"
        self._progress.phase(PhaseKind.ENGINE, text)
        name = names.one_off_name(spec.project, self._clock.now(), os.getpid())
        made = OneOff(self._engine, name, state.resolved, attempt.executed, token)
        # By name, and before it exists: an interruption in between must find it as well.
        state.rollback.push(f"remove container {name}", made.close)
        ref = self._deployment.create(name, spec)
        fill_container(self._engine, ref, spec, state, self._progress)
        self._deployment.start(ref)
        self._wait_until_idle(state, ref)
        made.attach()
        return made

    def _wait_for_install(self, state: UpState, main: Container) -> None:
        """The project's own container may be filling the volume that both have."""
        if main.status is not ContainerStatus.RUNNING or not state.resolved.dependencies:
            return
        deadline = self._clock.monotonic() + state.resolved.settings.install_timeout
        is_shown = False
        while read_launcher_status(self._engine, main.id).phase in _BUSY_PHASES:
            if not is_shown:
                self._progress.phase(PhaseKind.LOCK, f"Waiting for the install of {state.project}")
            is_shown = True
            self._pause(state, deadline, "another install of it goes on")

    def _wait_until_idle(self, state: UpState, ref: str) -> None:
        deadline = self._clock.monotonic() + state.resolved.settings.install_timeout
        shown = False
        output = ProgramOutput(self._engine, ref, self._progress)
        with closing(LauncherNews(self._engine, ref, self._clock, output)) as news:
            while True:
                container, launcher = observe(self._engine, ref)
                if launcher.phase is LauncherPhase.RUNNING and container.is_running:
                    return
                if not container.is_running:
                    raise self._failure(container)
                if launcher.phase is LauncherPhase.INSTALLING and not shown:
                    shown = True
                    self._progress.phase(
                        PhaseKind.INSTALL, f"Installing the dependencies of {state.project}"
                    )
                self._check(state, deadline, "its install goes on")
                while not news.wait():
                    self._check(state, deadline, "its install goes on")

    def _failure(self, container: Container) -> DebughostError:
        launcher = read_launcher_status(self._engine, container.id)
        error = ended(self._engine, container, launcher, "the command could begin")
        if not isinstance(error, DependenciesFailed):
            return error
        # Its logs go with its container.
        tail = error.details.get("log_tail")
        lines = tuple(map(str, tail)) if isinstance(tail, list) else ()
        known = install_hint(lines, trusted_bundle())
        return error.with_context(hint=known or "Fix the manifest or the lock file")

    def _pause(self, state: UpState, deadline: float, why: str) -> None:
        self._check(state, deadline, why)
        self._clock.sleep(0.1)

    def _check(self, state: UpState, deadline: float, why: str) -> None:
        if state.options.cancelled():
            raise Interrupted
        if self._clock.monotonic() >= deadline:
            limit = state.resolved.settings.install_timeout
            raise NotReady(
                f"{state.project} was not ready for a command after {limit:g} s: {why}",
                hint="Give it more time with install_timeout in debughost.toml",
                details={"reason": "installing"},
            )


def _needed(observation: Observation) -> list[Step]:
    """A service that ``up`` would replace is used as it is."""
    changes = observation.plan.changes
    existing = {s.spec.name for s in observation.companions.services if s.current}
    kept = {s.target for s in changes if s.kind is StepKind.CREATE_SERVICE} & existing
    steps = [s for s in changes if s.kind in _NEEDED and s.target not in kept]
    awaited = [s.target for s in steps if s.kind is StepKind.START_SERVICE]
    if awaited:
        steps.append(Step(StepKind.WAIT_SERVICES, ", ".join(awaited), "until they can be used"))
    return steps


def _of_one_off(spec: ServiceSpec) -> ServiceSpec:
    """Other projects do not reach it under the project's name."""
    labels = {**spec.labels, names.ROLE: Role.RUN.value}
    return replace(spec, role=Role.RUN, labels=labels, ports=(), aliases=())


class OneOff:
    """A container that lives as long as this object: ``close`` removes it."""

    def __init__(
        self, engine: Engine, name: str, resolved: ResolvedProject, executed: Iterable[Step],
        cancel: CancelToken,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._cancel = cancel
        self._name = name
        self._resolved = resolved
        self._made_folder = any(s.kind is StepKind.CREATE_FOLDER for s in executed)
        self._keep_open: int | None = None

    def attach(self) -> None:
        """From here on the container ends when this process ends."""
        stdin, self._keep_open = os.pipe()
        threading.Thread(target=self._stay, args=(stdin,), daemon=True).start()

    def _stay(self, stdin: int) -> None:
        try:
            # Without it, the container ends by itself after a while.
            with suppress(DebughostError, Conflict, NotFound):
                execution = self._engine.exec.start(self._name, ExecSpec(_ATTACH, stdin=True))
                with closing(execution):
                    execution.pump(stdin, lambda stream, data: None)
        finally:
            os.close(stdin)

    def start(self, spec: ExecSpec, size: tuple[int, int] | None = None) -> ProjectExec:
        """Starts a command, as ``exec`` does. Raises ExecRefused."""
        service = ExecService(self._engine, self._cancel)
        return service.start_in(self._name, self._resolved.project, spec, size)

    def close(self) -> None:
        """Removes the container, and what it alone needed; may be called again."""
        try:
            with suppress(NotFound):
                self._engine.containers.remove(self._name, force=True)
        finally:
            if self._keep_open is not None:
                os.close(self._keep_open)
                self._keep_open = None
        folder = self._resolved.mountpoint
        if folder and self._made_folder:
            self._made_folder = False
            if find_instance(self._engine, self._resolved.project) is None:
                remove_mountpoint(folder)
