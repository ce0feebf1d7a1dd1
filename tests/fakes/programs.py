"""What a container of the fake engine does once it is started."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Program:
    """What a started container does.

    ``phase``: how far the launcher comes. ``exit_code``: ends with it at once.
    ``sigterm_code``: how it answers SIGTERM, None to ignore it. ``installs``: the launcher installs
    before it runs. ``restarts``: how often the restart policy has started it again by then.
    ``refused``: the engine's words on why it cannot be started at all. ``late``: reads of its state
    before it is where the other fields say. ``listening``: the launcher's flags for where it
    listens whatever port it is given, such as ``listens-3000``. ``flags``: others of its flags.
    """

    ready: bool = False
    loopback: bool = False
    phase: str = "running"
    exit_code: int | None = None
    oom: bool = False
    sigterm_code: int | None = 143
    installs: bool = False
    restarts: int = 0
    refused: str = ""
    health: str | None = None
    output: tuple[str, ...] = ()
    late: int = 0
    listening: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def listens(**more: Any) -> Program:
    """Becomes ready."""
    return Program(ready=True, installs=True, **more)


def never_listens(**more: Any) -> Program:
    """Runs, and that is all."""
    return Program(**more)


def listens_on(*ports: int, **more: Any) -> Program:
    """Takes no notice of the port that it is given."""
    return Program(installs=True, listening=tuple(f"listens-{p}" for p in ports), **more)


def loopback_only() -> Program:
    """Listens for itself alone."""
    return Program(loopback=True)


def exits(code: int, *output: str, **more: Any) -> Program:
    """Ends by itself at once."""
    return Program(exit_code=code, output=output, **more)


def installing() -> Program:
    """Is busy with its dependencies for ever."""
    return Program(phase="installing")


def install_fails(code: int = 1, *output: str) -> Program:
    """Its package manager gives up."""
    return Program(phase="install_failed", exit_code=code, output=output)


def volume_not_writable() -> Program:
    """Its user cannot write to the dependency volume."""
    return Program(phase="volume_not_writable", exit_code=1)


def command_not_found() -> Program:
    """The image has no such command."""
    return Program(phase="command_not_found", exit_code=127)


def ignores_sigterm() -> Program:
    """Ready, and ended by SIGKILL alone."""
    return replace(listens(), sigterm_code=None)


def crash_loops(code: int = 1, restarts: int = 3) -> Program:
    """Ends again and again, and a restart policy starts it each time."""
    return Program(exit_code=code, restarts=restarts)


def refused(words: str = "OCI runtime create failed: exec format error") -> Program:
    """The engine cannot start it."""
    return Program(refused=words)
