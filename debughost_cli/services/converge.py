"""Carrying a plan out, step by step, with the way back for each."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import ClassVar

from debughost_cli import names
from debughost_cli.container import control_files
from debughost_cli.engine.port import Clash, Engine, Missing, Spoilt
from debughost_cli.errors import DebughostError, EngineTimeout, EngineUnavailable
from debughost_cli.models import Action
from debughost_cli.planning.up import Do, Step
from debughost_cli.resources import Container, ContainerSpec, FileEntry
from debughost_cli.services.network import NetworkService
from debughost_cli.services.observe import Overtaken, View, check_ours
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import containers_of
from debughost_cli.services.spec import volume_labels
from debughost_cli.services.undo import Undo
from debughost_cli.services.volumes import remove_ours
from debughost_cli.services.wanted import Wanted
from debughost_cli.workspace import make_mountpoint, owner, remove_mountpoint

IN_FLIGHT = 2.0
"""Seconds in which a container may still appear whose making was interrupted."""
RESTORE = "start again what ran before"


class Converger:
    """Makes one plan come true."""

    def __init__(
        self, engine: Engine, progress: Progress, network: NetworkService, wanted: Wanted,
        view: View, undo: Undo, grace: int,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._progress = progress
        self._network = network
        self._wanted = wanted
        self._view = view
        self._undo = undo
        self._grace = grace
        self._in_flight = False
        self._stop_sent = False
        self._ref = view.current.id if view.current else ""

    def run(self) -> str:
        """The id of the container that runs now. Raises Overtaken, and what the port raises."""
        current, action = self._view.current, self._view.plan.action
        if current and action in (Action.STARTED, Action.RESTARTED, Action.RECREATED):
            # First in, last out: it needs the port that the new container may hold by then.
            what = RESTORE if current.is_running else "stop what was stopped before"
            self._undo.push(what, self._restorer(current))
        try:
            for step in self._view.plan.steps:
                self._steps[step.do](self, step)
        except (Missing, Clash) as exc:
            # Somebody else removed or changed what was just looked at.
            raise Overtaken(exc.message) from exc
        return self._ref

    def _create_network(self, step: Step) -> None:
        self._network.create()

    def _create_volume(self, step: Step) -> None:
        name = step.target
        if not names.is_cache(name):
            # The cache is everybody's: another project may have come to use it meanwhile.
            self._undo.push(f"remove volume {name}", lambda: remove_ours(self._engine, name))
        check_ours(self._engine.create_volume(name, volume_labels(self._view.spec, name)))

    def _create_folder(self, step: Step) -> None:
        folder = self._wanted.mountpoint
        if folder and make_mountpoint(folder, self._wanted.workspace):
            self._undo.push(f"remove {folder}", lambda: remove_mountpoint(folder))

    def _create_container(self, step: Step) -> None:
        spec = self._view.spec
        name = names.container_name(spec.project, datetime.now(UTC))
        self._progress.step(f"Creating container {name} on port {spec.port}")
        # By name, and before it is made: an interruption in between must find it as well.
        self._undo.push(f"remove container {name}", lambda: self._take_back(name))
        self._ref = self._made(name, spec)
        self._check_first()
        self._engine.put_files(self._ref, self._files(spec))

    def _made(self, name: str, spec: ContainerSpec) -> str:
        """Without an answer of the engine, nobody knows whether it is being made."""
        self._in_flight = True
        try:
            ref = self._engine.create_container(name, spec)
        except (EngineUnavailable, EngineTimeout):
            raise
        except DebughostError:
            self._in_flight = False
            raise
        self._in_flight = False
        return ref

    def _take_back(self, name: str) -> None:
        """Unless the one that it replaced is gone: then it is all that the project has.

        One that somebody else made under its name stays as it is.
        """
        old = self._view.current
        if old and not self._is_there(old.id):
            return
        deadline = time.monotonic() + IN_FLIGHT
        while self._in_flight and not self._is_made(name) and time.monotonic() < deadline:
            # The engine goes on with a request whose sender was interrupted.
            time.sleep(0.05)
        if self._is_made(name):
            self._engine.remove_container(name, force=True)

    def _is_there(self, ref: str) -> bool:
        try:
            self._engine.inspect_container(ref)
        except Missing:
            return False
        return True

    def _is_made(self, name: str) -> bool:
        """Whether it is there, and of our making."""
        try:
            labels = self._engine.inspect_container(name).labels
        except Missing:
            return False
        return labels.get(names.MAKER) == self._view.spec.labels[names.MAKER]

    def _check_first(self) -> None:
        """Two machines share no lock: of containers made at once, all sides keep the oldest.

        The engine's own time of creation, in nanoseconds, decides: who comes later always sees
        who came before.
        """
        known = {self._view.current.id} if self._view.current else set()
        others = [
            c
            for c in containers_of(self._engine, self._view.spec.project)
            if c.id not in known and c.id not in self._view.leftovers
        ]
        if len(others) < 2:
            return
        made = []
        for other in others:
            with suppress(Missing):
                made.append(self._engine.inspect_container(other.id))
        first = min(made, key=lambda c: (c.created_at, c.id), default=None)
        if first and first.id != self._ref:
            raise Overtaken(first.name, first.labels.get(names.MAKER, ""))

    def _files(self, spec: ContainerSpec) -> list[FileEntry]:
        uid, gid = owner(self._wanted.workspace) if spec.user else (0, 0)
        entries = control_files(spec, self._wanted.dependencies, uid, gid)
        return entries + (self._user_entry(uid, gid) if uid else [])

    def _user_entry(self, uid: int, gid: int) -> list[FileEntry]:
        """A name for the user: git, ssh and Node's os.userInfo() fail for a uid without one."""
        try:
            found = self._engine.read_files(self._ref, "/etc/passwd", limit=1 << 20)
        except Missing:
            return []
        passwd = found.get("passwd", b"")
        if any(line.split(b":")[2:3] == [str(uid).encode()] for line in passwd.splitlines()):
            return []
        line = f"developer:x:{uid}:{gid}:developer:{names.HOME_DIR}:/bin/sh\n".encode()
        separator = b"" if passwd.endswith(b"\n") or not passwd else b"\n"
        return [FileEntry("/etc/passwd", passwd + separator + line)]

    def _stop_container(self, step: Step) -> None:
        self._progress.step(f"Stopping {self._view.spec.project}: {step.reason}")
        self._stop_sent = True
        self._engine.stop_container(step.target, self._grace)

    def _start_container(self, step: Step) -> None:
        self._engine.start_container(self._ref)

    def _unpause_container(self, step: Step) -> None:
        self._engine.unpause_container(self._ref)

    def _remove_container(self, step: Step) -> None:
        # The one that is replaced goes last, when the new one has proved itself.
        if not (self._view.current and step.target == self._view.current.id):
            self._engine.remove_container(step.target, force=True)

    def _nothing(self, step: Step) -> None:
        """Images are there before the look; waiting comes when the lock is given back."""

    def _restorer(self, old: Container) -> Callable[[], None]:
        def restore() -> None:
            try:
                if self._stop_sent or not old.is_running:
                    # A stop that was interrupted goes on in the engine: its end is waited for.
                    self._engine.stop_container(old.id, self._grace)
                if old.is_running and not self._engine.inspect_container(old.id).is_running:
                    self._engine.start_container(old.id)
            except (Missing, Spoilt):
                return

        return restore

    _steps: ClassVar = {
        Do.BUILD_IMAGE: _nothing,
        Do.PULL_IMAGE: _nothing,
        Do.CREATE_NETWORK: _create_network,
        Do.CREATE_VOLUME: _create_volume,
        Do.CREATE_FOLDER: _create_folder,
        Do.CREATE_CONTAINER: _create_container,
        Do.STOP_CONTAINER: _stop_container,
        Do.START_CONTAINER: _start_container,
        Do.UNPAUSE_CONTAINER: _unpause_container,
        Do.REMOVE_CONTAINER: _remove_container,
        Do.WAIT_READY: _nothing,
    }
