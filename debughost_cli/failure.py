"""The base of every error of this program: an immutable record that can be raised."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import ClassVar, NoReturn, Self, TypedDict, Unpack

from msgspec import Struct


class ExitCode(IntEnum):
    """The exit codes of the process; scripts branch on these numbers."""

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


class NotReadyReason(Struct, frozen=True):
    """Why a running project is not ready, and what helps.

    ``reason``: ``loopback``, ``installing``, ``other_port``, ``nothing_listens``,
    ``not_accepting``, ``ipv6_only``, ``waiting_for_changes`` or ``oom``. ``ports``: what it listens
    on instead of its own port, ``reachable`` those of them that are not the loopback address's.
    """

    reason: str
    message: str
    hint: str
    ports: tuple[int, ...] = ()
    reachable: tuple[int, ...] = ()


class Context(TypedDict, total=False):
    """What every error may be made with."""

    hint: str
    details: Mapping[str, object]
    why: NotReadyReason | None
    retryable: bool


class Failure(BaseException):
    """A failure that a user can understand: what happened, and what to do next.

    ``message`` is one sentence, ``hint`` a remedy (may be empty), ``details`` holds JSON-ready
    facts for readers of the output; the program itself decides by the class and its typed fields.
    ``why``: what keeps a project from being ready, where that is the reason and is known.
    ``retryable`` is true only where the same call may succeed later unchanged: of its class, unless
    this one is said to differ. ``changed``:
    something was modified all the same, and stays modified.

    Nothing can be assigned once it is made; ``with_context`` returns a new one to raise.
    """

    code: ClassVar[str] = "INTERNAL"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL
    retryable: ClassVar[bool] = False

    message: str
    hint: str
    details: Mapping[str, object]
    changed: bool
    why: NotReadyReason | None

    def __init__(self, message: str, **context: Unpack[Context]) -> None:
        super().__init__(message)
        details = MappingProxyType(dict(context.get("details", {})))
        hint = context.get("hint", "")
        why = context.get("why")
        self._init_fields(message=message, hint=hint, details=details, changed=False, why=why)
        if "retryable" in context:
            self._init_fields(retryable=context["retryable"])

    def _init_fields(self, **fields: object) -> None:
        """For constructors alone: sets fields past ``__setattr__``."""
        self.__dict__.update(fields)

    def __setattr__(self, name: str, value: object) -> None:
        """Python itself sets the traceback, the cause and the notes; nobody sets anything else."""
        if not name.startswith("__"):
            self._refuse(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot change: use with_context()")

    def with_context(
        self,
        *,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
        changed: bool | None = None,
    ) -> Self:
        """A copy with another hint, more details or another ``changed``; raise it from this one."""
        changes: dict[str, object] = {}
        if hint is not None:
            changes["hint"] = hint
        if details is not None:
            changes["details"] = MappingProxyType({**self.details, **details})
        if changed is not None:
            changes["changed"] = changed
        copy = type(self).__new__(type(self), *self.args)
        copy.__dict__.update(self.__dict__ | changes)
        return copy

    @property
    def status(self) -> int:
        """The exit code of the process that ends with this error."""
        return int(self.exit_code)

    def to_json(self) -> dict[str, object]:
        """The ``error`` object of the JSON output."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "details": dict(self.details),
        }


class DebughostError(Failure, Exception):
    """Something went wrong; a caller that can do without it may catch it."""


class NotInstalled(DebughostError):
    """The command needs an extra of this package that is not installed."""

    code = "NOT_INSTALLED"
    exit_code = ExitCode.USAGE


class NotAManager(DebughostError):
    """The engine manages no swarm: it is a worker of one, in none, or has lost the others."""

    code = "NOT_A_MANAGER"
    exit_code = ExitCode.ENGINE


class NodeUnreachable(DebughostError):
    """The node of a swarm that a project is on is lost, or has no entry in ``[engines]``."""

    code = "NODE_UNREACHABLE"
    exit_code = ExitCode.ENGINE
    retryable = True


class Interrupted(Failure):
    """A signal ended the command; what it had half made is removed again.

    It is no Exception: code that goes on after an error, here or in a library, must not catch it.
    """

    code = "INTERRUPTED"
    exit_code = ExitCode.SIGINT
    retryable = True
    signum: int

    def __init__(self, signum: int = signal.SIGINT) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}")
        self._init_fields(signum=signum)

    @property
    def status(self) -> int:
        """128 plus the signal's number, as shells report it."""
        return 128 + int(self.signum)


def public_subclasses(base: type[Failure]) -> list[type[Failure]]:
    """The subclasses that are raised; what begins with an underscore only groups them."""
    found: list[type[Failure]] = []
    for cls in base.__subclasses__():
        found += [cls] if not cls.__name__.startswith("_") else public_subclasses(cls)
    return found


def all_errors() -> list[type[Failure]]:
    """Every public error class by exit code; ``errors.py`` must have been imported."""
    found = sorted(public_subclasses(DebughostError), key=lambda cls: cls.exit_code)
    return [*found, Interrupted]
