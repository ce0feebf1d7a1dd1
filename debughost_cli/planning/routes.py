"""Routes of this machine that take a network's addresses away from its bridge."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from debughost_cli.resources import Network


def rivals(table: str, network: Network) -> tuple[str, ...]:
    """The other interfaces that lead to addresses of ``network``, each as ``SUBNET (INTERFACE)``.

    ``table``: the text of ``/proc/net/route``. None where the network's bridge is not in it: the
    engine is elsewhere, in a namespace of its own, or not Docker, and this machine's routes are not
    its own. A wider route takes nothing away, for the more exact one wins.
    """
    routes = list(_routes(table))
    bridge = f"br-{network.id[:12]}"
    if not network.subnet or all(interface != bridge for interface, _ in routes):
        return ()
    subnet = ipaddress.ip_network(network.subnet, strict=False)
    return tuple(
        f"{route} ({interface})"
        for interface, route in routes
        if interface != bridge and isinstance(subnet, type(route)) and route.subnet_of(subnet)
    )


def _routes(table: str) -> Iterator[tuple[str, ipaddress.IPv4Network]]:
    for line in table.splitlines()[1:]:
        fields = line.split()
        try:
            address, mask = (int(fields[n], 16).to_bytes(4, "little") for n in (1, 7))
            bits = int.from_bytes(mask).bit_count()
            yield fields[0], ipaddress.IPv4Network((address, bits), strict=False)
        except (LookupError, ValueError, OverflowError):
            continue
