"""Reads the files of a workspace: within limits, and without trust in their content."""

from __future__ import annotations

import codecs
import json
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from debughost_cli.errors import InvalidConfig

SOURCE_LIMIT = 256 * 1024
MANIFEST_LIMIT = 4 * 1024 * 1024


class Folder:
    """A workspace; every file is read at most once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._sources: dict[str, str] = {}
        self._manifests: dict[str, Mapping[str, object]] = {}
        self._present: dict[str, bool] = {}

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
        return (self.root / name).is_dir()

    def subfolders(self, name: str = ".", most: int = 20) -> list[str]:
        """The sorted names of the first ``most`` folders in a folder, without hidden ones."""
        try:
            with os.scandir(self.root / name) as entries:
                found = [e.name for e in entries if e.name[0] not in "._" and e.is_dir()]
        except OSError:
            return []
        return sorted(found)[:most]

    def source(self, name: str) -> str:
        """A file's first 256 KiB as text, in any encoding; empty where it does not exist."""
        if name not in self._sources:
            self._sources[name] = decode(self._read(name)) if self.has(name) else ""
        return self._sources[name]

    def json(self, name: str) -> Mapping[str, object]:
        """A JSON file's object, empty where the file does not exist. Raises InvalidConfig."""
        return self._manifest(name, json.loads)

    def toml(self, name: str) -> Mapping[str, object]:
        """A TOML file's table, empty where the file does not exist. Raises InvalidConfig."""
        return self._manifest(name, tomllib.loads)

    def _manifest(self, name: str, parse: Callable[[str], object]) -> Mapping[str, object]:
        if name not in self._manifests:
            self._manifests[name] = self._parse(name, parse) if self.has(name) else {}
        return self._manifests[name]

    def _parse(self, name: str, parse: Callable[[str], object]) -> Mapping[str, object]:
        try:
            value = parse(read_text(self.root / name))
        except OSError as exc:
            raise invalid(name, f"cannot be read: {exc.strerror}") from exc
        except UnicodeDecodeError as exc:
            raise invalid(name, f"is not UTF-8 (byte {exc.start})") from exc
        except (ValueError, RecursionError) as exc:
            raise invalid(name, f"cannot be parsed: {exc}") from exc
        if not isinstance(value, dict):
            raise invalid(name, "must contain an object")
        return value

    def _read(self, name: str) -> bytes:
        try:
            return _read_start(self.root / name, SOURCE_LIMIT)
        except OSError as exc:
            raise invalid(name, f"cannot be read: {exc.strerror}") from exc


def read_text(path: Path) -> str:
    """A whole file that is expected to be UTF-8. Raises OSError, and ValueError for other content.

    Works for pipes as well, which have no size.
    """
    data = _read_start(path, MANIFEST_LIMIT + 1)
    if len(data) > MANIFEST_LIMIT:
        raise ValueError(f"it is larger than {MANIFEST_LIMIT // 1024**2} MiB")
    return data.decode("utf-8-sig")


def _read_start(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit)


def is_file_inside(root: Path, name: str) -> bool:
    """Whether ``name`` is a file that also exists where ``root`` alone is mounted, elsewhere.

    Absolute links, and links that lead out of the workspace, are broken in a container.
    """
    path = root / name
    try:
        if not name or not path.is_file() or (path.is_symlink() and path.readlink().is_absolute()):
            return False
        return path.resolve().is_relative_to(root.resolve())
    except OSError:
        return False


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
