"""Values of an engine's JSON, whatever it sends: a wrong type is an absent value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

Json = Mapping[str, Any]
T = TypeVar("T")

_LARGEST = 2**63
_LONGEST_LABEL = 1024**2
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?")


def parsed(data: str | bytes) -> Any:
    """A document. Raises ValueError, also where it is nested too deep for Python's parser."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def time(text: Any) -> datetime | None:
    """An engine's time stamp; None for Go's zero time and for what is none."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _moment(lambda: datetime.fromtimestamp(text, UTC)) if text > 0 else None
    found = _TIME.match(text) if isinstance(text, str) else None
    if not found or text.startswith("0001-"):
        return None
    whole, fraction, zone = found.groups()
    written = f"{whole}{(fraction or '.0')[:7]}{'+00:00' if zone in (None, 'Z') else zone}"
    return _moment(lambda: datetime.fromisoformat(written).astimezone(UTC))


def _moment(make: Callable[[], datetime]) -> datetime | None:
    try:
        return make()
    except (ValueError, OverflowError, OSError):
        return None


def as_map(value: Any) -> Json:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """The value where it is an array, else an empty one."""
    return list(value) if isinstance(value, list | tuple) else []


def each(one: Callable[[Json], T], raw: Any) -> list[T]:
    """Every entry of a list's answer. Raises TypeError, ValueError."""
    if not isinstance(raw, list):
        raise TypeError(f"a list was expected, not {str(raw)[:60]}")
    return [one(entry) for entry in raw]


def identity(raw: Any, key: str = "Id") -> str:
    """What names a thing on the engine. Raises ValueError where there is none."""
    found = as_str(as_map(raw).get(key))
    if not found:
        raise ValueError(f"it has no {key}: {str(raw)[:60]}")
    return found


def as_int(value: Any) -> int:
    """The value where it is a number that an engine's 64 bits hold, else 0."""
    return int(value) if isinstance(value, int | float) and -_LARGEST <= value <= _LARGEST else 0


def as_str(value: Any) -> str:
    """The value where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_labels(value: Any) -> dict[str, str]:
    """Labels, whatever their values are, without those that cannot be ours: anybody who uses the
    engine chooses the labels of their own containers.
    """
    return {k: as_str(v) for k, v in as_map(value).items() if _can_be_ours(as_str(v))}


def _can_be_ours(label: str) -> bool:
    """No path and no JSON of ours has a NUL character, which the system would not accept."""
    return len(label) <= _LONGEST_LABEL and "\0" not in label


def environment(pairs: Any) -> dict[str, str]:
    """``["K=V", …]`` as a mapping, in its order."""
    split = (p.partition("=") for p in as_list(pairs) if isinstance(p, str))
    return {name: value for name, _, value in split}
