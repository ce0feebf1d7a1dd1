"""Parsers of single settings: each takes what TOML, a variable or a flag gives, or refuses it.

They raise BadValue, which completes "<name> ...", or an error with a code of its own.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping

from debughost_cli import names
from debughost_cli.errors import InvalidPort, TypeUnknown
from debughost_cli.models import PortFrom, ProjectType, RestartPolicy
from debughost_cli.project.variables import (
    BadValue,
    is_passable,
    variable_name,
    variable_value,
)

MIN_MEMORY = 6 * 1024**2
"""Docker's own minimum memory limit."""

_SIZE = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*([kmgt]?)(?:i?b)?", re.ASCII)
_MOST_PATHS = 20
"""Files of variables, each of up to 1 MiB: the same one thousands of times would take hours."""
_RUNTIME = re.compile(r"\d{1,4}(?:\.\d{1,6}){0,2}", re.ASCII)
_MOST_PACKAGES = 100
_PACKAGE = re.compile(
    r"[a-z0-9][a-z0-9+.-]{0,99}[a-z0-9+](?:=[0-9][A-Za-z0-9.+:~-]{0,99})?", re.ASCII
)
"""A name by Debian's policy, and perhaps a version. To apt, ``name-`` would mean to remove it."""
_IMAGE = re.compile(r"[\w[][\w.:/@+\]-]{0,511}", re.ASCII)


def parse_project(value: object) -> str:
    """A project id. Raises InvalidProject, BadValue."""
    given = value if value == "" and isinstance(value, str) else text(value)
    return names.check_new_project(given)


def parse_type(value: object) -> ProjectType:
    """Raises TypeUnknown for anything but the four types."""
    for type_ in ProjectType:
        if value == type_.value:
            return type_
    raise TypeUnknown(
        f"{str(value)[:60]!r} is not a project type",
        hint=f"Use one of {', '.join(ProjectType)}",
    )


def parse_image(value: object) -> str:
    """A reference to an image, which the engine checks further. Raises BadValue."""
    if isinstance(value, str) and _IMAGE.fullmatch(value):
        return value
    raise BadValue("the name of an image, such as node:24")


def parse_runtime(value: object) -> str:
    """A version of the type's runtime, or the beginning of one. Raises BadValue."""
    version = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(version, str) and _RUNTIME.fullmatch(version):
        return version
    raise BadValue('a version in quotation marks, such as "22" or "3.12"')


def parse_command(value: object) -> tuple[str, ...]:
    """An argument vector; a string is passed to the shell. Raises BadValue."""
    if isinstance(value, str) and value.strip() and is_passable(value):
        return ("/bin/sh", "-c", value)
    words = _strings(value)
    if words and all(is_passable(word) for word in words):
        return words
    raise BadValue('a list of words or one line of shell, such as ["npm", "run", "dev"]')


def parse_port(value: object) -> int | PortFrom | None:
    """A port, ``3000+`` for a free one from there on, None for ``auto``, 0 for no port at all.

    Raises InvalidPort, and BadValue for what is not a number.
    """
    if value == "auto":
        return None
    if value is False or value in ("false", "none"):
        return 0
    if isinstance(value, str) and value[-1:] == "+":
        return PortFrom(_port(value[:-1]))
    return _port(value)


def _port(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadValue('a port number or "auto"')
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise InvalidPort(f"{value[:40]!r} is not a port", hint="Use 1024 to 65535, 3000+ or auto")
    return names.check_port(int(str(value)[:9]))


def parse_environment(value: object) -> Mapping[str, str]:
    """A table of variables. Raises BadValue."""
    if not isinstance(value, Mapping):
        raise BadValue("a table of NAME = value")
    return {variable_name(k): variable_value(k, v) for k, v in value.items()}


def parse_paths(value: object) -> tuple[str, ...]:
    """One path or several. Raises BadValue."""
    if isinstance(value, str) and value:
        return (value,)
    paths = _strings(value)
    if paths is not None and all(paths) and len(paths) <= _MOST_PATHS:
        return paths
    raise BadValue(f"a path or a list of at most {_MOST_PATHS} paths")


def parse_hooks(value: object) -> Mapping[str, str]:
    """A table of hooks, each as text for the shell. Raises BadValue."""
    if not isinstance(value, Mapping) or not set(value) <= set(names.HOOKS):
        raise BadValue(f"a table of {' and '.join(names.HOOKS)}")
    return {str(name): _hook(given) for name, given in value.items()}


def _hook(value: object) -> str:
    command = parse_command(value)
    return value if isinstance(value, str) else shlex.join(command)


def parse_packages(value: object) -> tuple[str, ...]:
    """Names of Debian packages, also as one text with spaces. Raises BadValue."""
    given = value.split() if isinstance(value, str) else _strings(value)
    if given is not None and len(given) <= _MOST_PACKAGES and all(map(_PACKAGE.fullmatch, given)):
        return tuple(dict.fromkeys(given))
    raise BadValue(
        f"a list of at most {_MOST_PACKAGES} Debian packages, such as"
        ' ["ffmpeg", "libpq-dev=17.5-1"]'
    )


def parse_cpus(value: object) -> float:
    """A number of CPUs. Raises BadValue."""
    number = _number(value)
    if not 0.01 <= number <= 4096:
        raise BadValue("a number of cores from 0.01 to 4096")
    return number


def parse_memory(value: object) -> int:
    """A memory limit in bytes. Raises BadValue."""
    size = parse_size(value)
    if size < MIN_MEMORY:
        raise BadValue("at least 6m")
    return size


def parse_size(value: object) -> int:
    """Bytes from ``2g``, ``512m``, ``1.5GiB`` or a number of bytes. Raises BadValue."""
    size = _bytes(value)
    if not 0 < size < 2**63:
        raise BadValue("a size above 0, such as 512m or 2g")
    return size


def parse_pids(value: object) -> int:
    """A number of processes. Raises BadValue."""
    number = _number(value)
    if not 8 <= number <= 4194304 or number != int(number):
        raise BadValue("a whole number of processes from 8 to 4194304")
    return int(number)


def parse_restart(value: object) -> RestartPolicy:
    """A restart policy in Docker's notation. Raises BadValue."""
    try:
        return RestartPolicy.parse(text(value))
    except ValueError:
        raise BadValue("no, always, unless-stopped or on-failure[:N]") from None


def parse_seconds(value: object) -> float:
    """A positive number of seconds, at most a day. Raises BadValue."""
    number = _number(value)
    if not 0 < number <= 86400:
        raise BadValue("a number of seconds above 0, 86400 at most")
    return number


def parse_pause(value: object) -> float:
    """A number of seconds, at most a day; 0 is one of them. Raises BadValue."""
    return 0.0 if value in (0, "0", "0.0") and value is not False else parse_seconds(value)


def parse_bool(value: object) -> bool:
    """True or false, also as the words that variables use. Raises BadValue."""
    word = str(value).lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise BadValue("true or false")


def text(value: object) -> str:
    """Text that is not empty. Raises BadValue."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise BadValue("text")
    return value


def _bytes(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _SIZE.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if not found:
        raise BadValue("a size such as 512m or 2g")
    return int(float(found[1]) * 1024 ** " kmgt".index(found[2] or " "))


def _number(value: object) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise BadValue("a number") from None
    if math.isnan(number):
        raise BadValue("a number")
    return number


def _strings(value: object) -> tuple[str, ...] | None:
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None
