"""What the file of another program says, as settings, and what of it has no place there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from debughost_cli.errors import DebughostError
from debughost_cli.project.settings import SETTINGS
from debughost_cli.project.variables import BadValue


class Translation(Struct, frozen=True):
    """``settings``: of the program, without services. ``notes``: what was not translated, and why.

    ``services``: each with its table of settings, in the order of the file.
    """

    settings: Mapping[str, object] = field(default_factory=dict)
    services: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def is_accepted(key: str, value: object, note: Callable[[str, str], None]) -> bool:
    """Whether a setting can have the value; why not is noted under its name."""
    try:
        SETTINGS[key].parse(value)
    except (BadValue, DebughostError) as exc:
        note(key, f"is left out: {exc}")
        return False
    return True
