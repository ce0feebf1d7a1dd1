"""The companion services that a project's settings name: ``services`` in ``debughost.toml``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial

from msgspec import Struct, field

from debughost_cli import names
from debughost_cli.project import parsers
from debughost_cli.project.variables import BadValue
from debughost_cli.specs import Limits, PortBinding

MOST_SERVICES = 10
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}", re.ASCII)
_TAKEN = ("localhost", "main")
"""The first is the container itself, the second the role of the project's own program."""


class CompanionSettings(Struct, frozen=True):
    """One companion service as the user wants it.

    ``port``: where it listens in its container. ``volume``: the path of its data there.
    ``ready``: a command in the container that succeeds once it can be used. ``publish``: its port
    on 127.0.0.1, where it is to be reached from outside the project. None and empty values stand
    for what is known of the image.
    """

    name: str
    image: str
    port: int | None = None
    volume: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    ready: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    publish: PortBinding | None = None
    limits: Limits = Limits()


def parse_services(value: object) -> tuple[CompanionSettings, ...]:
    """From a list of images, a table of services, or images with commas. Raises BadValue."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if isinstance(value, list):
        found = tuple(_of_image(image) for image in value)
    elif isinstance(value, Mapping):
        found = tuple(_of_table(name, about) for name, about in value.items())
    else:
        raise BadValue('a list of images, such as ["postgres:17"], or a table of services')
    if len(found) > MOST_SERVICES:
        raise BadValue(f"at most {MOST_SERVICES} services")
    given = [s.name for s in found]
    for name in given:
        if given.count(name) > 1:
            raise BadValue(f"services with different names, not {name!r} twice: [services.NAME]")
    return found


def repository_of(image: str) -> str:
    """The last part of an image's name: ``postgres`` for ``registry:5000/library/postgres:17``."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def tag_of(image: str) -> str:
    """Its tag, empty where it has none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _of_image(image: object) -> CompanionSettings:
    ref = _image("services", image)
    return CompanionSettings(_name(repository_of(ref).lower().replace("_", "-")), ref)


def _of_table(name: str, about: object) -> CompanionSettings:
    if isinstance(about, str):
        return CompanionSettings(_name(name), _image(name, about))
    if not isinstance(about, Mapping) or "image" not in about:
        raise BadValue(f'an image for {name[:40]!r}, such as {name[:40]} = "postgres:17"')
    for key in about:
        if key not in _KEYS:
            near = get_close_matches(str(key)[:80], _KEYS, 1)
            meant = f"{near[0]!r}" if near else f"one of {', '.join(_KEYS)}"
            raise BadValue(f"{meant} in place of {str(key)[:40]!r} in {name[:40]!r}")
    values = {key: _value(name, key, about[key]) for key in about if key not in _LIMITS}
    sizes = {_LIMITS[key]: _value(name, key, about[key]) for key in about if key in _LIMITS}
    # Parsers return what the fields hold.
    limits: Callable[..., Limits] = Limits
    made: Callable[..., CompanionSettings] = CompanionSettings
    return made(name=_name(name), limits=limits(**sizes), **values)


def _value(name: str, key: str, value: object) -> object:
    try:
        return _KEYS[key](value)
    except BadValue as exc:
        raise BadValue(f"{exc.allowed} as {name[:40]}.{key}") from None


def _name(name: str) -> str:
    if _NAME.fullmatch(name) and name not in _TAKEN and not name.startswith(names.ALIAS_PREFIX):
        return name
    raise BadValue(f"a name of lower-case letters, digits and '-' for a service, not {name[:40]!r}")


def _image(name: str, value: object) -> str:
    try:
        return parsers.parse_image(value)
    except BadValue as exc:
        raise BadValue(f"{exc.allowed} in {name[:40]}") from None


def _port(value: object) -> int:
    """A port of a container may be any."""
    number = int(value) if isinstance(value, str) and value.isdigit() else value
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 65536:
        return number
    raise BadValue("a port from 1 to 65535")


def _path(value: object) -> str:
    text = parsers.text(value)
    if text.startswith("/") and text != "/" and ".." not in text.split("/"):
        return text
    raise BadValue("an absolute path in its container, such as /data")


def _command(value: object) -> tuple[str, ...]:
    """Arguments for the image's own entry point; a line is taken apart as a shell does it."""
    try:
        words = shlex.split(value) if isinstance(value, str) else value
    except ValueError:
        words = ()
    return parsers.parse_command(words)


def _publish(value: object) -> PortBinding:
    """From ``15432:5432``, or ``15432`` alone: its container's port is then 0, for its own."""
    host, _, inner = str(value).partition(":")
    if isinstance(value, bool) or not host.isdigit():
        raise BadValue("a port of 127.0.0.1, such as 15432, or 15432:5432")
    return PortBinding("", _port(inner) if inner else 0, names.check_port(int(host)))


_KEYS: Mapping[str, Callable[[object], object]] = {
    "image": partial(_image, "services"),
    "port": _port,
    "volume": _path,
    "env": parsers.parse_environment,
    "ready": parsers.parse_command,
    "command": _command,
    "publish": _publish,
    "memory": parsers.parse_memory,
    "cpus": parsers.parse_cpus,
    "pids": parsers.parse_pids,
    "shm_size": parsers.parse_size,
}
_LIMITS = {
    "memory": "memory_bytes",
    "cpus": "cpus",
    "pids": "pids",
    "shm_size": "shm_bytes",
}
"""Keys of limits, and what ``Limits`` calls them."""
