"""What of a workspace was uploaded last; it is kept on the engine beside the files.

``status``, ``sync`` and ``pull`` compare with it: what differs from it here was changed here, and
what differs from it there was changed by the program.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

from msgspec import Struct, ValidationError, convert, to_builtins

from debughost_cli.project.tree import RESERVED, Entry, EntryKind

_LARGEST = 32 * 1024**2
"""Bytes of a manifest once it is decompressed; the program could have written another one."""
_BAD = frozenset(("", ".", ".."))


class Changes(Struct, frozen=True):
    """The paths to send, folders before what is in them, and those to delete, the other way."""

    sent: tuple[str, ...]
    deleted: tuple[str, ...]

    @property
    def paths(self) -> frozenset[str]:
        return frozenset((*self.sent, *self.deleted))

    def __bool__(self) -> bool:
        return bool(self.sent or self.deleted)


class Manifest(Struct, frozen=True):
    """The entries that were uploaded, by path as in ``Tree``, and the id of that upload.

    ``user``: to whom they belong there, as ``UID:GID``; empty for root and whoever uses them.
    """

    upload: str
    entries: Mapping[str, Entry]
    user: str = ""

    def changes_to(self, entries: Mapping[str, Entry]) -> Changes:
        """What has to be done there to get from this manifest to ``entries``."""
        return find_changes(self.entries, entries)


def find_changes(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Changes:
    """What leads from the one to the other, whether it is sent or deleted first.

    Of a folder that is deleted all the paths in it are named as well, but not where something else
    takes its place: that replaces it, and a link could lead to other files of those names.
    """
    sent = tuple(path for path, entry in after.items() if before.get(path) != entry)
    # What is deeper comes first, so that folders are empty by their turn.
    gone = sorted((path for path in before if path not in after), reverse=True)
    return Changes(sent, tuple(path for path in gone if not _is_replaced(path, after)))


def _is_replaced(path: str, after: Mapping[str, Entry]) -> bool:
    folders = (path[:at] for at, character in enumerate(path) if character == "/")
    found = (after.get(folder) for folder in folders)
    return any(entry and entry.kind is not EntryKind.FOLDER for entry in found)


def encode_manifest(manifest: Manifest) -> bytes:
    """Compressed JSON, of some 20 bytes for an entry."""
    text = json.dumps(to_builtins(manifest), separators=(",", ":"))
    return zlib.compress(text.encode("ascii"), 6)


def decode_manifest(data: bytes) -> Manifest:
    """What ``encode_manifest`` made. Raises ValueError for anything else."""
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(data, _LARGEST)
        if not reader.eof:
            raise ValueError("the manifest is not complete")
        manifest = convert(json.loads(text), Manifest)
    except (zlib.error, ValidationError, RecursionError) as exc:
        raise ValueError("this is no manifest") from exc
    if not all(map(_is_inside, manifest.entries)):
        raise ValueError("a path in the manifest leads out of the workspace")
    return manifest


def _is_inside(path: str) -> bool:
    parts = path.split("/")
    return parts[0] != RESERVED and "\0" not in path and not _BAD.intersection(parts)
