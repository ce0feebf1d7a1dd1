"""Every way in which a command can fail, with its exit code and its stable code.

DebughostError (an Exception)
├── Internal, EngineError                                              exit 1
├── Usage, InvalidConfig, InvalidProject, InvalidWorkspace,
│   InvalidPort, TypeUnknown, ConfirmationRequired                     exit 2
├── ProjectNotFound, ImageNotFound, NetworkNotFound, ContextNotFound   exit 3
├── EngineUnavailable, EnginePermissionDenied, EngineTimeout,
│   EngineTooOld                                                       exit 4
├── PortInUse, PortsExhausted, NetworkConflict, NameConflict,
│   WorkspaceConflict, Busy, InUse                                     exit 5
├── NotReady, WaitTimeout                                              exit 6
├── StartFailed, Crashed, Unhealthy, DependenciesFailed                exit 7
├── Partial                                                            exit 8
└── DiskFull, VolumeNotWritable                                        exit 9
Interrupted (a BaseException, as KeyboardInterrupt)                    exit 130, 143

Both are a Failure, which is what leaves the program.
"""

from __future__ import annotations

import signal
from enum import IntEnum
from typing import Any, ClassVar


class ExitCode(IntEnum):
    """What the process ends with; scripts branch on these numbers."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    NOT_FOUND = 3
    ENGINE = 4
    CONFLICT = 5
    TIMEOUT = 6
    PROJECT_FAILED = 7
    PARTIAL = 8
    NO_SPACE = 9
    SIGINT = 130
    SIGTERM = 143


class Failure(BaseException):
    """A failure that a user can understand: what happened, and what to do next.

    ``message`` is one sentence, ``hint`` the way out (may be empty), ``details`` holds
    JSON-ready facts. ``retryable`` is true only where the same call may succeed later unchanged.
    ``changed``: something was made different all the same, and stays so.
    """

    code: ClassVar[str] = "INTERNAL"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, hint: str = "", details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details or {}
        self.changed = False

    @property
    def status(self) -> int:
        """The exit code of the process that ends with this error."""
        return int(self.exit_code)

    def to_json(self) -> dict[str, Any]:
        """The ``error`` object of the envelope."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "details": self.details,
        }


class DebughostError(Failure, Exception):
    """Something went wrong; who can do without it may go on."""


class Internal(DebughostError):
    """A defect in the tool itself."""


class EngineError(DebughostError):
    """The engine gave an answer that the tool does not understand."""

    code = "ENGINE_ERROR"


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
    """The workspace is missing, not a folder, or one that must not be handed to a container."""

    code = "INVALID_WORKSPACE"


class InvalidPort(_UsageError):
    """A port that is no number, out of range, or reserved."""

    code = "INVALID_PORT"


class TypeUnknown(_UsageError):
    """Nothing in the workspace tells what kind of project it is."""

    code = "TYPE_UNKNOWN"


class ConfirmationRequired(_UsageError):
    """A question would have to be asked, and nobody is there to answer it."""

    code = "CONFIRMATION_REQUIRED"


class _NotFound(DebughostError):
    exit_code = ExitCode.NOT_FOUND


class ProjectNotFound(_NotFound):
    """No container of that project on this engine."""

    code = "PROJECT_NOT_FOUND"


class ImageNotFound(_NotFound):
    """An image that is not here and not to be had.

    ``details.reason``: ``unknown``, ``registry_unreachable`` or ``unauthorized``.
    """

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


class EnginePermissionDenied(_EngineUnusable):
    """The engine is there, but this user may not speak to it."""

    code = "ENGINE_PERMISSION_DENIED"


class EngineTimeout(_EngineUnusable):
    """The engine took a request and did not answer in time."""

    code = "ENGINE_TIMEOUT"
    retryable = True


class EngineTooOld(_EngineUnusable):
    """The engine's API is older than the tool needs."""

    code = "ENGINE_TOO_OLD"


class _Conflict(DebughostError):
    exit_code = ExitCode.CONFLICT


class PortInUse(_Conflict):
    """The port that was asked for is held by something else."""

    code = "PORT_IN_USE"


class PortsExhausted(_Conflict):
    """Every port of the type's range is taken."""

    code = "PORTS_EXHAUSTED"


class NetworkConflict(_Conflict):
    """The network differs from what is wanted, or overlaps with another one."""

    code = "NETWORK_CONFLICT"


class NameConflict(_Conflict):
    """Something that is not ours has the name that we need."""

    code = "NAME_CONFLICT"


class WorkspaceConflict(_Conflict):
    """The project id belongs to another workspace."""

    code = "WORKSPACE_CONFLICT"


class Busy(_Conflict):
    """Another command holds the project."""

    code = "BUSY"
    retryable = True


class InUse(_Conflict):
    """What should be removed is still used."""

    code = "IN_USE"


class _TimedOut(DebughostError):
    exit_code = ExitCode.TIMEOUT


class NotReady(_TimedOut):
    """The project runs, but did not listen on its port in time. It goes on running."""

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
    """The project's command ended by itself."""

    code = "CRASHED"


class Unhealthy(_ProjectFailed):
    """The image's own health check says that the project is not well."""

    code = "UNHEALTHY"


class DependenciesFailed(_ProjectFailed):
    """The project's package manager could not install its dependencies."""

    code = "DEPENDENCIES_FAILED"


class Partial(DebughostError):
    """Some of several projects failed; each one carries its own error."""

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


class Interrupted(Failure):
    """A signal asked the command to end; what it had half made is taken away again.

    Nobody who goes on after an error, here or in a library, shall take it for one.
    """

    code = "INTERRUPTED"
    exit_code = ExitCode.SIGINT
    retryable = True

    def __init__(self, signum: int = signal.SIGINT) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}")
        self.signum = signum

    @property
    def status(self) -> int:
        """128 plus the signal's number, as shells report it."""
        return 128 + int(self.signum)


def _leaves(base: type[Failure]) -> list[type[Failure]]:
    found: list[type[Failure]] = []
    for cls in base.__subclasses__():
        found += [cls] if not cls.__name__.startswith("_") else _leaves(cls)
    return found


def all_errors() -> list[type[Failure]]:
    """Every public error class, in the order of the tree above."""
    return [*_leaves(DebughostError), Interrupted]
