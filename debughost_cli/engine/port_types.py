"""The values of the port, and its errors beside those of ``debughost_cli.errors``.

A caller that does not tell these errors apart sees an EngineError.
"""

from __future__ import annotations

import socket
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


class Codec(Protocol):
    """What a connection sends as a command's input, and what of its output goes to the connection.

    ``first``: what the command's input begins with. ``wants_input``: whether the connection is read
    yet. ``is_over``: whether the two are to be parted. ``idle_seconds``: they also are after so
    long without a byte either way, None for never.
    """

    @property
    def first(self) -> bytes: ...

    @property
    def wants_input(self) -> bool: ...

    @property
    def is_over(self) -> bool: ...

    @property
    def idle_seconds(self) -> float | None: ...

    def input(self, data: bytes) -> bytes:
        """For the command's stdin; ``data`` is empty once the connection sends no more."""
        ...

    def output(self, stream: str, data: bytes) -> bytes:
        """For the connection, of what the command wrote to ``stdout`` or ``stderr``."""
        ...


class Execution(Protocol):
    """A command that was started in a container."""

    def pump(self, stdin: int | None, on_output: OnOutput) -> None:
        """Moves bytes until the command's streams end; ``stdin`` is a file descriptor.

        The end of ``stdin`` becomes the end of the command's. What ``on_output`` raises passes
        through.
        """
        ...

    def join(self, peer: socket.socket, codec: Codec) -> bool:
        """Moves bytes between a connection and the command, until it is over or either is gone.

        True where it was over and all that went to the command has been sent: it may be joined
        with another connection.
        """
        ...

    def is_silent(self) -> bool:
        """True where nothing of its output waits to be read, and no end of it either."""
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
