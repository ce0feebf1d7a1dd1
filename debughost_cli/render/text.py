"""Numbers and times as people read them."""

from __future__ import annotations

from debughost_cli.models import Project, State

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: int | None) -> str:
    """``84410368`` as ``80.5 MiB``; a dash where it is not known."""
    if count is None:
        return "-"
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return (
        f"{value:.0f} {_UNITS[unit]}"
        if unit == 0 or value >= 100
        else f"{value:.1f} {_UNITS[unit]}"
    )


def duration(seconds: float | None) -> str:
    """``4384`` as ``1h 13m``: the two largest units."""
    if seconds is None:
        return "-"
    left = int(seconds)
    parts: list[str] = []
    for name, span in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, span)
        if count or parts or name == "s":
            parts.append(f"{count}{name}")
    return " ".join(parts[:2])


def state_word(project: Project) -> str:
    """The state, and for what runs whether it is ready: never told by colour alone."""
    if project.state is None:
        return "gone"
    if project.state is not State.RUNNING:
        return project.state.value
    if project.health == "unhealthy":
        return "unhealthy"
    return "running" if project.ready else "starting"
