"""The JSON contract: the envelope, and the shapes of ``data``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from debughost_cli.characters import clean_all, message
from debughost_cli.models import Project, Warn
from debughost_cli.names import BASE, ROLE, TYPE, rfc3339
from debughost_cli.resources import EngineInfo, Network, Volume
from debughost_cli.services.engine_load import EngineState
from debughost_cli.services.results import (
    EngineReport,
    ImageEntry,
    ImagesResult,
    ProjectResult,
    ProjectsResult,
    VolumesResult,
)

SCHEMA_VERSION = 1


def dumps(document: Any) -> str:
    """One line, ASCII alone: no text of others can break it, whatever it holds."""
    text = json.dumps(document, separators=(",", ":"), default=str)
    return json.dumps(_whole(text), separators=(",", ":")) if "\\ud" in text else text


def pretty(document: Any) -> str:
    """Indented, for people who read JSON."""
    text = json.dumps(document, indent=2, default=str)
    return json.dumps(_whole(text), indent=2) if "\\ud" in text else text


def _whole(text: str) -> Any:
    """The document without halves of characters, which strict readers refuse: Python reads them
    out of names that are not UTF-8.
    """
    return json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace"))


def envelope(
    *,
    command: str,
    changed: bool,
    data: Mapping[str, Any],
    warnings: Sequence[Warn],
    error: Mapping[str, Any] | None,
    next_: Sequence[str],
    engine: EngineInfo | None,
    duration_ms: int,
) -> dict[str, Any]:
    """The one document of a command."""
    return {
        "schema_version": SCHEMA_VERSION,
        "ok": error is None,
        "command": command,
        "changed": changed,
        "data": data,
        "warnings": [{"code": w.code, "message": message(w.message)} for w in warnings],
        "error": clean_all(error),
        "next": list(next_),
        "engine": engine_json(engine),
        "duration_ms": duration_ms,
    }


def engine_json(engine: EngineInfo | None) -> dict[str, Any] | None:
    """Which engine and why; None for commands that need none."""
    if engine is None:
        return None
    return {
        "endpoint": engine.endpoint,
        "source": engine.source,
        "version": engine.version or None,
    }


def plain(value: Any) -> Any:
    """Structs, tuples and times as JSON has them."""
    if isinstance(value, Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def project_json(project: Project) -> dict[str, Any]:
    """The contract's P."""
    made: dict[str, Any] = plain(project)
    # What a person or an agent reads rather than a program.
    return made | {key: clean_all(made[key]) for key in ("exit", "drift", "not_ready")}


def result_json(result: ProjectResult) -> dict[str, Any]:
    """P with what was done, and why not."""
    made = project_json(result.project) | {
        "action": result.action.value,
        "why": message(result.why),
    }
    if result.error:
        made["error"] = clean_all(plain(result.error.to_json()))
    if result.placement:
        placed = result.placement
        made["placement"] = {
            "chosen": placed.chosen,
            "reason": placed.reason,
            "candidates": plain(placed.candidates),
        }
    if result.plan:
        made["plan"] = [
            {"step": s.kind.value, "target": s.target, "reason": s.reason}
            for s in result.plan.steps
        ]
    return made


def projects_json(result: ProjectsResult) -> dict[str, Any]:
    """``up``, ``stop``, ``restart``, ``rm``."""
    return {"projects": [result_json(i) for i in result.items]} | engines_json(result.engines)


def engines_json(engines: Sequence[EngineReport]) -> dict[str, Any]:
    """The engines that were asked; nothing where it was the usual one."""
    return {"engines": [_report_json(e) for e in engines]} if engines else {}


def _report_json(engine: EngineReport) -> dict[str, Any]:
    return {
        "name": engine.name,
        "endpoint": engine.endpoint,
        "ok": engine.error is None,
        "error": clean_all(plain(engine.error.to_json())) if engine.error else None,
    }


def engine_states_json(engines: Sequence[EngineState]) -> list[dict[str, Any]]:
    """``engines ls``."""
    return [
        _report_json(e.report)
        | {
            "version": e.version or None,
            "memory_bytes": e.load.memory_bytes if e.load else None,
            "memory_free_bytes": e.load.free_bytes if e.load else None,
            "projects": e.load.projects if e.load else None,
            "running": e.load.running if e.load else None,
            "capacity": e.capacity,
        }
        for e in engines
    ]


def network_json(network: Network) -> dict[str, Any]:
    """``network ensure`` and ``inspect``."""
    return {
        "network": {
            "name": network.name,
            "id": network.id,
            "driver": network.driver,
            "subnet": network.subnet,
            "gateway": network.gateway,
            "containers": list(network.containers),
            "labels": dict(network.labels),
        }
    }


def volumes_json(result: VolumesResult) -> dict[str, Any]:
    """``volumes ls`` and ``prune``."""
    return {
        "volumes": [_volume_json(v) for v in result.volumes],
        "reclaimed_bytes": result.reclaimed_bytes,
    }


def _volume_json(volume: Volume) -> dict[str, Any]:
    return {
        "name": volume.name,
        "project": volume.project or None,
        "type": volume.labels.get(TYPE),
        "role": volume.labels.get(ROLE, "dependencies"),
        "size_bytes": volume.size_bytes,
        "in_use": volume.in_use,
        "created_at": rfc3339(volume.created_at) if volume.created_at else None,
    }


def images_json(result: ImagesResult) -> dict[str, Any]:
    """``images ls``, ``build``, ``pull`` and ``prune``."""
    return {
        "images": [_image_json(e) for e in result.images],
        "variants": [_image_json(e) for e in result.variants],
    }


def _image_json(entry: ImageEntry) -> dict[str, Any]:
    image = entry.image
    return {
        "type": entry.type,
        "ref": entry.ref,
        "present": image is not None,
        "current": entry.current,
        "id": image.id if image else None,
        "tags": list(image.tags) if image else [],
        "size_bytes": image.size_bytes if image else None,
        "created_at": plain(image.created_at) if image else None,
        "base": image.labels.get(BASE) if image else None,
        "packages": entry.packages,
    }
