"""What happens in the containers of the fake engine: see container/launch.sh."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from debughost_cli import names
from debughost_cli.specs import Role
from fakes.objects import FakeContainer
from fakes.programs import Program, listens

if TYPE_CHECKING:
    from fakes.engine import FakeEngine


class Runtime:
    """Runs the programs of containers."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine

    def program_of(self, container: FakeContainer) -> Program:
        """The program that the next start of a container runs."""
        if self.engine.queue:
            return self.engine.queue.popleft()
        by_command = self.engine.commands.get(tuple(container.spec.command))
        if container.spec.role is Role.RUN:
            return by_command or listens()
        return by_command or self.engine.programs.get(container.spec.project, self.engine.program)

    def run(self, container: FakeContainer, program: Program) -> None:
        """The launcher starts, and the status of an earlier run is replaced."""
        container.program, container.status, container.start_error = program, "running", ""
        # The end of the previous run stays on record until this one ends.
        container.started_at = self.engine.now()
        container.exit_code, container.oom_killed, container.restart_count = 0, False, 0
        container.reads, container.pending = 0, True
        container.health = program.health
        self.engine.record_event("start", container)
        if container.spec.role is Role.SERVICE:
            self.engine.write_log(container.id, *program.output)
            if program.exit_code is not None:
                self.end(container, program.exit_code)
            return
        if names.LAUNCHER not in container.files:
            self.engine.write_log(container.id, f"cannot open {names.LAUNCHER}", stream="stderr")
            self.end(container, 2)
            return
        installs = f"{names.CONTROL_DIR}/dependencies" in container.files
        self.engine.write_status(container, "installing" if installs else "running")
        if not program.late:
            self.arrive(container)

    def arrive(self, container: FakeContainer) -> None:
        """The program is where its fields say."""
        program, container.pending = container.program, False
        words = [program.phase]
        if program.phase == "running":
            words += self.installed(container) if program.installs else []
            words += [mark for mark in ("ready", "loopback") if getattr(program, mark)]
            words += self.listening(container) if container.spec.ports else ["ready"]
        self.engine.write_status(container, "+".join([*words, *program.flags]))
        self.engine.write_log(container.id, *program.output)
        container.restart_count = program.restarts
        if program.exit_code is not None:
            self.end(container, program.exit_code)
            container.oom_killed = program.oom
            if program.restarts:
                container.status = "restarting"

    def listening(self, container: FakeContainer) -> list[str]:
        """What launch.sh reports of a program that chose its ports itself."""
        found = container.program.listening
        return ["ready"] if f"listens-{container.spec.container_port}" in found else list(found)

    def installed(self, container: FakeContainer) -> list[str]:
        """What launch.sh does with the fingerprint of the dependencies."""
        given = container.files.get(f"{names.CONTROL_DIR}/dependencies")
        if given is None or given.data is None:
            return []
        values = dict(
            part.split("=", 1) for part in shlex.split(given.data.decode().replace("\n", " "))
        )
        text = values["identity"] + "\n"
        for name in values["files"].split():
            file = Path(container.spec.workspace, name)
            if file.is_file():
                text += f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}\n"
        return [f"deps-{hashlib.sha256(text.encode()).hexdigest()}"]

    def end(self, container: FakeContainer, code: int) -> None:
        """The container's process ends."""
        container.status, container.exit_code = "exited", code
        container.finished_at, container.pending = self.engine.now(), False
        self.engine.record_event("die", container, code)

    def advance(self, container: FakeContainer) -> None:
        """A read of its state, which a late program counts."""
        if container.pending and container.status == "running":
            container.reads += 1
            if container.reads > container.program.late:
                self.arrive(container)

    def signal(self, container: FakeContainer, signal: str, *, frozen: bool = False) -> None:
        """The container's process gets a signal."""
        if signal in ("SIGKILL", "KILL", "9"):
            self.end(container, 137)
        elif signal in ("SIGTERM", "TERM", "15") and not frozen:
            before = container.files.get(names.STATE_LINK)
            if before and container.spec.role is not Role.SERVICE:
                self.engine.write_status(container, before.link + "+term")
            if container.program.sigterm_code is not None:
                self.end(container, container.program.sigterm_code)
