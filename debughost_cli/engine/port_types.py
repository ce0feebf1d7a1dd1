"""The values of the port, and its errors beside those of ``debughost_cli.errors``.

A caller that does not tell these errors apart sees an EngineError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Protocol

from msgspec import Struct, field

from debughost_cli.errors import EngineError


class NotFound(EngineError):
    """The requested object does not exist (any more)."""


class ImageMissing(NotFound):
    """The image is not on the engine."""


class Conflict(EngineError):
    """The engine refuses because of the object's present state or an equal name."""


class NotPaused(Conflict):
    """The container is not paused."""


class RemovalInProgress(Conflict):
    """Another client is removing the container."""


class ContainerCorrupted(EngineError):
    """The end of an engine has corrupted this container: only a new one can be started."""


class LogsUnsupported(EngineError):
    """The container's logging driver keeps no output that could be read."""


class DiskUsageBusy(EngineError):
    """The engine cannot measure its disk at this moment: another client is at work on it."""


class LogQuery(Struct, frozen=True):
    """Which lines: ``tail`` None for all, counted in entries of the engine.

    ``since`` and ``until``: seconds since the epoch, both inclusive; a Decimal is exact.
    ``fragments``: each entry as it comes, a long line in several. Without ``stamps``, a fragment
    may even hold many lines; that is the fastest.
    """

    tail: int | None = None
    since: Decimal | float | None = None
    until: Decimal | float | None = None
    follow: bool = False
    stamps: bool = True
    fragments: bool = False


class ExecSpec(Struct, frozen=True):
    """A command for a running container; empty: the container's own user, folder, variables.

    ``stdin``: something will be written to it. ``tty``: it gets a terminal, and stdout alone.
    """

    command: tuple[str, ...]
    user: str = ""
    workdir: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bool = False
    tty: bool = False


class ExecResult(Struct, frozen=True):
    """The result of a command in a container.

    ``truncated``: the command wrote more than was kept; ``stdout_bytes`` and ``stderr_bytes`` is
    what it wrote, None where all was kept.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False
    stdout_bytes: int | None = None
    stderr_bytes: int | None = None


OnText = Callable[[str], None]
OnOutput = Callable[[str, memoryview], None]
"""Gets ``stdout`` or ``stderr`` and bytes that are valid only until it returns."""


class Execution(Protocol):
    """A command that was started in a container."""

    def pump(self, stdin: int | None, on_output: OnOutput) -> None:
        """Moves bytes until the command's streams end; ``stdin`` is a file descriptor.

        The end of ``stdin`` becomes the end of the command's. What ``on_output`` raises passes
        through.
        """
        ...

    def resize(self, rows: int, columns: int) -> None:
        """Sets the size of the command's terminal. Raises NotFound, Conflict where it has ended."""
        ...

    def wait(self) -> int:
        """The exit code, once the command has ended. Raises NotFound with its container."""
        ...

    def close(self) -> None:
        """Closes the streams; the command itself keeps running."""
        ...
