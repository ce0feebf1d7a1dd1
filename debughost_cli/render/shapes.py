"""The data of each command's JSON document, as classes from which its schema is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from debughost_cli.models import Action, Exit, Project


@dataclass(frozen=True)
class Error:
    """What went wrong, and the way out."""

    code: str
    message: str
    hint: str
    retryable: bool
    details: dict[str, Any]


@dataclass(frozen=True)
class Notice:
    """Worth knowing; it did not stop the command."""

    code: str
    message: str


@dataclass(frozen=True)
class EngineUsed:
    """Which engine answered, and where its address was found."""

    endpoint: str
    source: str
    version: str | None


@dataclass(frozen=True)
class PlanStep:
    """One thing that would be done."""

    step: str
    target: str
    reason: str


@dataclass(frozen=True)
class ProjectDone(Project):
    """A project and what was done with it; ``error`` where it failed, ``plan`` with --dry-run.

    ``why``: what made a recreation or restart necessary; empty where it was asked for.
    """

    action: Action = Action.UNCHANGED
    why: str = ""
    error: Error | None = None
    plan: list[PlanStep] | None = None


@dataclass(frozen=True)
class ProjectsDone:
    """Of ``up``, ``stop``, ``restart``, ``rm``, ``wait``."""

    projects: list[ProjectDone]


@dataclass(frozen=True)
class ProjectsSeen:
    """Of ``status``."""

    projects: list[Project]


@dataclass(frozen=True)
class NetworkFacts:
    """The network; ``containers`` are ids."""

    name: str
    id: str
    driver: str
    subnet: str | None
    gateway: str | None
    containers: list[str]
    labels: dict[str, str]


@dataclass(frozen=True)
class NetworkSeen:
    """Of ``network ensure``, ``inspect``, ``rm``."""

    network: NetworkFacts


@dataclass(frozen=True)
class VolumeFacts:
    """A volume; ``role``: dependencies, cache or port."""

    name: str
    project: str | None
    type: str | None
    role: str
    size_bytes: int | None
    in_use: bool | None
    created_at: str | None


@dataclass(frozen=True)
class VolumesSeen:
    """Of ``volumes ls`` and ``prune``."""

    volumes: list[VolumeFacts]
    reclaimed_bytes: int


@dataclass(frozen=True)
class ImageFacts:
    """A base image; ``current``: made from the Dockerfile of this version."""

    type: str
    ref: str
    present: bool
    current: bool
    id: str | None
    tags: list[str]
    size_bytes: int | None
    created_at: str | None
    base: str | None


@dataclass(frozen=True)
class ImagesSeen:
    """Of ``images ls``, ``build``, ``pull``."""

    images: list[ImageFacts]


@dataclass(frozen=True)
class Executed:
    """Of ``exec``. ``stdout`` and ``stderr``: the first 1 MiB, or what ``--max-bytes`` says.

    ``truncated``: there was more; ``stdout_bytes`` and ``stderr_bytes`` is what was written.
    """

    exit_code: int
    stdout: str
    stderr: str
    truncated: bool
    stdout_bytes: int
    stderr_bytes: int


@dataclass(frozen=True)
class LogLineOut:
    """A line of ``logs``; ``ts`` with nanoseconds. ``partial``: there where the line has no end."""

    type: Literal["log"]
    project: str
    ts: str
    stream: Literal["stdout", "stderr"]
    line: str
    partial: Literal[True] | None = None


@dataclass(frozen=True)
class LogsPrinted:
    """Of ``logs``, after its lines. ``exit``: with --follow, how each project ended."""

    projects: list[str]
    lines: int
    cursor: str | None
    truncated: bool
    exit: dict[str, Exit | None] | None = None


@dataclass(frozen=True)
class EventOut:
    """A line of ``events``."""

    type: Literal["event"]
    project: str
    ts: str
    event: str
    exit: Exit | None
    missed: bool


@dataclass(frozen=True)
class StatusOut:
    """A line of ``status --watch``; ``error`` where the engine did not answer this time."""

    type: Literal["status"]
    projects: list[Project]
    warnings: list[Notice]
    error: Error | None


@dataclass(frozen=True)
class CheckFacts:
    """One check of this machine; ``hint``: how to fix what was found."""

    name: str
    status: Literal["ok", "warning", "failed"]
    message: str
    hint: str
    duration_ms: int


@dataclass(frozen=True)
class Diagnosis:
    """Of ``doctor``."""

    checks: list[CheckFacts]


@dataclass(frozen=True)
class ConfigWritten:
    """Of ``init``."""

    path: str
    content: str


@dataclass(frozen=True)
class SettingFacts:
    """A setting in force; ``source``: flag, environment, user, file, default, detected or
    workspace.
    """

    name: str
    value: Any
    source: str


@dataclass(frozen=True)
class ConfigShown:
    """Of ``config show``."""

    file: str | None
    workspace: str
    settings: list[SettingFacts]


@dataclass(frozen=True)
class ConfigValidated:
    """Of ``config validate``."""

    file: str | None
    valid: bool


@dataclass(frozen=True)
class CodeFacts:
    """An error code."""

    code: str
    exit_code: int
    retryable: bool
    meaning: str


@dataclass(frozen=True)
class CodesShown:
    """Of ``schema --errors``."""

    errors: list[CodeFacts]


@dataclass(frozen=True)
class CommandsShown:
    """Of ``schema --commands``: each command with its arguments and options, or subcommands."""

    commands: list[dict[str, Any]]


@dataclass(frozen=True)
class SchemasShown:
    """Of ``schema`` and of ``schema GROUP``: the schema of each command."""

    schemas: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class CompletionScript:
    """Of ``completion``."""

    shell: str
    script: str


@dataclass(frozen=True)
class GuideText:
    """Of ``guide``."""

    guide: str


@dataclass(frozen=True)
class NoData:
    """Nothing but the rest of the document."""
