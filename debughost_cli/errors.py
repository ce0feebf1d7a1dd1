"""The errors of this program by exit code, each with its stable code.

DebughostError is an Exception, Interrupted is not (as KeyboardInterrupt); both are a Failure, whose
fields cannot change. Control flow reads classes and typed fields, never ``details`` or text.
"""

from __future__ import annotations

from typing import Unpack

from debughost_cli.conflict_errors import Busy as Busy
from debughost_cli.conflict_errors import EngineChanged as EngineChanged
from debughost_cli.conflict_errors import InUse as InUse
from debughost_cli.conflict_errors import LimitReached as LimitReached
from debughost_cli.conflict_errors import NameConflict as NameConflict
from debughost_cli.conflict_errors import NetworkConflict as NetworkConflict
from debughost_cli.conflict_errors import NotPlaced as NotPlaced
from debughost_cli.conflict_errors import PortInUse as PortInUse
from debughost_cli.conflict_errors import PortsExhausted as PortsExhausted
from debughost_cli.conflict_errors import SyncConflict as SyncConflict
from debughost_cli.conflict_errors import WorkspaceConflict as WorkspaceConflict
from debughost_cli.failure import Context
from debughost_cli.failure import DebughostError as DebughostError
from debughost_cli.failure import ExitCode as ExitCode
from debughost_cli.failure import Failure as Failure
from debughost_cli.failure import Interrupted as Interrupted
from debughost_cli.failure import NodeUnreachable as NodeUnreachable
from debughost_cli.failure import NotAManager as NotAManager
from debughost_cli.failure import NotInstalled as NotInstalled
from debughost_cli.failure import all_errors as all_errors
from debughost_cli.models import ExitReason


class Internal(DebughostError):
    """A defect in the tool itself."""


class EngineError(DebughostError):
    """The engine gave an answer that the tool does not understand.

    ``http_status`` and ``engine_message``: the answer as it came; None and empty where what came
    was no answer of an engine.
    """

    code = "ENGINE_ERROR"
    http_status: int | None
    engine_message: str

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        engine_message: str = "",
        **context: Unpack[Context],
    ) -> None:
        super().__init__(message, **context)
        self._init_fields(http_status=http_status, engine_message=engine_message)


class _UsageError(DebughostError):
    exit_code = ExitCode.USAGE


class Usage(_UsageError):
    """The command line itself is wrong."""

    code = "USAGE"


class InvalidConfig(_UsageError):
    """A configuration file or variable holds something that cannot be used."""

    code = "INVALID_CONFIG"


class InvalidProject(_UsageError):
    """A project id that does not match ``[a-z0-9][a-z0-9_-]{0,62}``."""

    code = "INVALID_PROJECT"


class InvalidWorkspace(_UsageError):
    """The workspace is missing, not a folder, or unsafe to mount."""

    code = "INVALID_WORKSPACE"


class InvalidPort(_UsageError):
    """A port that is not a number, out of range, or reserved."""

    code = "INVALID_PORT"


class TypeUnknown(_UsageError):
    """The type of the project cannot be detected."""

    code = "TYPE_UNKNOWN"


class ConfirmationRequired(_UsageError):
    """The command needs a confirmation, and stdin is not a terminal."""

    code = "CONFIRMATION_REQUIRED"


class _NotFound(DebughostError):
    exit_code = ExitCode.NOT_FOUND


class ProjectNotFound(_NotFound):
    """No container of that project on this engine."""

    code = "PROJECT_NOT_FOUND"


class ImageNotFound(_NotFound):
    """Not to be had. Retryable only for the reason ``rate_limited``; the rules have the others."""

    code = "IMAGE_NOT_FOUND"


class NetworkNotFound(_NotFound):
    """The development network does not exist."""

    code = "NETWORK_NOT_FOUND"


class ContextNotFound(_NotFound):
    """A Docker context of that name does not exist."""

    code = "CONTEXT_NOT_FOUND"


class _EngineUnusable(DebughostError):
    exit_code = ExitCode.ENGINE


class EngineUnavailable(_EngineUnusable):
    """Nothing answers at the engine's address."""

    code = "ENGINE_UNAVAILABLE"
    retryable = True


class EngineNotTrusted(EngineUnavailable):
    """No engine to trust: TLS failed, or what answers is another server."""

    retryable = False


class EnginePermissionDenied(_EngineUnusable):
    """The engine is there, but this user may not connect to it."""

    code = "ENGINE_PERMISSION_DENIED"


class EngineTimeout(_EngineUnusable):
    """The engine accepted a request and did not answer in time."""

    code = "ENGINE_TIMEOUT"
    retryable = True


class EngineTooOld(_EngineUnusable):
    """The engine's API is older than the tool needs."""

    code = "ENGINE_TOO_OLD"


class _TimedOut(DebughostError):
    exit_code = ExitCode.TIMEOUT


class NotReady(_TimedOut):
    """The project runs, but did not listen on its port in time. It keeps running."""

    code = "NOT_READY"


class WaitTimeout(_TimedOut):
    """The awaited condition did not come true in time."""

    code = "WAIT_TIMEOUT"


class _ProjectFailed(DebughostError):
    exit_code = ExitCode.PROJECT_FAILED


class StartFailed(_ProjectFailed):
    """The engine or the launcher could not start the project's command."""

    code = "START_FAILED"


class Crashed(_ProjectFailed):
    """The project's command ended by itself. ``reason``: None where it is being restarted."""

    code = "CRASHED"
    reason: ExitReason | None

    def __init__(
        self, message: str, *, reason: ExitReason | None = None, **context: Unpack[Context]
    ) -> None:
        super().__init__(message, **context)
        self._init_fields(reason=reason)


class Unhealthy(_ProjectFailed):
    """The image's health check reports the project as unhealthy."""

    code = "UNHEALTHY"


class DependenciesFailed(_ProjectFailed):
    """The project's package manager could not install its dependencies."""

    code = "DEPENDENCIES_FAILED"


class Partial(DebughostError):
    """Some of several projects failed; each one has its own error."""

    code = "PARTIAL"
    exit_code = ExitCode.PARTIAL


class _NoSpace(DebughostError):
    exit_code = ExitCode.NO_SPACE


class DiskFull(_NoSpace):
    """The engine's disk is full."""

    code = "DISK_FULL"


class VolumeNotWritable(_NoSpace):
    """The project's user cannot write to its dependency volume."""

    code = "VOLUME_NOT_WRITABLE"
