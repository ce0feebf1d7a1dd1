"""The values of the port, and its errors beside those of ``debughost_cli.errors``.

A caller that does not tell these errors apart sees an EngineError.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

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
    """The engine measures its disk for another client, and for one at a time."""


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
