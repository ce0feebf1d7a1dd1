"""What a file of a workspace may ask of the engine's machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
    for name in ("memory", "shm_size"):
        requested: object = getattr(settings, name)
        if settings.source(name) is not Source.FILE or not isinstance(requested, int):
            continue
        available = engine.memory_bytes()
        if available and requested > available:
            raise InvalidConfig(
                f"{name} in {settings.file} is {_size(requested)} ({requested} bytes), "
                f"but the engine has {_size(available)} ({available} bytes)",
                hint=f"Lower {name} in the file, or give another one with "
                f"--{name.replace('_', '-')}",
                details={"setting": name, "requested": requested, "available": available},
            )


def warn_of_raised_limits(settings: Settings, progress: Progress) -> None:
    """Names what a workspace's file raises above the defaults."""
    raised = list(_raised(settings))
    if raised:
        progress.warn("LIMITS_RAISED", f"{settings.file} raises limits: {', '.join(raised)}")


def _raised(settings: Settings) -> Iterator[str]:
    default = Limits()
    values: dict[str, tuple[float, float, Callable[[float], str]]] = {
        "cpus": (settings.cpus, default.cpus, str),
        "memory": (settings.memory, default.memory_bytes, _size),
        "pids": (settings.pids, default.pids, str),
        "shm_size": (settings.shm_size or 0, _SHM_BYTES, _size),
    }
    for name, (value, usual, shown) in values.items():
        if settings.source(name) is Source.FILE and value > usual:
            yield f"{name} is {shown(value)} instead of {shown(usual)}"


def _size(value: float) -> str:
    unit, divisor = ("GiB", 1024 * _MIB) if value >= 1024 * _MIB else ("MiB", _MIB)
    return f"{value / divisor:.2f}".rstrip("0").rstrip(".") + f" {unit}"
