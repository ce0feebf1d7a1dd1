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
    """A document with ``value`` at ``path``; the empty path is the document itself.

    What is not on the path is shared with ``raw``, which stays as it is.
    """
    if not path:
        return value
    made = copy.copy(raw)
    made[path[0]] = changed(raw[path[0]], path[1:], value)
    return made


def without(raw: Any, path: Place) -> Any:
    """A document that lacks what is at ``path``."""
    *parents, key = path
    target = raw
    for step in parents:
        target = target[step]
    rest = copy.copy(target)
    del rest[key]
    return changed(raw, tuple(parents), rest)
