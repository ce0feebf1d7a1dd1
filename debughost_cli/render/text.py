"""Numbers and times as people read them."""

from __future__ import annotations

from collections.abc import Container, Sequence

from debughost_cli.models import Project, State

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: int | None) -> str:
    """``84410368`` as ``80 MiB``, two digits at least; a dash where it is not known."""
    if count is None:
        return "-"
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    digits = 0 if unit == 0 or value >= 10 or value == int(value) else 1
    return f"{value:.{digits}f} {_UNITS[unit]}"


def counted(number: int, noun: str) -> str:
    """``1 project``, ``2 projects``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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


def took(seconds: float) -> str:
    """``12.34`` as ``12.3s``, more than a minute as ``duration`` has it."""
    return f"{seconds:.1f}s" if seconds < 60 else duration(seconds)


def state_word(project: Project) -> str:
    """The state, and for what runs whether it is ready: never shown by colour alone."""
    if project.state is None:
        return "gone"
    if project.state is not State.RUNNING:
        return project.state.value
    if project.health == "unhealthy":
        return "unhealthy"
    return "running" if project.ready else "starting"


def bar(share: float, width: int = 6) -> str:
    """A share of 0 to 1 as a bar of eighths of a character."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + ("" if rest == 0 else "▏▎▍▌▋▊▉"[rest - 1])).ljust(width)


def sparkline(values: Sequence[float], top: float) -> str:
    """The values as a line of little columns, ``top`` being the highest."""
    steps = "▁▂▃▄▅▆▇█"
    most = len(steps) - 1
    return "".join(steps[round(most * max(0.0, min(1.0, v / top)))] for v in values) if top else ""


def columns(rows: Sequence[Sequence[str]], right: Container[int]) -> str:
    """Rows of ASCII in columns as wide as their widest cell; those in ``right`` end together."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if index in right else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)
