"""JSON Schema of what commands print, made by msgspec from the very classes that are printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from debughost_cli.errors import all_errors
from debughost_cli.models import Action, Exit, Project

DIALECT = "https://json-schema.org/draft/2020-12/schema"


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
    """A project and what was done with it; ``error`` where it failed, ``plan`` with --dry-run."""

    action: Action = Action.UNCHANGED
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
    """Of ``exec``."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class LogLineOut:
    """A line of ``logs``; ``ts`` with nanoseconds, ``stream`` stdout or stderr."""

    type: str
    project: str
    ts: str
    stream: str
    line: str


@dataclass(frozen=True)
class EventOut:
    """A line of ``events``."""

    type: str
    project: str
    ts: str
    event: str
    exit: Exit | None
    missed: bool


@dataclass(frozen=True)
class Anything:
    """An object whose members the command documents itself."""


DATA: dict[str, type] = {
    "up": ProjectsDone,
    "stop": ProjectsDone,
    "restart": ProjectsDone,
    "rm": ProjectsDone,
    "wait": ProjectsDone,
    "status": ProjectsSeen,
    "network ensure": NetworkSeen,
    "network inspect": NetworkSeen,
    "network rm": NetworkSeen,
    "volumes ls": VolumesSeen,
    "volumes prune": VolumesSeen,
    "images ls": ImagesSeen,
    "images build": ImagesSeen,
    "images pull": ImagesSeen,
    "exec": Executed,
    "logs": Anything,
    "events": Anything,
}
LINES: dict[str, type] = {"logs": LogLineOut, "events": EventOut}
_OPTIONAL = {"ProjectDone": {"error", "plan"}}


def command_schema(command: str) -> dict[str, Any]:
    """The schema of one command's document (of a stream: of its last line, and of its lines)."""
    import msgspec

    kinds = [DATA.get(command, Anything), Error, Notice, EngineUsed]
    kinds += [LINES[command]] if command in LINES else []
    (data, error, warning, engine, *line), definitions = msgspec.json.schema_components(
        kinds, ref_template="#/$defs/{name}"
    )
    schema = _envelope(command, data, error, warning, engine)
    if line:
        schema["$comment"] = "A stream: one line each of $defs, and this document last."
    return schema | {"$defs": {name: _strict(name, d) for name, d in definitions.items()}}


def _envelope(command: str, data: Any, error: Any, warning: Any, engine: Any) -> dict[str, Any]:
    """On failure ``data`` may be empty."""
    properties = {
        "schema_version": {"const": 1},
        "ok": {"type": "boolean"},
        "command": {"type": "string"},
        "changed": {"type": "boolean"},
        "data": {"anyOf": [data, {"type": "object", "maxProperties": 0}]},
        "warnings": {"type": "array", "items": warning},
        "error": {"anyOf": [error, {"type": "null"}]},
        "next": {"type": "array", "items": {"type": "string"}},
        "engine": {"anyOf": [engine, {"type": "null"}]},
        "duration_ms": {"type": "integer"},
    }
    return {
        "$schema": DIALECT,
        "title": f"debughost {command} --json",
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _strict(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Every key is always there, whatever its class gives as a default."""
    if "properties" not in definition:
        return definition
    properties = {k: _without_default(v) for k, v in definition["properties"].items()}
    required = [k for k in properties if k not in _OPTIONAL.get(name, ())]
    return definition | {"properties": properties, "required": required}


def _without_default(schema: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in schema.items() if k != "default"}


def errors_table() -> list[dict[str, Any]]:
    """Every code with its exit code, whether trying again may help, and what it means."""
    return [
        {
            "code": e.code,
            "exit_code": int(e.exit_code),
            "retryable": e.retryable,
            "meaning": (e.__doc__ or "").strip().splitlines()[0],
        }
        for e in all_errors()
    ]
