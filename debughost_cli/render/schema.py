"""JSON Schema of what commands print, made by msgspec from the classes in ``shapes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from debughost_cli.errors import all_errors
from debughost_cli.render import config_shapes, page_shapes, remote_shapes, shapes
from debughost_cli.render.progress_lines import ProgressLine

DIALECT = "https://json-schema.org/draft/2020-12/schema"

DATA: dict[str, type] = {
    "up": shapes.ProjectsDone,
    "start": shapes.ProjectsDone,
    "stop": shapes.ProjectsDone,
    "restart": shapes.ProjectsDone,
    "rm": shapes.ProjectsDone,
    "status": shapes.ProjectsSeen,
    "logs": shapes.LogsPrinted,
    "wait": shapes.ProjectsDone,
    "exec": shapes.Executed,
    "run": shapes.Executed,
    "shell": shapes.NoData,
    "debug-config": shapes.DebugConfigShown,
    "events": shapes.NoData,
    "forward": remote_shapes.Forwarded,
    "sync": remote_shapes.Synced,
    "pull": remote_shapes.Pulled,
    "network ensure": shapes.NetworkSeen,
    "network inspect": shapes.NetworkSeen,
    "network rm": shapes.NetworkSeen,
    "engines forget": shapes.EnginesForgotten,
    "volumes ls": shapes.VolumesSeen,
    "volumes prune": shapes.VolumesSeen,
    "images ls": shapes.ImagesSeen,
    "images build": shapes.ImagesSeen,
    "images pull": shapes.ImagesSeen,
    "images prune": shapes.ImagesSeen,
    "engines ls": shapes.EnginesSeen,
    "doctor": shapes.Diagnosis,
    "init": config_shapes.ConfigWritten,
    "open": config_shapes.Opened,
    "rename": shapes.ProjectsDone,
    "move": shapes.ProjectsDone,
    "config set": config_shapes.ConfigSet,
    "config show": config_shapes.ConfigShown,
    "config validate": config_shapes.ConfigValidated,
    "schema": page_shapes.SchemasShown,
    "guide": page_shapes.GuideText,
    "mcp install": page_shapes.McpInstalled,
    "completion": page_shapes.CompletionScript,
}
"""Every command with the class of its ``data``."""

OTHER_DATA: dict[str, tuple[type, ...]] = {
    "schema": (page_shapes.CodesShown, page_shapes.CommandsShown)
}
"""The classes of ``data`` that the command has with certain options instead."""

LINES: dict[str, tuple[type, ...]] = {
    "logs": (shapes.LogLineOut,),
    "events": (shapes.EventOut,),
    "forward": (remote_shapes.ForwardOut,),
    "sync": (remote_shapes.SyncOut, remote_shapes.ForwardOut),
    "status": (shapes.StatusOut,),
    "up": (
        shapes.UpOut,
        remote_shapes.SyncOut,
        remote_shapes.ForwardOut,
        shapes.LogLineOut,
    ),
}
"""The commands that print lines before their document: always, or with ``--watch``."""

_OPTIONAL = {
    "ProjectDone": {"error", "plan", "placement"},
    "LogLineOut": {"partial"},
    "LogsPrinted": {"exit", "engines"},
    "ProjectsDone": {"engines", "exit"},
    "ProjectsSeen": {"engines"},
    "StatusOut": {"engines"},
    "UpOut": {"engines", "exit"},
}


def commands_under(path: str) -> list[str]:
    """The command of that name, or those of the group; all of them for an empty ``path``."""
    return [c for c in DATA if not path or c == path or c.startswith(f"{path} ")]


def command_schema(command: str) -> dict[str, Any]:
    """The schema of one command's document (of a stream: of its last line, and of its lines)."""
    import msgspec

    shared = [shapes.Error, shapes.Notice, shapes.EngineUsed]
    data = [DATA[command], *OTHER_DATA.get(command, ())]
    lines = LINES.get(command, ())
    made, definitions = msgspec.json.schema_components(
        [*shared, *data, *lines], ref_template="#/$defs/{name}", schema_hook=_schema_of
    )
    error, warning, engine = made[: len(shared)]
    schema = _envelope(command, made[len(shared) : len(shared) + len(data)], error, warning, engine)
    if lines:
        schema["properties"] |= {"type": {"const": "result"}}
        shown = ", ".join(f"$defs/{line.__name__}" for line in lines)
        schema["$comment"] = f"A stream: lines as {shown}, this document last."
    return schema | {"$defs": {name: _strict(name, d) for name, d in definitions.items()}}


def progress_schema() -> dict[str, Any]:
    """The schema of a line of ``--progress json``."""
    import msgspec

    _, definitions = msgspec.json.schema_components([ProgressLine], ref_template="#/$defs/{name}")
    name = ProgressLine.__name__
    line = _strict(name, definitions.pop(name))
    return {"$schema": DIALECT} | line | {"title": "--progress json", "$defs": definitions}


def _schema_of(type_: type) -> dict[str, Any]:
    """For msgspec, which knows ``Any`` but not ``object``; an empty schema would be an error."""
    if type_ is not object:
        raise NotImplementedError
    return {"description": "any value"}


def _envelope(
    command: str, data: Sequence[Any], error: Any, warning: Any, engine: Any
) -> dict[str, Any]:
    """``data``: what it may be; on failure, it may be empty as well."""
    alternatives = [*data, {"type": "object", "maxProperties": 0}]
    if command == "schema":
        alternatives.append({"type": "object", "required": ["$schema"]})
    properties = {
        "schema_version": {"const": 1},
        "ok": {"type": "boolean"},
        "command": {"type": "string", "const": command},
        "changed": {"type": "boolean"},
        "data": {"anyOf": alternatives},
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
