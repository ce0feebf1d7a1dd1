"""Which engine was proven to see which workspace, kept between commands for a day.

A proof needs a container; without this, every new project of a user who may not look into the
engine's process would pay for it at each ``up`` that creates a container.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from debughost_cli.private_folder import private_folder
from debughost_cli.whole_file import replace_file

_MAX_AGE = 24 * 3600
"""Seconds."""
_MOST = 500


def is_seen(engine: str, workspace: Path) -> bool:
    """Whether the engine of that ID was proven to see the folder."""
    read_at = _load().get(_key(engine, workspace), 0)
    return 0 <= time.time() - read_at < _MAX_AGE


def keep_seen(engine: str, workspace: Path) -> None:
    """For the next command. Does nothing where it cannot be written."""
    path, key = _path(), _key(engine, workspace)
    if path is None:
        return
    others = [(k, kept) for k, kept in _load().items() if k != key]
    with suppress(OSError):
        # Others read it meanwhile; it is only for this user.
        replace_file(path, json.dumps(dict(others[1 - _MOST :]) | {key: time.time()}))


def _key(engine: str, workspace: Path) -> str:
    """With the folder's inode: another one may take its place."""
    found = workspace.stat()
    return f"{engine} {found.st_dev}:{found.st_ino} {workspace}"


def _load() -> dict[str, float]:
    path = _path()
    try:
        found = json.loads(path.read_text("utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    times = found.items() if isinstance(found, dict) else ()
    return {key: at for key, at in times if isinstance(key, str) and isinstance(at, float)}


def _path() -> Path | None:
    folder = private_folder("engines")
    return folder / "workspaces.json" if folder else None
