"""JSON with one thing in it changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Place = tuple[Any, ...]


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """The path of everything in a document."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from places(inner, (*path, key))


def changed(raw: Any, path: Place, value: Any) -> Any:
    """A copy with ``value`` at ``path``; the empty path is the document itself."""
    if not path:
        return value
    made = copy.deepcopy(raw)
    target = made
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return made
