"""The engine that the configuration of a folder names, read before anything else of it.

Every command asks for it, also those that need nothing of the workspace: a file is parsed only
where the word stands in it.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

_FILES = ("debughost.toml", "pyproject.toml")


class FolderEngine(Struct, frozen=True):
    """A name, and the file that has it."""

    name: str
    file: Path


def engine_of(folder: Path) -> FolderEngine | None:
    """That of the folder, or of its nearest parent that has a configuration; None for none.

    A folder that is a project of its own has no parent's. A file that cannot be read names none:
    whoever needs the settings reports it.
    """
    for place in (folder, *folder.parents):
        if any(_mentions(place / name, name) for name in _FILES):
            return _named(place) if place is folder or _is_of(folder, place) else None
        if _is_file(place / _FILES[0]):
            return None
    return None


def _is_file(path: Path) -> bool:
    """False also for a path that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def _mentions(path: Path, name: str) -> bool:
    from debughost_cli.project.beneath import read_path

    if not _is_file(path):
        return False
    try:
        data = read_path(path)
    except (OSError, ValueError):
        return False
    return b"engine" in data and (name == _FILES[0] or b"tool.debughost" in data)


def _is_of(folder: Path, parent: Path) -> bool:
    """Whether it is a part of the parent's project. A folder of the system or of a user is none."""
    from debughost_cli.errors import DebughostError
    from debughost_cli.project.detect import detect
    from debughost_cli.project.unsafe_mounts import unsafe_mount_reason

    if unsafe_mount_reason(parent):
        return False
    try:
        return not detect(folder)
    except DebughostError:
        return True


def _named(folder: Path) -> FolderEngine | None:
    from debughost_cli.project.configuration import read_file
    from debughost_cli.project.engines import parse_engine_name
    from debughost_cli.project.variables import BadValue

    file, table, faults = read_file(folder)
    try:
        value = None if faults else table.get("engine")
        return FolderEngine(parse_engine_name(value), file) if value and file else None
    except BadValue:
        return None
