"""Which ports a project gets on its engine: its own, and those that it publishes besides."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from debughost_cli import names
from debughost_cli.models import PortFrom
from debughost_cli.planning.ports import (
    PortHolder,
    PortHolderKind,
    choose_extra_ports,
    choose_port,
    last_extra_ports,
)
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Container
from debughost_cli.services.port_table import PortTable
from debughost_cli.specs import PortBinding, as_port, parse_bindings


class ProjectPorts(Struct, frozen=True):
    """Of the host: ``main``, 0 for a program without a port, and the others by name."""

    main: int
    extra: tuple[PortBinding, ...] = ()


def choose_ports(
    resolved: ResolvedProject,
    current: Container | None,
    table: PortTable,
    note: Mapping[str, str] | None,
) -> ProjectPorts:
    """Free ports, those that it had where it may keep them.

    ``note``: the labels that remember those of a removed container.
    Raises InvalidPort, PortInUse, PortsExhausted.
    """
    main = _main_port(resolved, current, table, note)
    if not resolved.ports:
        return ProjectPorts(main)
    extra = choose_extra_ports(
        resolved.project,
        resolved.type,
        resolved.ports,
        main=main,
        last=_last(current, note),
        holder=table.holder,
        identify=table.identify,
    )
    return ProjectPorts(main, extra)


def kept_ports(resolved: ResolvedProject, current: Container) -> ProjectPorts:
    """As ``choose_ports`` for what exists, without a look at what others have."""
    main = resolved.settings.fixed_port or current.port
    return ProjectPorts(main, last_extra_ports(resolved.ports, _last(current, None)))


def _last(current: Container | None, note: Mapping[str, str] | None) -> dict[str, int]:
    text = (note or {}).get(names.PORTS, "")
    had = current.extra_ports if current else parse_bindings(text)
    return {port.name: port.host_port for port in had}


def _main_port(
    resolved: ResolvedProject,
    current: Container | None,
    table: PortTable,
    note: Mapping[str, str] | None,
) -> int:
    if not resolved.listens:
        return 0
    requested = resolved.settings.port
    # A debugger listens beside the program.
    others = {resolved.debug_port, *(request.host for request in resolved.ports.values())} - {0}
    if current and current.is_running and current.port and current.port not in others:
        fits = (
            current.port >= requested.first
            if isinstance(requested, PortFrom)
            else (requested in (None, current.port))
        )
        if fits:
            return current.port

    def holder(port: int) -> PortHolder | None:
        if port in others and port != requested:
            return PortHolder(PortHolderKind.PROJECT, resolved.project)
        return table.holder(port)

    remembered = as_port((note or {}).get(names.PORT)) or None
    return choose_port(
        resolved.project,
        resolved.type,
        requested=requested,
        last=(current.port or None) if current else remembered,
        holder=holder,
        identify=table.identify,
    )
