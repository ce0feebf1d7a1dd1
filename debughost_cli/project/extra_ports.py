"""Ports that a project publishes besides its own, as files, variables and flags give them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from debughost_cli.models import PortFrom
from debughost_cli.names import check_port
from debughost_cli.project.flags import port_name
from debughost_cli.project.variables import BadValue
from debughost_cli.specs import HTTP, PortRequest

MOST_PORTS = 20
FORM = '9229, "9230:9229" (host:container) or "9229+"'
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
_NUMBERS = re.compile(
    r"(?:127\.0\.0\.1:)?(?P<host>[0-9]{1,6})(?P<plus>\+?)(?::(?P<container>[0-9]{1,5}))?(?:/tcp)?",
    re.ASCII,
)


def parse_ports(value: object) -> Mapping[str, PortRequest]:
    """From a table of NAME = PORT, or from words such as ``9229`` and ``debug=9229``.

    Raises BadValue, InvalidPort.
    """
    if isinstance(value, Mapping):
        given = [(str(name), port) for name, port in value.items()]
    else:
        given = [_named(word) for word in _words(value)]
    ports = {_name(name): _request(port) for name, port in given}
    if len(ports) > MOST_PORTS:
        raise BadValue(f"at most {MOST_PORTS} ports")
    return ports


def _words(value: object) -> list[str]:
    """A variable separates them by commas or spaces."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise BadValue("a table of NAME = PORT")
    return [str(word) for word in value]


def _named(word: str) -> tuple[str, str]:
    return port_name(word), word.rpartition("=")[2]


def _name(text: str) -> str:
    if text == HTTP:
        raise BadValue(f"other names than {HTTP}: that is the project's own port, 'port'")
    if not _NAME.fullmatch(text):
        raise BadValue("names of lower-case letters, digits, '_' and '-', at most 32")
    return text


def _request(value: object) -> PortRequest:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadValue(f"ports such as {FORM}")
    found = _NUMBERS.fullmatch(str(value))
    if found is None:
        raise BadValue(f"ports such as {FORM}, published on 127.0.0.1 alone")
    host = check_port(int(found["host"]))
    container = int(found["container"] or host)
    if not 0 < container < 65536:
        raise BadValue("ports of the container from 1 to 65535")
    return PortRequest(container, PortFrom(host) if found["plus"] else host)
