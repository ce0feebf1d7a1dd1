"""A cursor: bookmarks of several projects as text, from which the next reading continues."""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from msgspec import Struct

from debughost_cli.planning.log_positions import Position, Positions

_VERSION = 1


class Bookmark(Struct, frozen=True):
    """A place in a container's output. ``container``: the first characters of its id."""

    container: str
    positions: Positions


class BadCursor(ValueError):
    """Text that is not a cursor of this program."""


def encode(bookmarks: Mapping[str, Bookmark]) -> str:
    """Project to bookmark, as text that needs no quotes in a URL and a shell."""
    places = {
        project: [b.container, {s: [p.ns, p.seen, int(p.open)] for s, p in b.positions.items()}]
        for project, b in bookmarks.items()
    }
    raw = json.dumps([_VERSION, places], separators=(",", ":")).encode()
    return urlsafe_b64encode(zlib.crc32(raw).to_bytes(4) + raw).decode().rstrip("=")


def decode(text: str) -> dict[str, Bookmark]:
    """The bookmarks that ``encode`` was given. Raises BadCursor."""
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        if zlib.crc32(data[4:]).to_bytes(4) != data[:4]:
            raise BadCursor("it is not complete")
        version, places = json.loads(data[4:])
        if version != _VERSION:
            raise BadCursor(f"it is of another version ({version})")
        return {project: _bookmark(*place) for project, place in places.items()}
    except BadCursor:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError) as exc:
        raise BadCursor(str(exc)) from None


def _bookmark(container: str, places: Mapping[str, tuple[int, int, int]]) -> Bookmark:
    positions = {s: Position(ns, seen, bool(rest)) for s, (ns, seen, rest) in places.items()}
    return Bookmark(container, positions)
