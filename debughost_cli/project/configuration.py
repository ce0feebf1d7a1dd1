"""Reads the settings of a workspace from its file, from variables and from flags."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from msgspec import Struct

from debughost_cli.errors import DebughostError, InvalidConfig, Usage
from debughost_cli.project.beneath import (
    LeadsOut,
    NotRegular,
    UnusableFile,
    read_beneath,
    read_path,
)
from debughost_cli.project.reader import is_file_inside
from debughost_cli.project.settings import SETTINGS, Flags, Settings, Source
from debughost_cli.project.toml import parse_toml
from debughost_cli.project.user import UserConfiguration, load_user_configuration, user_file
from debughost_cli.project.variables import BadValue, read_variables

CONFIG_FILE = "debughost.toml"
PYPROJECT_SECTION = ("tool", "debughost")
GROUP_KEY = "workspace"
"""The table with the members of a group, which is none of the settings: see ``group.py``."""
MOST_FAULTS = 50
"""How many faults of a configuration are reported."""
_PYPROJECT = "pyproject.toml"
_SECRET = ("env", "services")
"""Settings with values of variables."""


class Fault(Struct, frozen=True):
    """A setting that cannot be used. ``value`` is None where it may be a secret.

    ``file`` is None for a variable or a flag; ``error`` is what other commands raise for it.
    """

    file: Path | None
    key: str | None
    value: str | None
    allowed: str
    error: DebughostError
    nearest: str | None = None
    line: int | None = None


def load_settings(workspace: Path, flags: Flags, environ: Mapping[str, str]) -> Settings:
    """All settings for a workspace. Raises the error of the first fault."""
    settings, faults = read_settings(workspace, flags, environ)
    for fault in faults:
        raise fault.error
    return settings


def read_settings(
    workspace: Path, flags: Flags, environ: Mapping[str, str]
) -> tuple[Settings, list[Fault]]:
    """All settings that can be used, and what is wrong with the others."""
    values: dict[str, object] = {}
    ports: dict[str, object] = {}
    sources = {n: Source.DEFAULT for n in SETTINGS if getattr(Settings(), n) is not None}
    file, table, faults = read_file(workspace)
    user, in_user_file = _user(faults)
    for given in (
        *_in_file(table, file), *in_user_file, *_in_environment(environ), *_in_flags(flags),
    ):  # fmt: skip
        if len(faults) == MOST_FAULTS:
            break
        if given.name not in SETTINGS:
            faults.append(_unknown(given))
            continue
        if SETTINGS[given.name].user_only and given.source is Source.FILE:
            faults.append(_not_the_workspaces(given))
            continue
        try:
            parsed = SETTINGS[given.name].parse(given.value)
            if given.name == "ports" and isinstance(parsed, Mapping):
                # By name: what is given adds to what weaker sources gave.
                sources |= {f"ports.{name}": given.source for name in parsed}
                parsed = {**ports, **parsed}
                ports = parsed
            values[given.name] = parsed
            sources[given.name] = given.source
        except (BadValue, DebughostError) as exc:
            faults.append(_refused(given, exc))
    # Parsers return what the fields hold; where that is declared, mypy verifies it.
    make: Callable[..., Settings] = Settings
    made = make(file=file, project_limits=user.limits, sources=sources, **values)
    return made, faults


class _Given(Struct, frozen=True):
    """A value that somebody gave. ``key``: as it is written there, ``place``: for messages."""

    name: str
    value: object
    source: Source
    key: str
    place: str
    file: Path | None = None


def _user(faults: list[Fault]) -> tuple[UserConfiguration, tuple[_Given, ...]]:
    """The user's file and the settings in it; what is wrong with it joins ``faults``."""
    try:
        user = load_user_configuration()
    except InvalidConfig as exc:
        faults.append(Fault(user_file(), None, None, "the user's own settings", exc))
        return UserConfiguration(), ()
    if user.shared_cache is None:
        return user, ()
    place = f"shared_cache in {user.file}"
    given = _Given("shared_cache", user.shared_cache, Source.USER, "shared_cache", place, user.file)
    return user, (given,)


def _in_file(table: Mapping[str, object], file: Path | None) -> Iterator[_Given]:
    for key, value in table.items():
        if key != GROUP_KEY:
            yield _Given(key.replace("-", "_"), value, Source.FILE, key, f"{key} in {file}", file)


def _in_environment(environ: Mapping[str, str]) -> Iterator[_Given]:
    for name in SETTINGS:
        variable = f"DEBUGHOST_{name.upper()}"
        if name != "env" and environ.get(variable):
            yield _Given(name, environ[variable], Source.ENVIRONMENT, variable, variable)


def _in_flags(flags: Flags) -> Iterator[_Given]:
    for name in SETTINGS:
        value: object = getattr(flags, name, None)
        if value is not None:
            option = SETTINGS[name].option or f"--{name.replace('_', '-')}"
            yield _Given(name, value, Source.FLAG, option, option)


def _not_the_workspaces(given: _Given) -> Fault:
    """A setting by which one workspace could harm the others."""
    variable = f"DEBUGHOST_{given.name.upper()}"
    allowed = f"nothing here: {user_file()}, {variable} or a flag"
    error = InvalidConfig(
        f"{given.key} in {given.file} is refused: only you can set it, not a file of a workspace",
        hint=f"Set it in {user_file()}, with {variable}, or with --{given.name.replace('_', '-')}",
        details={"file": str(given.file), "key": given.key, "setting": given.name},
    )
    return Fault(given.file, given.key, _shown(given.value), allowed, error)


def _unknown(given: _Given) -> Fault:
    names = [name for name, setting in SETTINGS.items() if not setting.user_only]
    close = get_close_matches(given.name[:80], names, 1)
    key = given.key if len(given.key) <= 80 else f"{given.key[:77]}..."
    known = ", ".join(names)
    error = InvalidConfig(
        f"{given.file} has an unknown setting {key!r}",
        hint=f"Did you mean {close[0]!r}?" if close else f"Known settings: {known}",
        details={"file": str(given.file), "key": key},
    )
    return Fault(given.file, key, None, known, error, nearest=close[0] if close else None)


def _refused(given: _Given, exc: BadValue | DebughostError) -> Fault:
    if isinstance(exc, BadValue):
        kind = Usage if given.source is Source.FLAG else InvalidConfig
        error: DebughostError = kind(
            f"{given.place} {exc}",
            hint="'debughost config show' prints every setting and where it came from",
            details={"setting": given.name},
        )
    else:
        error = exc
    allowed = exc.allowed if isinstance(exc, BadValue) else SETTINGS[given.name].allowed
    value = None if given.name in _SECRET else _shown(given.value)
    return Fault(given.file, given.key, value, allowed, error)


def _shown(value: object) -> str:
    try:
        shown = value if isinstance(value, str) else json.dumps(value, default=str)
    except ValueError:
        shown = "a very large number"
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def read_file(workspace: Path) -> tuple[Path | None, Mapping[str, object], list[Fault]]:
    """The configuration file, its table, and what is wrong with the file as a whole."""
    for name, section in ((CONFIG_FILE, ()), (_PYPROJECT, PYPROJECT_SECTION)):
        path = workspace / name
        try:
            data = _content(workspace, name)
            table = None if data is None else _section(_toml(path, data), section, path)
        except _Unreadable as exc:
            return path, {}, [exc.fault]
        if table is not None:
            return path, table, []
    return None, {}, []


def _content(workspace: Path, name: str) -> bytes | None:
    """A file's content, None where it does not exist. Raises _Unreadable.

    A ``pyproject.toml`` that is nothing but a link to one outside does not exist for the project's
    type either.
    """
    if name == _PYPROJECT and not is_file_inside(workspace, name):
        return None
    try:
        return read_beneath(workspace, name)
    except (FileNotFoundError, NotADirectoryError, NotRegular):
        return None
    except (OSError, UnusableFile) as exc:
        raise _Unreadable(
            workspace / name, f"cannot be read: {exc}", "a file of at most 1 MiB in the workspace"
        ) from None


class _Unreadable(Exception):
    def __init__(self, path: Path, problem: str, allowed: str, line: int | None = None) -> None:
        error = InvalidConfig(
            f"{path} {problem}",
            hint="Fix the file; 'debughost config validate' checks it",
            details={"file": str(path)},
        )
        self.fault = Fault(path, None, None, allowed, error, line=line)


def _toml(path: Path, data: bytes) -> Mapping[str, object]:
    text = ""
    try:
        text = data.decode("utf-8-sig")
        return parse_toml(text)
    except (ValueError, RecursionError) as exc:
        line = _line_of(exc, text)
        raise _Unreadable(path, f"cannot be read: {exc}", "valid TOML in UTF-8", line) from None


def _line_of(exc: Exception, text: str) -> int | None:
    """Python 3.13 and older have the line in the message alone."""
    if not isinstance(exc, tomllib.TOMLDecodeError):
        return None
    at = re.search(r"at line (\d+)", str(exc))
    return int(at[1]) if at else text.count("\n") + 1


def _section(
    table: Mapping[str, object], keys: tuple[str, ...], path: Path
) -> Mapping[str, object] | None:
    current: object = table
    for key in keys:
        if not isinstance(current, dict) or key not in current:
            return None
        current = current[key]
    if not isinstance(current, dict):
        raise _Unreadable(path, f"must have a table [{'.'.join(keys)}]", "a table")
    return current


def file_environment(
    settings: Settings, workspace: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """The variables of the configuration: ``env_file``, then ``env``. Raises InvalidConfig.

    What came with a workspace is not trusted with the user's own: its ``env_file`` must be inside
    the workspace, and names without a value in it are left out.
    """
    found: dict[str, str] = {}
    untrusted = settings.source("env_file") is Source.FILE
    for entry in settings.env_file:
        path = workspace / entry
        try:
            if untrusted:
                found |= read_variables(path, partial(read_beneath, workspace), InvalidConfig, {})
            else:
                found |= read_variables(path, read_path, InvalidConfig, environ)
        except LeadsOut:
            raise InvalidConfig(
                f"env_file in {settings.file} leads out of the workspace: {entry}",
                hint="Give such a file with --env-file or DEBUGHOST_ENV_FILE",
                details={"setting": "env_file"},
            ) from None
    return found | dict(settings.env)
