"""``config set``: one setting, written into the workspace's configuration file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from debughost_cli.errors import DebughostError, InvalidConfig, InvalidWorkspace, Usage
from debughost_cli.project.beneath import UnusableFile, read_beneath
from debughost_cli.project.config_edit import merged, with_value
from debughost_cli.project.configuration import CONFIG_FILE, PYPROJECT_SECTION, read_file
from debughost_cli.project.settings import SETTINGS
from debughost_cli.project.toml import parse_toml
from debughost_cli.project.user import user_file
from debughost_cli.project.variables import BadValue
from debughost_cli.project.workspace import owner_of
from debughost_cli.whole_file import replace_file


class SettingWritten(Struct, frozen=True):
    """The file, the key in it, and its value as TOML has it."""

    file: Path
    key: str
    value: object
    changed: bool


def set_value(workspace: Path, key: str, text: str, *, dry_run: bool = False) -> SettingWritten:
    """``key``: a setting, ``env.NAME``, ``services.NAME.KEY``, ... ``text``: as TOML, or as it is.

    Written into the file in which the project's settings are, ``debughost.toml`` where there is
    none. ``dry_run``: all but the write.

    Raises Usage for an unknown key, InvalidConfig for a value or a file that cannot be used.
    """
    path = _path(key)
    _check_key(path, key)
    file, section, before = _read(workspace)
    try:
        present = _at(parse_toml(before), section)
        if len(path) > 1 and not isinstance(present.get(path[0], {}), Mapping):
            raise ValueError(f"{path[0]} is not a table")
        value = _value(path, text, present.get(path[0]))
        image = _at(present, path[:1]).get(path[1]) if len(path) == 3 else None
        if isinstance(image, str):
            # A service by its image alone, which becomes a table.
            table = {"image": image, path[2]: value}
            after = with_value(before, (*section, *path[:2]), table)
        else:
            after = with_value(before, (*section, *path), value)
    except (ValueError, RecursionError) as exc:
        raise InvalidConfig(
            f"{file} cannot be edited: {exc}",
            hint=f"Write it there by hand: {key} = {text}",
            details={"file": str(file), "key": key},
        ) from None
    if after != before and not dry_run:
        _write(workspace, file, after)
    return SettingWritten(file, key, value, changed=after != before)


def _path(key: str) -> tuple[str, ...]:
    """Names of the user's own have dashes; those of settings may be written with them."""
    first, _, rest = key.partition(".")
    table = first.replace("-", "_")
    if not rest:
        return (table,)
    if table != "services":
        return (table, rest.replace("-", "_") if table == "hooks" else rest)
    name, _, inner = rest.partition(".")
    if inner.startswith("env."):
        return (table, name, "env", inner.removeprefix("env."))
    return (table, name, inner.replace("-", "_")) if inner else (table, name)


def _at(table: Mapping[str, object], path: tuple[str, ...]) -> Mapping[str, object]:
    """The table at a path, empty where there is none."""
    for name in path:
        inner = table.get(name)
        table = inner if isinstance(inner, Mapping) else {}
    return table


def _check_key(path: tuple[str, ...], key: str) -> None:
    setting = SETTINGS.get(path[0])
    if setting is None:
        known = [name for name, found in SETTINGS.items() if not found.user_only]
        near = get_close_matches(path[0], known, 1)
        raise Usage(
            f"there is no setting {key[:80]!r}",
            hint=f"Did you mean {near[0]!r}?" if near else f"Settings: {', '.join(known)}",
            details={"key": key[:80], "nearest": near[0] if near else None},
        )
    if setting.user_only:
        raise Usage(
            f"{key} counts for all projects: no file of a workspace may set it",
            hint=f"Set it in {user_file()}",
        )
    if path == ("env",):
        raise Usage("env is a table", hint="Set one of its variables: config set env.DEBUG 1")


def _value(path: tuple[str, ...], text: str, present: object) -> object:
    """What the setting accepts: the text as TOML, else as it is. Raises InvalidConfig.

    ``present``: the setting as it is; of a service all is read together.
    """
    readings: list[object] = []
    with suppress(ValueError, RecursionError):
        readings.append(tomllib.loads(f"value = {text}")["value"])
    error: Exception | None = None
    for reading in [*readings, text]:
        given = merged(_around(present, path[1:]), path[1:], reading)
        try:
            SETTINGS[path[0]].parse(given)
        except (BadValue, DebughostError) as exc:
            error = error or exc
            continue
        return reading
    if isinstance(error, DebughostError):
        raise error
    raise InvalidConfig(
        f"{'.'.join(path)} {error}",
        hint=f"For example {path[0]} = {SETTINGS[path[0]].example}",
        details={"setting": path[0]},
    )


def _around(present: object, path: tuple[str, ...]) -> object:
    """Of a table the entry on the path alone: what is wrong with others is not in question."""
    if len(path) < 2 or not isinstance(present, Mapping):
        return {}
    entry = present.get(path[0], {})
    return {path[0]: {"image": entry} if isinstance(entry, str) else entry}


def _read(workspace: Path) -> tuple[Path, tuple[str, ...], str]:
    """The file, the path of the table with the settings in it, and its text."""
    file, _, faults = read_file(workspace)
    for fault in faults:
        raise fault.error
    own = workspace / CONFIG_FILE
    file = file or own
    section = () if file == own else PYPROJECT_SECTION
    try:
        return file, section, read_beneath(workspace, file.name).decode("utf-8-sig")
    except FileNotFoundError:
        return file, section, ""
    except (OSError, UnusableFile, ValueError) as exc:
        raise InvalidConfig(f"{file} cannot be read: {exc}", hint="Fix the file") from None


def _write(workspace: Path, file: Path, text: str) -> None:
    """Replaces the file as a whole: what is at its path may be a link."""
    try:
        mode = file.stat().st_mode & 0o777 if file.is_file() and not file.is_symlink() else 0o600
        is_root = os.name == "posix" and os.geteuid() == 0
        replace_file(file, text, mode, owner_of(workspace) if is_root else None)
    except OSError as exc:
        raise InvalidWorkspace(
            f"{file} cannot be written: {exc.strerror or exc}",
            hint="The workspace must be writable for you",
        ) from None
