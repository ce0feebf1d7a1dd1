"""Carrying a plan out, step by step, with the way back for each."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import ClassVar

from debughost_cli import names
from debughost_cli.container import control_files
from debughost_cli.engine.port import Conflict, ContainerCorrupted, Engine, NotFound
from debughost_cli.errors import DebughostError, EngineTimeout, EngineUnavailable
from debughost_cli.models import Action
from debughost_cli.planning.up import Step, StepKind
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.workspace import make_mountpoint, owner, remove_mountpoint
from debughost_cli.resources import Container, ContainerSpec, FileEntry
from debughost_cli.services.network import NetworkService
from debughost_cli.services.observe import ConcurrentModification, Observation, check_owned
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import containers_of
from debughost_cli.services.rollback import Rollback
from debughost_cli.services.spec import volume_labels
from debughost_cli.services.volumes import remove_owned

IN_FLIGHT = 2.0
"""Seconds in which a container may still appear whose making was interrupted."""
RESTORE = "start again what ran before"


class Executor:
    """Makes one plan come true."""

    def __init__(
        self, engine: Engine, progress: Progress, network: NetworkService,
        resolved: ResolvedProject, observation: Observation, rollback: Rollback, stop_timeout: int,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._progress = progress
        self._network = network
        self._resolved = resolved
        self._observation = observation
        self._rollback = rollback
        self._stop_timeout = stop_timeout
        self._in_flight = False
        self._stop_sent = False
        self._ref = observation.current.id if observation.current else ""

    def run(self) -> str:
        """The id of the container that runs now.

        Raises ConcurrentModification, and what the port raises.
        """
        current, action = self._observation.current, self._observation.plan.action
        if current and action in (Action.STARTED, Action.RESTARTED, Action.RECREATED):
            # First in, last out: it needs the port that the new container may hold by then.
            what = RESTORE if current.is_running else "stop what was stopped before"
            self._rollback.push(what, self._restorer(current))
        try:
            for step in self._observation.plan.steps:
                self._steps[step.kind](self, step)
        except (NotFound, Conflict) as exc:
            # Somebody else removed or changed what was just looked at.
            raise ConcurrentModification(exc.message) from exc
        return self._ref

    def _create_network(self, step: Step) -> None:
        self._network.create()

    def _create_volume(self, step: Step) -> None:
        name = step.target
        if not names.is_cache(name):
            # The cache is everybody's: another project may have come to use it meanwhile.
            self._rollback.push(f"remove volume {name}", lambda: remove_owned(self._engine, name))
        check_owned(self._engine.volumes.create(name, volume_labels(self._observation.spec, name)))

    def _create_folder(self, step: Step) -> None:
        folder = self._resolved.mountpoint
        if folder and make_mountpoint(folder, self._resolved.workspace):
            self._rollback.push(f"remove {folder}", lambda: remove_mountpoint(folder))

    def _create_container(self, step: Step) -> None:
        spec = self._observation.spec
        name = names.container_name(spec.project, datetime.now(UTC))
        self._progress.step(f"Creating container {name} on port {spec.port}")
        # By name, and before it is made: an interruption in between must find it as well.
        self._rollback.push(f"remove container {name}", lambda: self._remove_created(name))
        self._ref = self._made(name, spec)
        self._check_oldest()
        self._engine.containers.put_files(self._ref, self._files(spec))

    def _made(self, name: str, spec: ContainerSpec) -> str:
        """Without an answer of the engine, nobody knows whether it is being made."""
        self._in_flight = True
        try:
            ref = self._engine.containers.create(name, spec)
        except (EngineUnavailable, EngineTimeout):
            raise
        except DebughostError:
            self._in_flight = False
            raise
        self._in_flight = False
        return ref

    def _remove_created(self, name: str) -> None:
        """Unless the one that it replaced is gone: then it is all that the project has.

        One that somebody else made under its name stays as it is.
        """
        old = self._observation.current
        if old and not self._is_there(old.id):
            return
        deadline = time.monotonic() + IN_FLIGHT
        while self._in_flight and not self._is_made(name) and time.monotonic() < deadline:
            # The engine goes on with a request whose sender was interrupted.
            time.sleep(0.05)
        if self._is_made(name):
            self._engine.containers.remove(name, force=True)

    def _is_there(self, ref: str) -> bool:
        try:
            self._engine.containers.inspect(ref)
        except NotFound:
            return False
        return True

    def _is_made(self, name: str) -> bool:
        """Whether it is there, and of our making."""
        try:
            labels = self._engine.containers.inspect(name).labels
        except NotFound:
            return False
        return labels.get(names.OWNER) == self._observation.spec.labels[names.OWNER]

    def _check_oldest(self) -> None:
        """Two machines share no lock: of containers made at once, all sides keep the oldest.

        The engine's own time of creation, in nanoseconds, decides: who comes later always sees
        who came before.
        """
        known = {self._observation.current.id} if self._observation.current else set()
        others = [
            c
            for c in containers_of(self._engine, self._observation.spec.project)
            if c.id not in known and c.id not in self._observation.leftovers
        ]
        if len(others) < 2:
            return
        made = []
        for other in others:
            with suppress(NotFound):
                made.append(self._engine.containers.inspect(other.id))
        first = min(made, key=lambda c: (c.created_at, c.id), default=None)
        if first and first.id != self._ref:
            raise ConcurrentModification(first.name, first.labels.get(names.OWNER, ""))

    def _files(self, spec: ContainerSpec) -> list[FileEntry]:
        uid, gid = owner(self._resolved.workspace) if spec.user else (0, 0)
        entries = control_files(spec, self._resolved.dependencies, uid, gid)
        return entries + (self._user_entry(uid, gid) if uid else [])

    def _user_entry(self, uid: int, gid: int) -> list[FileEntry]:
        """A name for the user: git, ssh and Node's os.userInfo() fail for a uid without one."""
        try:
            found = self._engine.containers.read_files(self._ref, "/etc/passwd", limit=1 << 20)
        except NotFound:
            return []
        passwd = found.get("passwd", b"")
        if any(line.split(b":")[2:3] == [str(uid).encode()] for line in passwd.splitlines()):
            return []
        line = f"developer:x:{uid}:{gid}:developer:{names.HOME_DIR}:/bin/sh\n".encode()
        separator = b"" if passwd.endswith(b"\n") or not passwd else b"\n"
        return [FileEntry("/etc/passwd", passwd + separator + line)]

    def _stop_container(self, step: Step) -> None:
        self._progress.step(f"Stopping {self._observation.spec.project}: {step.reason}")
        self._stop_sent = True
        self._engine.containers.stop(step.target, self._stop_timeout)

    def _start_container(self, step: Step) -> None:
        self._engine.containers.start(self._ref)

    def _unpause_container(self, step: Step) -> None:
        self._engine.containers.unpause(self._ref)

    def _remove_container(self, step: Step) -> None:
        # The one that is replaced goes last, when the new one has proved itself.
        if not (self._observation.current and step.target == self._observation.current.id):
            self._engine.containers.remove(step.target, force=True)

    def _nothing(self, step: Step) -> None:
        """Images are there before the look; waiting comes when the lock is given back."""

    def _restorer(self, old: Container) -> Callable[[], None]:
        def restore() -> None:
            try:
                if self._stop_sent or not old.is_running:
                    # A stop that was interrupted goes on in the engine: its end is waited for.
                    self._engine.containers.stop(old.id, self._stop_timeout)
                if old.is_running and not self._engine.containers.inspect(old.id).is_running:
                    self._engine.containers.start(old.id)
            except (NotFound, ContainerCorrupted):
                return

        return restore

    _steps: ClassVar = {
        StepKind.BUILD_IMAGE: _nothing,
        StepKind.PULL_IMAGE: _nothing,
        StepKind.CREATE_NETWORK: _create_network,
        StepKind.CREATE_VOLUME: _create_volume,
        StepKind.CREATE_FOLDER: _create_folder,
        StepKind.CREATE_CONTAINER: _create_container,
        StepKind.STOP_CONTAINER: _stop_container,
        StepKind.START_CONTAINER: _start_container,
        StepKind.UNPAUSE_CONTAINER: _unpause_container,
        StepKind.REMOVE_CONTAINER: _remove_container,
        StepKind.WAIT_READY: _nothing,
    }
