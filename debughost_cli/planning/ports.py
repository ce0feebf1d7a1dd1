"""Which port a project gets: its own last one, else one derived from its id, else the next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from debughost_cli.errors import InvalidPort, PortInUse, PortsExhausted
from debughost_cli.models import PortFrom, ProjectType
from debughost_cli.names import PORT_RANGES, REFUSED_PORTS, RESERVED_PORTS, USER_PORTS
from debughost_cli.specs import PortBinding, PortRequest


class PortHolderKind(StrEnum):
    """What uses a port."""

    PROJECT = "project"
    CONTAINER = "container"
    PROCESS = "process"
    UNKNOWN = "unknown"


class PortHolder(Struct, frozen=True):
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


def candidates(
    project: str, type_: ProjectType, last: int | None, first: int | None = None
) -> Iterator[int]:
    """Every port that the project may get, the best first; with ``first`` none below it."""
    if last and last >= (first or 0) and _is_usable(last):
        yield last
    if first:
        yield from _from(first)
        return
    ports = PORT_RANGES[type_]
    start = ports.index(preferred_port(project, type_))
    for offset in range(len(ports)):
        port = ports[(start + offset) % len(ports)]
        if _is_usable(port):
            yield port


def _from(first: int) -> Iterator[int]:
    """The next thousand: nobody looks for a project further away."""
    return filter(_is_usable, range(first, min(first + 1000, USER_PORTS.stop)))


def _is_usable(port: int) -> bool:
    is_free_to_users = port in USER_PORTS and port not in RESERVED_PORTS
    return is_free_to_users and port not in REFUSED_PORTS


def choose_port(
    project: str,
    type_: ProjectType,
    *,
    requested: int | PortFrom | None,
    last: int | None,
    holder: FindPortHolder,
    identify: Callable[[int], PortHolder],
) -> int:
    """A port that is free. Raises PortInUse for the one requested, PortsExhausted otherwise.

    ``holder`` is called for many ports and may be vague; ``identify`` for the one in the error.
    """
    if isinstance(requested, int):
        if holder(requested):
            raise port_in_use(requested, identify(requested), holder)
        return requested
    first = requested.first if requested else None
    ports = list(candidates(project, type_, last, first))
    free = next((p for p in ports if not holder(p)), None)
    if free is None:
        ports.sort()
        raise PortsExhausted(
            f"every port from {ports[0]} to {ports[-1]} is taken",
            hint="Remove projects that are not needed (debughost status; debughost rm -p ID), "
            "or give a port of another range with --port N",
            details={"first": ports[0], "last": ports[-1]},
        )
    return free


def choose_extra_ports(
    project: str,
    type_: ProjectType,
    requests: Mapping[str, PortRequest],
    *,
    main: int,
    last: Mapping[str, int],
    holder: FindPortHolder,
    identify: Callable[[int], PortHolder],
) -> tuple[PortBinding, ...]:
    """The ports besides ``main``, by name. ``last``: those that the project had.

    Raises InvalidPort for two of one number, PortInUse, PortsExhausted.
    """
    chosen = {"": main}

    def holder_of(port: int) -> PortHolder | None:
        own = PortHolder(PortHolderKind.PROJECT, project) if port in chosen.values() else None
        return own or holder(port)

    # Those that are to be chosen make way for the others.
    for name in sorted(requests, key=lambda n: (not isinstance(requests[n].host, int), n)):
        host = requests[name].host
        if isinstance(host, int) and host in chosen.values():
            raise _twice(host, name, next(n for n, port in chosen.items() if port == host))
        try:
            chosen[name] = choose_port(
                project, type_, requested=host, last=last.get(name), holder=holder_of,
                identify=identify,
            )  # fmt: skip
        except PortInUse as exc:
            raise for_publish(exc, PortBinding(name, requests[name].container_port, 0)) from exc
    return tuple(
        PortBinding(name, requests[name].container_port, chosen[name]) for name in sorted(requests)
    )


def last_extra_ports(
    requests: Mapping[str, PortRequest], last: Mapping[str, int]
) -> tuple[PortBinding, ...]:
    """As ``choose_extra_ports`` for a project that has its ports, without a look at any other."""

    def host_port(name: str) -> int:
        host = requests[name].host
        return host if isinstance(host, int) else max(host.first, last.get(name, 0))

    return tuple(
        PortBinding(name, requests[name].container_port, host_port(name))
        for name in sorted(requests)
    )


def _twice(port: int, name: str, other: str) -> InvalidPort:
    owner = f"the port {other!r}" if other else "the project itself"
    return InvalidPort(
        f"port {port} of {name!r} is that of {owner}, too",
        hint=f"Give one of them another number, such as --publish {name}={port}+",
        details={"port": port, "name": name},
    )


def for_publish(error: PortInUse, port: PortBinding) -> PortInUse:
    """The error about a port besides the project's own; ``host_port`` of ``port`` is not read."""
    free, taken = error.next_free, error.details["port"]
    words = [
        f"--publish {port.name}={host}:{port.container_port}"
        for host in (free, f"{taken}+")
        if host
    ]
    return PortInUse(
        f"{error.message}, and {port.name!r} needs it",
        hint=f"Use {' or '.join(words)}, or stop what holds it",
        details={**error.details, "name": port.name, "container_port": port.container_port},
        next_free=free,
    )


def port_in_use(port: int, held_by: PortHolder, holder: FindPortHolder) -> PortInUse:
    """The error that names who holds the port, and the nearest free one above it."""
    free = next((p for p in _from(port + 1) if not holder(p)), None)
    way_out = f"Use --port {free}, --port {port}+ or --port auto" if free else "Use --port auto"
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
