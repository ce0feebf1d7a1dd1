"""Which port a project gets: its own last one, else one derived from its id, else the next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from debughost_cli.errors import PortInUse, PortsExhausted
from debughost_cli.models import ProjectType
from debughost_cli.names import PORT_RANGES, RESERVED_PORTS, USER_PORTS


class PortHolderKind(StrEnum):
    """What uses a port."""

    PROJECT = "project"
    CONTAINER = "container"
    PROCESS = "process"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PortHolder:
    """What uses a port; ``name`` is empty where it is not known."""

    kind: PortHolderKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


FindPortHolder = Callable[[int], PortHolder | None]


def preferred_port(project: str, type_: ProjectType) -> int:
    """The port that a project's id stands for: the same on every machine, at every time."""
    ports = PORT_RANGES[type_]
    digest = hashlib.sha256(project.encode()).digest()
    return ports[int.from_bytes(digest[:8], "big") % len(ports)]


def candidates(project: str, type_: ProjectType, last: int | None) -> Iterator[int]:
    """Every port that the project may get, the best first."""
    if last and last in USER_PORTS and last not in RESERVED_PORTS:
        yield last
    ports = PORT_RANGES[type_]
    first = ports.index(preferred_port(project, type_))
    for offset in range(len(ports)):
        yield ports[(first + offset) % len(ports)]


def choose_port(
    project: str,
    type_: ProjectType,
    *,
    requested: int | None,
    last: int | None,
    holder: FindPortHolder,
    identify: Callable[[int], PortHolder],
) -> int:
    """A port that is free. Raises PortInUse for a requested one, PortsExhausted otherwise.

    ``holder`` is called for many ports and may be vague; ``identify`` for the one in the error.
    """
    if requested:
        if holder(requested):
            raise port_in_use(project, type_, requested, identify(requested), holder)
        return requested
    free = next((p for p in candidates(project, type_, last) if not holder(p)), None)
    if free is None:
        ports = PORT_RANGES[type_]
        raise PortsExhausted(
            f"every port from {ports[0]} to {ports[-1]} is taken",
            hint="Remove projects that are not needed (debughost status; debughost rm -p ID), "
            "or give a port of another range with --port N",
            details={"first": ports[0], "last": ports[-1]},
        )
    return free


def port_in_use(
    project: str, type_: ProjectType, port: int, held_by: PortHolder, holder: FindPortHolder
) -> PortInUse:
    """The error that names who holds the port, and the next free one."""
    free = next((p for p in candidates(project, type_, None) if p != port and not holder(p)), None)
    way_out = f"Use --port {free} or --port auto" if free else "Use another --port"
    return PortInUse(
        f"port {port} is held by {held_by}",
        hint=f"{way_out}, or stop what holds it",
        details={
            "port": port,
            "holder": {"kind": held_by.kind, "name": held_by.name},
            "next_free": free,
        },
        next_free=free,
    )
