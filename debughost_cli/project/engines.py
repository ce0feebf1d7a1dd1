"""``[engines]`` in the user's own file: names for engines, which no workspace can define."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from debughost_cli.errors import ContextNotFound
from debughost_cli.project.variables import BadValue

AUTO = "auto"
"""Where ``up`` chooses among the engines."""
MOST_PROJECTS = 10_000
"""The highest capacity."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}", re.ASCII)
_CONTEXT = "context:"
_KEYS = ("context", "host", "tls", "capacity")
_SCHEMES = ("ssh://", "tcp://", "https://", "http://", "unix://", "npipe://")


class EngineEntry(Struct, frozen=True):
    """An engine that the user named: a Docker context, or the address ``host``.

    ``tls``: the folder of ca.pem, cert.pem and key.pem. ``capacity``: how many projects ``up
    --engine auto`` lets run there, None for as many as there is memory for.
    """

    name: str
    context: str = ""
    host: str = ""
    tls: Path | None = None
    capacity: int | None = None


class BadEntry(ValueError):
    """``key``: below ``[engines]``; the text completes "<key> ..."."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key


def parse_engine_name(value: object) -> str:
    """The name of an engine, as a workspace's file may have it. Raises BadValue.

    An address is refused: what came with a workspace chooses among the user's own engines.
    """
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise BadValue(
        "the name of an engine of your own configuration or a Docker context, no address"
    )


def parse_engines(table: object) -> dict[str, EngineEntry]:
    """The entries by name, in the order of the file. Raises BadEntry."""
    if not isinstance(table, Mapping):
        raise BadEntry("", 'must be a table, such as build = "ssh://me@build"')
    return {str(name): _entry(str(name), value) for name, value in table.items()}


def check_named(
    name: str, source: str, engines: Mapping[str, EngineEntry], contexts: Sequence[str]
) -> None:
    """Raises ContextNotFound for what is neither an engine of the user's file nor a context."""
    if name in engines or name in contexts:
        return
    own = f"Engines of your own file: {', '.join(engines)}. " if engines else ""
    raise ContextNotFound(
        f"there is no engine {name!r} ({source})",
        hint=f"{own}Docker contexts: {', '.join(contexts)}",
        details={"engine": name, "known": [*engines, *contexts]},
    )


def _entry(name: str, value: object) -> EngineEntry:
    if not _NAME.fullmatch(name):
        raise BadEntry(name, "must be named with letters, digits, '_', '.', '+' and '-'")
    if name == AUTO:
        raise BadEntry(name, "cannot be a name: 'up --engine auto' chooses an engine")
    if isinstance(value, str):
        context = value.startswith(_CONTEXT)
        value = {"context": value.removeprefix(_CONTEXT)} if context else {"host": value}
    if not isinstance(value, Mapping):
        raise BadEntry(name, 'must be an address, "context:NAME", or a table of context or host')
    for key in value:
        if key not in _KEYS:
            raise BadEntry(f"{name}.{key}", f"is not known; use {', '.join(_KEYS)}")
    if ("context" in value) == ("host" in value):
        raise BadEntry(name, "must have either context or host")
    if "tls" in value and "host" not in value:
        raise BadEntry(f"{name}.tls", "is for host: a context has its own TLS files")
    return EngineEntry(
        name,
        context=_context(name, value.get("context")),
        host=_host(name, value.get("host")),
        tls=_tls(name, value.get("tls")),
        capacity=_capacity(name, value.get("capacity")),
    )


def _context(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise BadEntry(f"{name}.context", "must be the name of a Docker context")


def _host(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_SCHEMES):
        return value
    raise BadEntry(
        f"{name}.host",
        "must be an address, such as ssh://me@build, tcp://build:2376 or unix:///...",
    )


def _tls(name: str, value: object) -> Path | None:
    if value is None:
        return None
    folder = Path(value).expanduser() if isinstance(value, str) and value else None
    if folder is None or not folder.is_absolute():
        raise BadEntry(f"{name}.tls", "must be the absolute path of a folder, or begin with ~")
    return folder


def _capacity(name: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_PROJECTS:
        return value
    raise BadEntry(
        f"{name}.capacity", f"must be a whole number of projects from 1 to {MOST_PROJECTS}"
    )
