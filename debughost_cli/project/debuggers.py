"""The debugger of each language: where it listens, or what it connects to."""

from __future__ import annotations

from collections.abc import Mapping

from debughost_cli.models import PortFrom, ProjectType
from debughost_cli.specs import DEBUG, PortRequest

LISTENING: Mapping[ProjectType, int] = {ProjectType.NODE: 9229, ProjectType.PYTHON: 5678}
"""Where Node's inspector and debugpy listen by default."""
EDITORS_PORT = 9003
"""Where editors listen for Xdebug, which connects to them."""

XDEBUG = "php-xdebug"
"""The Debian package, by whose name images/packages gets it for other PHPs as well."""


def can_debug(type_: ProjectType) -> bool:
    """Whether there is a debugger for programs of this type."""
    return type_ in LISTENING or type_ is ProjectType.PHP


def debug_port(type_: ProjectType, ports: Mapping[str, PortRequest]) -> int:
    """The debugger's port in the container, or of the editor on the engine's machine."""
    return ports[DEBUG].container_port if type_ in LISTENING else EDITORS_PORT


def with_debug_port(
    type_: ProjectType, ports: Mapping[str, PortRequest], program_port: int
) -> Mapping[str, PortRequest]:
    """The ports to publish; that of a debugger is the next free one, unless the user chose it.

    ``program_port``: the one that the user chose for the program, 0 for none.
    """
    if type_ not in LISTENING:
        return ports
    usual = LISTENING[type_]
    port = usual + 1 if program_port == usual else usual
    return {DEBUG: PortRequest(port, PortFrom(port)), **ports}
