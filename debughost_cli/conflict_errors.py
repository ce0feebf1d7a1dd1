"""The errors of exit code 5: the engine, or what is on it, is not as the command needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from debughost_cli.failure import Context, DebughostError, ExitCode


class _Conflict(DebughostError):
    exit_code = ExitCode.CONFLICT


class PortInUse(_Conflict):
    """The requested port is in use. ``next_free``: the nearest free one above, if known."""

    code = "PORT_IN_USE"
    next_free: int | None

    def __init__(
        self, message: str, *, next_free: int | None = None, **context: Unpack[Context]
    ) -> None:
        super().__init__(message, **context)
        self._init_fields(next_free=next_free)


class PortsExhausted(_Conflict):
    """Every port of the type's range is in use."""

    code = "PORTS_EXHAUSTED"


class NetworkConflict(_Conflict):
    """The network differs from the requested one, or overlaps with another one.

    ``overlaps``: the names of the networks that it overlaps with, as far as they are known.
    """

    code = "NETWORK_CONFLICT"
    overlaps: tuple[str, ...]

    def __init__(
        self, message: str, *, overlaps: Sequence[str] = (), **context: Unpack[Context]
    ) -> None:
        super().__init__(message, **context)
        self._init_fields(overlaps=tuple(overlaps))


class NameConflict(_Conflict):
    """Something unmanaged has the requested name."""

    code = "NAME_CONFLICT"


class WorkspaceConflict(_Conflict):
    """The project id belongs to another workspace."""

    code = "WORKSPACE_CONFLICT"


class SyncConflict(_Conflict):
    """Files changed in the workspace and in the project's container. ``paths``: which.

    Nothing was overwritten.
    """

    code = "SYNC_CONFLICT"
    paths: tuple[str, ...]

    def __init__(
        self, message: str, *, paths: Sequence[str] = (), **context: Unpack[Context]
    ) -> None:
        super().__init__(message, **context)
        self._init_fields(paths=tuple(paths))


class Busy(_Conflict):
    """Another command holds the project."""

    code = "BUSY"
    retryable = True


class EngineChanged(_Conflict):
    """A context or an address leads to another engine than the last time."""

    code = "ENGINE_CHANGED"


class InUse(_Conflict):
    """The object to remove is still in use."""

    code = "IN_USE"


class LimitReached(_Conflict):
    """As many projects run as the user allows."""

    code = "LIMIT_REACHED"


class NotPlaced(_Conflict):
    """No node of the swarm can run the project as it is now."""

    code = "NOT_PLACED"
    retryable = True
