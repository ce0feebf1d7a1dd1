"""What ``up`` does when an attempt does not go as planned: observe again, retry, start again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress

from debughost_cli import names
from debughost_cli.deployment.port import Deployment
from debughost_cli.engine.port import Conflict, ContainerCorrupted, Engine, NotFound
from debughost_cli.errors import Busy, Crashed, PortInUse, StartFailed
from debughost_cli.models import ExitReason
from debughost_cli.planning.launcher_status import LauncherPhase
from debughost_cli.planning.ports import for_publish, port_in_use
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import ContainerStatus
from debughost_cli.services.known_engines import checked_identity
from debughost_cli.services.lock import LOCK_TIMEOUT, project_lock
from debughost_cli.services.observe import ConcurrentModification
from debughost_cli.services.port_table import PortTable
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import observe
from debughost_cli.services.up_state import Attempt, UpState
from debughost_cli.specs import HTTP, PortBinding

RETRY_INTERVAL = 0.2
"""Seconds between two observations while another client creates the project's container."""
MAX_CONTAINERS = 3
"""How many containers are created when the engine ends in the middle of it and corrupts them."""


class PortRace(Exception):
    """A port was free when it was chosen, and the engine found it in use at the start."""

    def __init__(self, ports: Sequence[PortBinding]) -> None:
        super().__init__(ports)
        self.ports = ports


class Recovery:
    """Retries for one service; each method is given the part of ``up`` that it retries."""

    def __init__(self, engine: Engine, deployment: Deployment, progress: Progress) -> None:
        self._engine = engine
        self._deployment = deployment
        self._progress = progress

    def lock(self, project: str) -> AbstractContextManager[None]:
        """The lock of a project on this engine. Raises Busy."""
        return project_lock(checked_identity(self._engine), project, on_wait=self._progress.phase)

    def until_converged(self, state: UpState, converge: Callable[[], Attempt]) -> Attempt:
        """Observes and acts again where the world changed meanwhile. Raises Busy, PortInUse."""
        deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            try:
                return converge()
            except ConcurrentModification as exc:
                state.rollback.run()
                if time.monotonic() >= deadline:
                    raise busy(state.project, exc) from exc
                time.sleep(RETRY_INTERVAL)
            except PortRace as exc:
                # First: what is started again then has ports of its own.
                lost = self._lost(state, exc.ports)
                state.rollback.run()
                state.avoided_ports |= {port.host_port for port in lost}
                is_late = time.monotonic() >= deadline
                for port in lost:
                    if is_late or _is_fixed(state.resolved, port):
                        raise self._port_in_use(state, port) from exc
                    text = f"Port {port.host_port} is in use by now, choosing another"
                    self._progress.phase(PhaseKind.CREATE, text)

    def _lost(self, state: UpState, ports: Sequence[PortBinding]) -> Sequence[PortBinding]:
        """Those that somebody has; all, where nobody is seen."""
        if len(ports) == 1:
            return ports
        table = PortTable(self._engine, state.project)
        return [port for port in ports if table.holder(port.host_port)] or ports

    def _port_in_use(self, state: UpState, port: PortBinding) -> PortInUse:
        """The engine names the port alone; who uses it is looked up."""
        table = PortTable(self._engine, state.project, state.avoided_ports)
        number = port.host_port
        error = port_in_use(number, table.identify(number), table.holder)
        return error if port.name == HTTP else for_publish(error, port)

    def until_intact(self, state: UpState, bring_up: Callable[[], Attempt]) -> Attempt:
        """Creates another container where the end of an engine corrupted the one it started."""
        for remaining in reversed(range(MAX_CONTAINERS)):
            try:
                attempt = bring_up()
                if isinstance(attempt.outcome, Crashed | StartFailed):
                    self._check_files(attempt.ref)
                return attempt
            except ContainerCorrupted as exc:
                if not remaining:
                    raise
                self._progress.phase(PhaseKind.CREATE, f"Recreating {state.project}: {exc.message}")
            with self.lock(state.project):
                state.rollback.run()
            state.recreate = True
        raise AssertionError  # never: the last round returns or raises

    def _check_files(self, ref: str) -> None:
        """Raises ContainerCorrupted where the files that were written into the container are gone.

        An engine that is about to end accepts files, reports success, and may lose them.
        """
        with suppress(NotFound):
            container, launcher = observe(self._engine, ref)
            if container.is_running or launcher.phase is not LauncherPhase.NONE:
                return
            try:
                self._engine.containers.read_files(ref, names.LAUNCHER, limit=1)
            except NotFound as exc:
                found = self._engine.containers.inspect(ref)
                if found.status is not ContainerStatus.EXITED:
                    # Another client is removing it.
                    return
                raise ContainerCorrupted(
                    "the engine lost what was written into the container",
                    hint="Create another one with 'debughost up --recreate'",
                ) from exc

    def while_engine_restarts(
        self, state: UpState, attempt: Attempt, failures: int, wait: Callable[[], None]
    ) -> None:
        """Waits, and starts what its engine stopped and waits again.

        ``failures``: the engine's connection failures before the container was started.
        """
        wait()
        while self._stopped_by_engine(attempt, failures):
            failures = self._engine.connection_failures
            self._progress.phase(
                PhaseKind.OTHER, f"Starting {state.project}, which the engine's restart stopped"
            )
            try:
                with self.lock(state.project):
                    self._deployment.start(attempt.ref)
            except (NotFound, Conflict):
                return
            wait()

    def _stopped_by_engine(self, attempt: Attempt, failures: int) -> bool:
        """An engine stops its containers when it ends, or when it starts after a crash."""
        outcome = attempt.outcome
        reason = outcome.reason if isinstance(outcome, Crashed) else None
        if reason not in (ExitReason.STOPPED, ExitReason.KILLED):
            return False
        self._engine.ping()
        return self._engine.connection_failures > failures


def _is_fixed(resolved: ResolvedProject, port: PortBinding) -> bool:
    """Whether the user chose it."""
    if port.name == HTTP:
        return bool(resolved.settings.fixed_port)
    request = resolved.ports.get(port.name)
    return request is not None and isinstance(request.host, int)


def busy(project: str, exc: ConcurrentModification) -> Busy:
    """The error for a project that another client is still at work on."""
    owner = f" ({exc.owner})" if exc.owner else ""
    return Busy(
        f"another client is at work on project {project}{owner}: {exc.name}",
        hint=f"It did not finish within {LOCK_TIMEOUT:.0f} s; try again later",
        details={"project": project, "holder": {"maker": exc.owner, "container": exc.name}},
    )
