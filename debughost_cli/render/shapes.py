"""The data of each command's JSON document, as classes from which its schema is made."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from debughost_cli.models import Action, Exit, Project
from debughost_cli.planning.debug_config import DebugConfig
from debughost_cli.planning.placement import Considered


class Error(Struct, frozen=True):
    """What went wrong, and the way out."""

    code: str
    message: str
    hint: str
    retryable: bool
    details: dict[str, Any]


class Notice(Struct, frozen=True):
    """Worth knowing; it did not stop the command."""

    code: str
    message: str


class EngineUsed(Struct, frozen=True):
    """Which engine answered, and where its address was found."""

    endpoint: str
    source: str
    version: str | None


class PlanStep(Struct, frozen=True):
    """One thing that would be done."""

    step: str
    target: str
    reason: str


class Placed(Struct, frozen=True):
    """The engine that ``up --engine auto`` chose, why, and the others with why not."""

    chosen: str
    reason: str
    candidates: list[Considered]


class ProjectDone(Project, Struct, frozen=True):
    """A project and what was done with it; ``error`` where it failed, ``plan`` with --dry-run,
    ``placement`` with --engine auto.

    ``why``: what made a recreation or restart necessary; empty where it was asked for.
    """

    action: Action = Action.UNCHANGED
    why: str = ""
    error: Error | None = None
    plan: list[PlanStep] | None = None
    placement: Placed | None = None


class EngineAsked(Struct, frozen=True):
    """One of several engines that were asked; ``error``: why it did not answer."""

    name: str
    endpoint: str
    ok: bool
    error: Error | None


class ProjectsDone(Struct, frozen=True):
    """Of ``up``, ``stop``, ``restart``, ``rm``, ``wait``. ``engines``: with --all-engines.

    ``exit``: of ``up --watch`` that showed the output, how each project ended, as of ``logs``.
    """

    projects: list[ProjectDone]
    engines: list[EngineAsked] | None = None
    exit: dict[str, Exit | None] | None = None


class ProjectsSeen(Struct, frozen=True):
    """Of ``status``. ``engines``: with --all-engines."""

    projects: list[Project]
    engines: list[EngineAsked] | None = None


class EnginesForgotten(Struct, frozen=True):
    """Of ``engines forget``: the contexts and addresses that may lead to another engine now."""

    forgotten: list[str]


class NetworkFacts(Struct, frozen=True):
    """The network; ``containers`` are ids."""

    name: str
    id: str
    driver: str
    subnet: str | None
    gateway: str | None
    containers: list[str]
    labels: dict[str, str]


class NetworkSeen(Struct, frozen=True):
    """Of ``network ensure``, ``inspect``, ``rm``."""

    network: NetworkFacts


class VolumeFacts(Struct, frozen=True):
    """A volume; ``role``: dependencies, cache, home, port, data or workspace."""

    name: str
    project: str | None
    type: str | None
    role: str
    size_bytes: int | None
    in_use: bool | None
    created_at: str | None


class VolumesSeen(Struct, frozen=True):
    """Of ``volumes ls`` and ``prune``."""

    volumes: list[VolumeFacts]
    reclaimed_bytes: int


class ImageFacts(Struct, frozen=True):
    """A base image; ``current``: made from the Dockerfile of this version. ``packages``: the Debian
    packages that were added for a project.
    """

    type: str
    ref: str
    present: bool
    current: bool
    id: str | None
    tags: list[str]
    size_bytes: int | None
    created_at: str | None
    base: str | None
    packages: list[str]


class ImagesSeen(Struct, frozen=True):
    """Of ``images``. ``variants``: made for projects; of ``prune`` what was removed."""

    images: list[ImageFacts]
    variants: list[ImageFacts]


class DebugConfigShown(Struct, frozen=True):
    """Of ``debug-config``."""

    config: DebugConfig


class Executed(Struct, frozen=True):
    """Of ``exec`` and ``run``. ``stdout``, ``stderr``: the first 1 MiB, or ``--max-bytes`` of it.

    ``truncated``: there was more; ``stdout_bytes`` and ``stderr_bytes`` is what was written.
    """

    exit_code: int
    stdout: str
    stderr: str
    truncated: bool
    stdout_bytes: int
    stderr_bytes: int


class LogLineOut(Struct, frozen=True):
    """A line of ``logs``; ``ts`` with nanoseconds. ``partial``: there where the line has no end."""

    type: Literal["log"]
    project: str
    ts: str
    stream: Literal["stdout", "stderr"]
    line: str
    partial: Literal[True] | None = None


class LogsPrinted(Struct, frozen=True):
    """Of ``logs``, after its lines. ``exit``: with --follow, how each project ended.

    ``engines``: with --all-engines.
    """

    projects: list[str]
    lines: int
    cursor: str | None
    truncated: bool
    exit: dict[str, Exit | None] | None = None
    engines: list[EngineAsked] | None = None


class EventOut(Struct, frozen=True):
    """A line of ``events``."""

    type: Literal["event"]
    project: str
    ts: str
    event: str
    exit: Exit | None
    missed: bool
    service: str | None = None


class UpOut(ProjectsDone, Struct, frozen=True, kw_only=True):
    """The first line of ``up --watch``; those of ``sync``, or of ``logs``, follow."""

    type: Literal["up"]
    changed: bool


class StatusOut(Struct, frozen=True):
    """A line of ``status --watch``; ``error`` where the engine did not answer this time."""

    type: Literal["status"]
    projects: list[Project]
    warnings: list[Notice]
    error: Error | None
    engines: list[EngineAsked] | None = None


class EngineFacts(Struct, frozen=True):
    """An engine of the user's own file. ``memory_free_bytes``: its memory without the limits of the
    projects that run there. ``capacity``: how many of them may. None where it did not answer.
    """

    name: str
    endpoint: str
    ok: bool
    error: Error | None
    version: str | None
    memory_bytes: int | None
    memory_free_bytes: int | None
    projects: int | None
    running: int | None
    capacity: int | None


class EnginesSeen(Struct, frozen=True):
    """Of ``engines ls``."""

    engines: list[EngineFacts]


class CheckFacts(Struct, frozen=True):
    """One check of this machine; ``hint``: how to fix what was found."""

    name: str
    status: Literal["ok", "warning", "failed"]
    message: str
    hint: str
    duration_ms: int


class Diagnosis(Struct, frozen=True):
    """Of ``doctor``."""

    checks: list[CheckFacts]


class NoData(Struct, frozen=True):
    """Nothing but the rest of the document."""
