"""The values of a compose file: variables in them, and the forms that each may have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from debughost_cli.project.variables import is_passable

_MOST = 200
"""How many entries of a list or a mapping are read."""
_LONGEST = 4000
"""Characters of one value."""
_LEVELS = 5
"""How often a default may be within another one."""
_VARIABLE = re.compile(
    r"(?P<escaped>\$\$)|\$\{(?P<name>\w{1,80})(?::?-(?P<default>[^${}]{0,500}))?\}"
    r"|\$(?P<bare>\w{1,80})"
)
_PORT = re.compile(
    r"(?:(?:\[[\da-fA-F:]*\]|\d{1,3}(?:\.\d{1,3}){3}):)?"
    r"(?:(?P<host>\d{1,5})?:)?(?P<container>\d{1,5})(?:/tcp)?"
)
_VOLUME = re.compile(r"(?:(?P<source>[^:]+):)?(?P<target>/[^:]*)(?::[a-zA-Z,]+)?")


class Port(Struct, frozen=True):
    """Numbers as text; ``host`` is empty where any port of the host will do."""

    host: str
    container: str


class Volume(Struct, frozen=True):
    """``source``: a name, empty, or a path of the host. ``target``: a path in the container."""

    source: str
    target: str


class Values:
    """Makes text of what a service of the file says. ``note``: takes a key, and what is wrong."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self.note = note

    def checked(self, value: object, key: str) -> str:
        """As it is; empty for nothing, and, noted, for what is no text or much too long."""
        if value is None:
            return ""
        if not isinstance(value, str) or not is_passable(value) or len(value) > _LONGEST:
            self.note(key, "has a value that is not understood")
            return ""
        return value

    def text(self, value: object, key: str) -> str:
        """With the defaults of the file for variables; empty, and noted, where one has none."""
        text = self.checked(value, key)
        missing: list[str] = []

        def found(match: re.Match[str]) -> str:
            if match["escaped"]:
                return "\0"
            if match["default"] is None:
                missing.append(match["name"] or match["bare"])
                return ""
            return match["default"]

        for _ in range(_LEVELS):
            text, count = _VARIABLE.subn(found, text)
            if not count:
                break
        if missing or "${" in text:
            name = f"${missing[0]}" if missing else "a variable"
            self.note(key, f"is left out: {name} has no default in the file")
            return ""
        return text.replace("\0", "$")


def read_environment(value: object, values: Values) -> dict[str, str]:
    """From a mapping, or from a list of ``NAME=value``; those without a value are noted."""
    if isinstance(value, Mapping):
        pairs = [(str(name), text) for name, text in value.items()]
    elif isinstance(value, list):
        # Of text alone: what aliases nest would become endlessly long as text.
        words = (item for item in value[:_MOST] if isinstance(item, str))
        pairs = [(n, text if is_given else None) for n, is_given, text in map(_split, words)]
    else:
        pairs = []
    found = {}
    for name, given in pairs[:_MOST]:
        if given is None:
            values.note(name, "is left out: it would be taken from the host")
        elif given == "" or (text := values.text(given, name)):
            found[name] = "" if given == "" else text
    return found


def _split(word: str) -> tuple[str, str, str]:
    name, sign, text = word.partition("=")
    return name, sign, text


def read_ports(value: object, values: Values) -> Iterator[Port]:
    """Of the short and the long form, those of TCP that are a single port."""
    for item in value[:_MOST] if isinstance(value, list) else []:
        if isinstance(item, Mapping):
            protocol = item.get("protocol", "tcp")
            published = values.text(item.get("published"), "ports")
            text = f"{published}:{values.text(item.get('target'), 'ports')}"
            text += "" if protocol == "tcp" else f"/{protocol}"
        else:
            text = values.text(item, "ports")
        found = _PORT.fullmatch(text.removeprefix(":"))
        if found:
            yield Port(found["host"] or "", found["container"])
        elif text:
            values.note(f"port {text[:60]}", "is not translated: it is no single port of TCP")


def read_volumes(value: object, values: Values) -> Iterator[Volume]:
    """Named and anonymous volumes; folders and files of the host are noted, but for its own."""
    for item in value[:_MOST] if isinstance(value, list) else []:
        if isinstance(item, Mapping):
            source = values.text(item.get("source"), "volumes")
            volume = Volume(source, values.text(item.get("target"), "volumes"))
            is_volume = item.get("type", "volume") == "volume"
        else:
            found = _VOLUME.fullmatch(values.text(item, "volumes"))
            volume = Volume(found["source"] or "", found["target"]) if found else Volume("", "")
            is_volume = True
        if not volume.target or volume.source in (".", "./"):
            continue
        if is_volume and is_named_volume(volume):
            yield volume
        else:
            values.note(f"volume {volume.source}:{volume.target}", "is not mounted")


def is_named_volume(volume: Volume) -> bool:
    """Whether the engine keeps it, be it under a name or without one."""
    return re.fullmatch(r"[\w.-]*", volume.source, re.ASCII) is not None and (
        volume.source not in (".", "..") and not volume.source.startswith("~")
    )


def words_or_line(value: object, key: str, values: Values) -> list[str] | str:
    """A command in the form that it has, empty where a variable in it has no default."""
    if not isinstance(value, list):
        return values.text(value, key)
    words = [values.text(item, key) for item in value[:_MOST]]
    return words if all(words) else []
