"""Why Debian packages could not be installed into an image, from apt's last lines."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = r"'?([a-z0-9][a-z0-9+.-]+)'?"
_UNKNOWN = re.compile(
    rf"E: (?:Unable to locate package {_NAME}|Package {_NAME} has no installation candidate"
    rf"|Version '?([\w.+:~-]+?)'? for {_NAME} was not found)"
)
_NO_APT = re.compile(r"apt-get: (?:command )?not found")


def unknown_packages(lines: Iterable[str]) -> tuple[str, ...]:
    """The packages that do not exist, in apt's order; versions after ``=``."""
    found = []
    for match in _UNKNOWN.finditer("\n".join(lines)):
        first, second, version, name = match.groups()
        found.append(f"{name}={version}" if version else first or second)
    return tuple(dict.fromkeys(found))


def has_no_apt(lines: Iterable[str]) -> bool:
    """Whether the image is none of Debian or Ubuntu."""
    return _NO_APT.search("\n".join(lines)) is not None
