"""Reads the files of a workspace: within limits, and without trust in their content."""

from __future__ import annotations

import codecs
import itertools
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from debughost_cli.errors import InvalidConfig
from debughost_cli.project.beneath import (
    FILE_LIMIT,
    UnusableFile,
    chunks,
    hash_beneath,
    open_beneath,
    open_folder_beneath,
    read_regular,
)
from debughost_cli.project.toml import json_number, parse_toml

SOURCE_LIMIT = 256 * 1024
SOURCES_LIMIT = 4 * 1024**2
"""How much source text of a workspace is searched in all, in bytes."""
LOCK_LIMIT = 64 * 1024**2
"""Lock files are hashed and not parsed; those of large projects have several MiB."""
_ENTRIES = 10_000
"""How many entries of a folder are looked at."""


class Folder:
    """A workspace; every file is read at most once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._sources: dict[tuple[str, bool], str] = {}
        self._manifests: dict[str, Mapping[str, object]] = {}
        self._present: dict[str, bool] = {}
        self._left = SOURCES_LIMIT

    def has(self, name: str) -> bool:
        """Whether a regular file of that name exists, in a container as well."""
        if name not in self._present:
            self._present[name] = is_file_inside(self.root, name)
        return self._present[name]

    def first(self, *names: str) -> str | None:
        """The first of the files that exists."""
        return next((name for name in names if self.has(name)), None)

    def present(self, *names: str) -> tuple[str, ...]:
        """Those of the files that exist."""
        return tuple(name for name in names if self.has(name))

    def has_folder(self, name: str) -> bool:
        descriptor = _folder(self.root, name)
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is not None

    def inner(self, name: str) -> Folder:
        """A folder in this one, read as a workspace of its own."""
        return Folder(self.root / name)

    def subfolders(self, name: str = ".", most: int = 20) -> list[str]:
        """The sorted names of the first ``most`` folders in a folder, without hidden ones."""
        return self._entries(name, lambda e: e.name[0] not in "._" and e.is_dir())[:most]

    def files(self, suffix: str, name: str = ".", most: int = 20) -> list[str]:
        """The sorted names of the first ``most`` files in a folder, without hidden ones."""
        return self._entries(
            name, lambda e: e.name[0] != "." and e.name.endswith(suffix) and e.is_file()
        )[:most]

    def _entries(self, name: str, wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
        descriptor = _folder(self.root, name)
        if descriptor is None:
            return []
        try:
            with os.scandir(descriptor) as entries:
                return sorted(e.name for e in itertools.islice(entries, _ENTRIES) if wanted(e))
        except OSError:
            return []
        finally:
            os.close(descriptor)

    def source(self, name: str) -> str:
        """A file's first 256 KiB as text, in any encoding; empty where it does not exist.

        After 4 MiB of a workspace nothing more is read: what is there decides.
        """
        return self._text(name, whole=False)

    def whole(self, name: str) -> str:
        """A whole file as text, in any encoding; empty where it does not exist.

        Raises InvalidConfig where it is larger than 1 MiB, or 4 MiB together with others.
        """
        text = self._text(name, whole=True)
        if sum(len(t) for (_, whole), t in self._sources.items() if whole) > SOURCES_LIMIT:
            raise invalid(name, "cannot be read: with the files before it, it is larger than 4 MiB")
        return text

    def _text(self, name: str, *, whole: bool) -> str:
        key = name, whole
        if key not in self._sources:
            self._sources[key] = decode(self._read(name, whole)) if self.has(name) else ""
        return self._sources[key]

    def json(self, name: str) -> Mapping[str, object]:
        """A JSON file's object, empty where the file does not exist. Raises InvalidConfig."""
        return self._manifest(name, partial(json.loads, parse_int=json_number))

    def toml(self, name: str) -> Mapping[str, object]:
        """A TOML file's table, empty where the file does not exist. Raises InvalidConfig."""
        return self._manifest(name, parse_toml)

    def _manifest(self, name: str, parse: Callable[[str], object]) -> Mapping[str, object]:
        if name not in self._manifests:
            self._manifests[name] = self._parse(name, parse) if self.has(name) else {}
        return self._manifests[name]

    def _parse(self, name: str, parse: Callable[[str], object]) -> Mapping[str, object]:
        data = self._read(name, whole=True)
        try:
            value = parse(data.decode("utf-8-sig"))
        except UnicodeDecodeError as exc:
            raise invalid(name, f"is not UTF-8 (byte {exc.start})") from exc
        except (ValueError, RecursionError) as exc:
            raise invalid(name, f"cannot be parsed: {exc}") from exc
        if not isinstance(value, dict):
            raise invalid(name, "must contain an object")
        return value

    def _read(self, name: str, whole: bool) -> bytes:
        try:
            descriptor = open_beneath(self.root, name, absolute_links=False)
            if whole:
                return read_regular(descriptor, FILE_LIMIT)
            with os.fdopen(descriptor, "rb", buffering=0) as file:
                data = b"".join(chunks(file, min(SOURCE_LIMIT, self._left)))
                self._left -= len(data)
                return data
        except (OSError, UnusableFile) as exc:
            raise unreadable(name, exc) from exc


def unreadable(name: str, exc: OSError | UnusableFile) -> InvalidConfig:
    """The error for a file of a workspace that exists and could not be read."""
    why = exc.strerror if isinstance(exc, OSError) else exc
    return invalid(name, f"cannot be read: {why}")


def _folder(root: Path, name: str) -> int | None:
    """A descriptor of a folder in the workspace, None where there is none."""
    try:
        return open_folder_beneath(root, name)
    except (OSError, UnusableFile):
        return None


def is_file_inside(root: Path, name: str) -> bool:
    """Whether ``name`` is a file that also exists where ``root`` alone is mounted, elsewhere.

    Absolute links, and links that lead out of the workspace, are broken in a container.
    """
    try:
        os.close(open_beneath(root, name, absolute_links=False))
    except PermissionError:
        return _is_unreadable_file(root / name, root)
    except (OSError, UnusableFile):
        return False
    return True


def _is_unreadable_file(path: Path, root: Path) -> bool:
    try:
        return path.is_file() and path.resolve().is_relative_to(root.resolve())
    except OSError:
        return False


def checksum_inside(root: Path, name: str) -> str:
    """A file's SHA-256 in hex, empty where ``is_file_inside`` is false or it cannot be read.

    Raises InvalidConfig for one that is larger than 64 MiB.
    """
    try:
        return hash_beneath(root, name, LOCK_LIMIT)
    except UnusableFile as exc:
        if is_file_inside(root, name):
            raise unreadable(name, exc) from None
    except OSError:
        pass
    return ""


def decode(data: bytes) -> str:
    """Text from bytes in any encoding; PowerShell writes UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def invalid(file: str, problem: str, place: str = "") -> InvalidConfig:
    """The error for a manifest that cannot be used, with the file and the place in it."""
    where = f"{file}: {place}" if place else file
    details = {"file": file, "place": place} if place else {"file": file}
    hint = f"Fix {file}, or use --type and a command, which do not need it"
    return InvalidConfig(f"{where} {problem}", hint=hint, details=details)


def table_in(data: Mapping[str, object], file: str, *path: str) -> Mapping[str, object]:
    """The table at a path, empty where there is none. Raises InvalidConfig."""
    table = data
    for depth, key in enumerate(path, 1):
        value = table.get(key)
        if value is None or value == []:  # PHP's tools write an empty object like this
            return {}
        if not isinstance(value, dict):
            raise invalid(file, "must be an object", ".".join(path[:depth]))
        table = value
    return table


def text_in(data: Mapping[str, object], file: str, key: str, place: str = "") -> str:
    """The string under a key, empty where there is none. Raises InvalidConfig."""
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(file, "must be a string", place or key)
    return value


def strings_in(data: Mapping[str, object], file: str, key: str, place: str = "") -> list[str]:
    """The list of strings under a key, empty where there is none. Raises InvalidConfig."""
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(file, "must be a list of strings", place or key)
    return value
