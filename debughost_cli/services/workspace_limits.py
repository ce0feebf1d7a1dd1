"""What a file of a workspace may ask of the engine's machine."""

from __future__ import annotations

from collections.abc import Iterator

from debughost_cli.engine.port import Engine
from debughost_cli.errors import InvalidConfig
from debughost_cli.project.settings import Settings, Source
from debughost_cli.services.progress import Progress
from debughost_cli.specs import Limits

_MIB = 1024**2
_SHM_BYTES = 64 * _MIB
"""What an engine gives where nothing is set."""


def check_workspace_limits(engine: Engine, settings: Settings) -> None:
    """Raises InvalidConfig where a workspace's file asks for more memory than there is.

    What the user asks for in a flag or a variable is the user's own business.
    """
    for name, requested in _requested(settings):
        available = engine.memory_bytes()
        if available and requested > available:
            option = f" with --{name.replace('_', '-')}" if "." not in name else ""
            raise InvalidConfig(
                f"{name} in {settings.file} is {_size(requested)} ({requested} bytes), "
                f"but the engine has {_size(available)} ({available} bytes)",
                hint=f"Lower {name} in the file, or give another one{option}",
                details={"setting": name, "requested": requested, "available": available},
            )


def _requested(settings: Settings) -> Iterator[tuple[str, int]]:
    """The sizes that the file sets, in bytes."""
    for name in ("memory", "shm_size"):
        value: object = getattr(settings, name)
        if settings.source(name) is Source.FILE and isinstance(value, int):
            yield name, value
    if settings.source("services") is Source.FILE:
        for service in settings.services:
            limits = service.limits
            if limits.memory_bytes > Limits().memory_bytes:
                yield f"services.{service.name}.memory", limits.memory_bytes
            if limits.shm_bytes:
                yield f"services.{service.name}.shm_size", limits.shm_bytes


def warn_of_raised_limits(settings: Settings, progress: Progress) -> None:
    """Names what a workspace's file raises above the defaults."""
    raised = list(_raised(settings))
    if raised:
        progress.warn("LIMITS_RAISED", f"{settings.file} raises limits: {', '.join(raised)}")


def _raised(settings: Settings) -> Iterator[str]:
    of_file = {
        name: value
        for name, value in _limits(settings.limits).items()
        if settings.source(name) is Source.FILE
    }
    if settings.source("services") is Source.FILE:
        for service in settings.services:
            limits = _limits(service.limits)
            of_file |= {f"services.{service.name}.{name}": v for name, v in limits.items()}
    usual = _limits(Limits())
    for name, value in of_file.items():
        kind = name.rpartition(".")[2]
        if value > usual[kind]:
            shown = _size if kind in ("memory", "shm_size") else str
            yield f"{name} is {shown(value)} instead of {shown(usual[kind])}"


def _limits(limits: Limits) -> dict[str, float]:
    """By the names of their settings."""
    return {
        "cpus": limits.cpus,
        "memory": limits.memory_bytes,
        "pids": limits.pids,
        "shm_size": limits.shm_bytes or _SHM_BYTES,
    }


def _size(value: float) -> str:
    unit, divisor = ("GiB", 1024 * _MIB) if value >= 1024 * _MIB else ("MiB", _MIB)
    return f"{value / divisor:.2f}".rstrip("0").rstrip(".") + f" {unit}"
