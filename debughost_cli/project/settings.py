"""A project's wanted state: flags, variables, file, defaults; each value with its source.

Precedence: flags, ``DEBUGHOST_*``, ``debughost.toml`` (or ``[tool.debughost]`` in
``pyproject.toml``) in the workspace, detection, defaults.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from debughost_cli import names
from debughost_cli.errors import DebughostError, InvalidConfig, InvalidPort, TypeUnknown, Usage
from debughost_cli.models import ProjectType
from debughost_cli.names import check_port
from debughost_cli.project.variables import (
    BadValue,
    is_passable,
    read_variables,
    variable_name,
    variable_value,
)
from debughost_cli.resources import Limits

CONFIG_FILE = "debughost.toml"
MIN_MEMORY = 6 * 1024**2
"""Docker's own least memory limit."""


@dataclass(frozen=True)
class Setting:
    """A value and where it came from: ``flag``, ``environment``, ``file``, ``default``, ..."""

    value: Any
    source: str


def parse_memory(value: Any) -> int:
    """Bytes from ``2g``, ``512m``, ``1.5GiB`` or a number of bytes. Raises BadValue."""
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    else:
        found = re.fullmatch(
            r"(\d{1,20}(?:\.\d{1,20})?)\s*([kmgt]?)(?:i?b)?", _text(value).strip().lower(), re.ASCII
        )
        if not found:
            raise BadValue("must be a size such as 512m or 2g")
        size = int(float(found[1]) * 1024 ** " kmgt".index(found[2] or " "))
    if not MIN_MEMORY <= size < 2**63:
        raise BadValue("must be at least 6m")
    return size


def parse_cpus(value: Any) -> float:
    """Cores, as a number above 0. Raises BadValue."""
    number = _number(value)
    if not 0.01 <= number <= 4096:
        raise BadValue("must be a number of cores from 0.01 up")
    return number


def parse_seconds(value: Any) -> float:
    """A positive number of seconds, a day at the most. Raises BadValue."""
    number = _number(value)
    if not 0 < number <= 86400:
        raise BadValue("must be a number of seconds above 0, 86400 at the most")
    return number


def parse_restart(value: Any) -> str:
    """A restart policy as docker's: no, always, unless-stopped, on-failure[:N]."""
    text = _text(value)
    if re.fullmatch(r"no|always|unless-stopped|on-failure(:[1-9]\d{0,5})?", text, re.ASCII):
        return text
    raise BadValue("must be no, always, unless-stopped or on-failure[:N]")


def parse_pids(value: Any) -> int:
    """A number of processes. Raises BadValue."""
    number = _number(value)
    if not 8 <= number <= 4194304 or number != int(number):
        raise BadValue("must be a whole number of processes from 8 up")
    return int(number)


def parse_port(value: Any) -> int | None:
    """A port, None for ``auto``. Raises BadValue for what is no number, InvalidPort otherwise."""
    if value == "auto":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadValue('must be a port number or "auto"')
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise InvalidPort(f"{value[:40]!r} is not a port", hint="Use 1024 to 65535, or auto")
    return check_port(int(str(value)[:9]))


def parse_type(value: Any) -> ProjectType:
    """Raises TypeUnknown for what is none of the four."""
    try:
        return ProjectType(value)
    except ValueError:
        raise TypeUnknown(
            f"{str(value)[:60]!r} is not a project type",
            hint=f"Use one of {', '.join(ProjectType)}",
        ) from None


def parse_command(value: Any) -> tuple[str, ...]:
    """An argument vector; a string is given to the shell. Raises BadValue."""
    if isinstance(value, str) and value.strip() and is_passable(value):
        return ("/bin/sh", "-c", value)
    if isinstance(value, list | tuple) and value and all(is_passable(v) for v in value):
        return tuple(value)
    raise BadValue('must be a list of words or one line of shell, such as ["npm", "run", "dev"]')


def parse_image(value: Any) -> str:
    """A reference to an image, which the engine checks closer. Raises BadValue."""
    if isinstance(value, str) and re.fullmatch(r"[\w[][\w.:/@+\]-]{0,511}", value, re.ASCII):
        return value
    raise BadValue("must be an image's name, such as node:24")


def parse_environment(value: Any) -> dict[str, str]:
    """A table of variables. Raises BadValue."""
    if not isinstance(value, Mapping):
        raise BadValue("must be a table of NAME = value")
    return {variable_name(k): variable_value(k, v) for k, v in value.items()}


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise BadValue("must be text")
    return value


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("1", "true", "yes", "on"):
        return True
    if str(value).lower() in ("0", "false", "no", "off"):
        return False
    raise BadValue("must be true or false")


def _number(value: Any) -> float:
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError, OverflowError):
        raise BadValue("must be a number") from None
    if math.isnan(number):
        raise BadValue("must be a number")
    return number


def _paths(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) and value:
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(v, str) and v for v in value):
        return tuple(value)
    raise BadValue("must be a path or a list of paths")


Parser = Callable[[Any], Any]

SETTINGS: dict[str, Parser] = {
    "project": lambda v: names.check_project(v if v == "" else _text(v)),
    "type": parse_type,
    "image": parse_image,
    "command": parse_command,
    "port": parse_port,
    "env": parse_environment,
    "env_file": _paths,
    "cpus": parse_cpus,
    "memory": parse_memory,
    "pids": parse_pids,
    "restart": parse_restart,
    "ca_bundle": _text,
    "dependencies": _flag,
    "wait_timeout": parse_seconds,
}

DEFAULTS: dict[str, Any] = {
    "cpus": Limits().cpus,
    "memory": Limits().memory_bytes,
    "pids": Limits().pids,
    "restart": "no",
    "dependencies": True,
    "wait_timeout": 60.0,
    "env": {},
    "env_file": (),
}


@dataclass(frozen=True)
class Config:
    """The settings in force. ``file``: the configuration file, where there is one."""

    settings: Mapping[str, Setting]
    file: Path | None

    def get(self, name: str) -> Any:
        """The value, None where nobody gave one."""
        setting = self.settings.get(name)
        return setting.value if setting else None

    def source(self, name: str) -> str | None:
        """Where the value came from, None where nobody gave one."""
        setting = self.settings.get(name)
        return setting.source if setting else None


def load_config(
    workspace: Path, flags: Mapping[str, Any], environ: Mapping[str, str] | None = None
) -> Config:
    """All settings for a workspace. Raises InvalidConfig, Usage, and what the parsers raise."""
    env = os.environ if environ is None else environ
    file, table = read_file(workspace)
    found = {name: Setting(value, "default") for name, value in DEFAULTS.items()}
    found |= _from_file(table, file)
    found |= _from_environment(env)
    found |= _from_flags(flags)
    return Config(found, file)


def read_file(workspace: Path) -> tuple[Path | None, dict[str, Any]]:
    """The configuration file and its table; ``(None, {})`` where there is none."""
    for name, section in ((CONFIG_FILE, ()), ("pyproject.toml", ("tool", "debughost"))):
        path = workspace / name
        if path.is_file():
            table = _section(_toml(path), section, path)
            if table is not None:
                return path, table
    return None, {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as exc:
        raise InvalidConfig(
            f"{path} cannot be read: {exc}",
            hint="Mend the file; 'debughost config validate' checks it",
            details={"file": str(path)},
        ) from None


def _section(table: dict[str, Any], keys: tuple[str, ...], path: Path) -> dict[str, Any] | None:
    current: Any = table
    for key in keys:
        if not isinstance(current, dict) or key not in current:
            return None
        current = current[key]
    if not isinstance(current, dict):
        raise InvalidConfig(f"[{'.'.join(keys)}] in {path} is not a table", hint="Write a table")
    return current


def _from_file(table: Mapping[str, Any], file: Path | None) -> dict[str, Setting]:
    found = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in SETTINGS:
            close = get_close_matches(name, SETTINGS, 1)
            raise InvalidConfig(
                f"{file} has an unknown setting {key!r}",
                hint=f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(SETTINGS)}",
                details={"file": str(file), "key": key},
            )
        found[name] = Setting(_parse(name, value, f"{key} in {file}", InvalidConfig), "file")
    return found


def _from_environment(env: Mapping[str, str]) -> dict[str, Setting]:
    found = {}
    for name in SETTINGS:
        variable = f"DEBUGHOST_{name.upper()}"
        if name != "env" and env.get(variable):
            value = _parse(name, env[variable], variable, InvalidConfig)
            found[name] = Setting(value, "environment")
    return found


def _from_flags(flags: Mapping[str, Any]) -> dict[str, Setting]:
    return {
        name: Setting(_parse(name, value, f"--{name.replace('_', '-')}", Usage), "flag")
        for name, value in flags.items()
        if value is not None
    }


def _parse(name: str, value: Any, place: str, error: type[DebughostError]) -> Any:
    try:
        return SETTINGS[name](value)
    except BadValue as exc:
        raise error(
            f"{place} {exc}",
            hint="'debughost config show' prints every setting and where it came from",
            details={"setting": name},
        ) from None


def file_environment(config: Config, workspace: Path) -> dict[str, str]:
    """The variables of the configuration: ``env_file``, then ``env``. Raises InvalidConfig.

    What came with a workspace is not trusted with the caller's own: its ``env_file`` must lie in
    it, and names without a value in there are left out.
    """
    found: dict[str, str] = {}
    planted = config.source("env_file") == "file"
    for entry in config.get("env_file"):
        path = workspace / entry
        if planted and not path.resolve().is_relative_to(workspace.resolve()):
            raise InvalidConfig(
                f"env_file in {config.file} leads out of the workspace: {entry}",
                hint="Give such a file with --env-file or DEBUGHOST_ENV_FILE",
                details={"setting": "env_file"},
            )
        found |= read_variables(path, InvalidConfig, {} if planted else os.environ)
    found |= config.get("env")
    return found
