"""The settings of a project: one typed value each, and where it came from.

Precedence: flags, ``DEBUGHOST_*``, the user's own file, ``debughost.toml`` (or
``[tool.debughost]`` in ``pyproject.toml``) in the workspace, detection, defaults. A new setting is
one line in ``Settings``, and one in ``Flags`` (``project/flags.py``) where it has a flag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from debughost_cli.models import PortFrom, ProjectType, RestartPolicy, WaitLimits
from debughost_cli.project import parsers
from debughost_cli.project.companions import CompanionSettings, parse_services
from debughost_cli.project.engines import parse_engine_name
from debughost_cli.project.extra_ports import parse_ports
from debughost_cli.project.flags import Flags as Flags
from debughost_cli.specs import Limits, PortRequest

_EMPTY: Mapping[str, str] = MappingProxyType({})
_NO_PORTS: Mapping[str, PortRequest] = MappingProxyType({})
_T = TypeVar("_T")


class Source(StrEnum):
    """Where the value of a setting came from, the strongest first."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    USER = "user"
    FILE = "file"
    DETECTED = "detected"
    WORKSPACE = "workspace"
    DEFAULT = "default"


@dataclass(frozen=True)
class Setting:
    """How a setting is read and explained. ``example``: a value as TOML, ``help``: a comment.

    ``user_only``: no file of a workspace may have it.
    """

    parse: Callable[[object], object]
    example: str
    help: str
    allowed: str
    """For parsers that raise errors of their own; BadValue has it."""
    user_only: bool = False
    option: str = ""
    """The flag, where it is not called like the setting."""


def _setting(
    default: _T, parse: Callable[[object], _T], example: str, text: str = "", *,
    allowed: str = "", user_only: bool = False, option: str = "",
) -> _T:  # fmt: skip
    """A field of ``Settings``. Its parser returns what the field holds, which mypy verifies."""
    about = Setting(parse, example, text, allowed, user_only, option)
    made: _T = field(default_factory=lambda: default, metadata={"setting": about})
    return made


@dataclass(frozen=True)
class Settings:
    """The settings in force. ``file``: the configuration file, where there is one."""

    project: str | None = _setting(
        None, parsers.parse_project, '"shop"', "the id of the project",
        allowed="lower-case letters, digits, '_' and '-', 63 at most",
    )  # fmt: skip
    type: ProjectType | None = _setting(
        None, parsers.parse_type, '"node"', "node, python, php or static",
        allowed=", ".join(ProjectType),
    )  # fmt: skip
    engine: str | None = _setting(
        None, parse_engine_name, '"build"', "an engine of your own file, or a Docker context",
    )  # fmt: skip
    command: tuple[str, ...] | None = _setting(
        None, parsers.parse_command, '["npm", "run", "dev"]', "or one line for the shell",
        option="the command",
    )  # fmt: skip
    port: int | PortFrom | None = _setting(
        None, parsers.parse_port, "3000", 'or "3000+", "auto": a free one; false: none',
        allowed='1024 to 65535 without 2601 to 2699, that with a "+", "auto" or false',
    )  # fmt: skip
    ports: Mapping[str, PortRequest] = _setting(
        _NO_PORTS, parse_ports, '{ mail = 8025 }', 'further ports; "8026:8025": HOST:CONTAINER',
        option="--publish",
    )  # fmt: skip
    image: str | None = _setting(
        None, parsers.parse_image, '"node:24"', "any image with a shell, instead of the base image"
    )
    runtime: str | None = _setting(
        None, parsers.parse_runtime, '"22"', "version of Node.js, Python or PHP, if not as pinned"
    )
    compilers: bool | None = _setting(
        None, parsers.parse_bool, "true", "the base image with compilers, for node and python"
    )
    packages: tuple[str, ...] = _setting(
        (), parsers.parse_packages, '["ffmpeg", "libpq-dev"]', "Debian packages, for its image"
    )
    cpus: float = _setting(Limits().cpus, parsers.parse_cpus, "2", "CPUs")
    memory: int = _setting(Limits().memory_bytes, parsers.parse_memory, '"2g"', "without swap")
    pids: int = _setting(Limits().pids, parsers.parse_pids, "512", "processes")
    shm_size: int | None = _setting(
        None, parsers.parse_size, '"256m"', "size of /dev/shm, for browsers and databases"
    )
    restart: RestartPolicy = _setting(
        RestartPolicy(), parsers.parse_restart, '"no"', "always, unless-stopped, on-failure:3"
    )
    wait_timeout: float = _setting(
        WaitLimits().ready,
        parsers.parse_seconds,
        "60",
        "seconds until it must be ready, its install apart",
    )
    install_timeout: float = _setting(
        WaitLimits().install, parsers.parse_seconds, "600", "seconds that its install may take"
    )
    stable: float = _setting(
        WaitLimits().stable,
        parsers.parse_pause,
        "0",
        "seconds that it must stay ready to count as such",
    )
    dependencies: bool = _setting(
        True, parsers.parse_bool, "true", "install them before the command starts"
    )
    debug: bool = _setting(
        False, parsers.parse_bool, "false", "its debugger; 'debughost debug-config' has the port"
    )
    isolated: bool = _setting(
        False, parsers.parse_bool, "false", "a network of its own, which no other project reaches"
    )
    swarm: bool = _setting(
        False, parsers.parse_bool, "false", "have a swarm run it", user_only=True
    )
    shared_cache: bool = _setting(
        False, parsers.parse_bool, "false", "one package cache for all projects", user_only=True
    )
    services: tuple[CompanionSettings, ...] = _setting(
        (), parse_services, '["postgres:17"]', "databases and the like beside the program"
    )
    git: bool = _setting(
        True, parsers.parse_bool, "true", "tell git in the container your name and address"
    )
    ca_bundle: str | None = _setting(
        None, parsers.text, '"certs/ca.pem"', "root certificates to trust, in this folder"
    )
    hooks: Mapping[str, str] = _setting(
        _EMPTY, parsers.parse_hooks, '{ after_install = "make assets", before_start = "make db" }',
        "run in the container", allowed="a table of after_install and before_start",
    )  # fmt: skip
    env_file: tuple[str, ...] = _setting((), parsers.parse_paths, '".env"', "files of variables")
    env: Mapping[str, str] = _setting(
        _EMPTY, parsers.parse_environment, '{ DEBUG = "1" }', "variables of the program"
    )
    file: Path | None = None
    project_limits: Mapping[str, int] = field(default_factory=dict)
    """How many projects may run at once, see ``project/user.py``."""
    sources: Mapping[str, Source] = field(default_factory=dict)

    def source(self, name: str) -> Source | None:
        """Where the value of a setting came from, None where it has none."""
        return self.sources.get(name)

    @property
    def fixed_port(self) -> int | None:
        """The port that the user chose, 0 for none, None where a free one is to be chosen."""
        return self.port if isinstance(self.port, int) else None

    @property
    def waits(self) -> WaitLimits:
        """How long ``up`` waits for what."""
        return WaitLimits(self.wait_timeout, self.install_timeout, self.stable)

    @property
    def limits(self) -> Limits:
        """The limits of the container."""
        return Limits(self.cpus, self.memory, self.pids, self.shm_size)


SETTINGS: Mapping[str, Setting] = {
    f.name: f.metadata["setting"] for f in fields(Settings) if "setting" in f.metadata
}
