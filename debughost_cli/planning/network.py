"""Whether a network is as required, and what conflicts with it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from debughost_cli import names
from debughost_cli.errors import NetworkConflict, Usage
from debughost_cli.models import Drift
from debughost_cli.resources import Network


def gateway_of(subnet: str) -> str:
    """The first address of a subnet. Raises Usage where it is not one."""
    try:
        parsed = ipaddress.ip_network(subnet)
        if parsed.version != 4 or parsed.num_addresses < 8:
            raise ValueError("an IPv4 subnet of at least 8 addresses is needed")
        return str(parsed[1])
    except ValueError as exc:
        raise Usage(
            f"{subnet!r} is not a usable subnet: {exc}", hint="Write it as 172.28.0.0/16"
        ) from None


def network_drift(found: Network, subnet: str) -> tuple[Drift, ...]:
    """Driver, subnet and gateway, field by field."""
    pairs = {
        "driver": ("bridge", found.driver),
        "subnet": (subnet, found.subnet),
        "gateway": (gateway_of(subnet), found.gateway),
    }
    return tuple(Drift(f, want, have) for f, (want, have) in pairs.items() if want != have)


def choose(found: Iterable[Network]) -> Network | None:
    """Of several networks of one name, the one that every client picks: the oldest."""
    return min(found, key=lambda n: (n.created_at is None, n.created_at, n.id), default=None)


def mismatch(found: Network, drift: tuple[Drift, ...]) -> NetworkConflict:
    """The network exists, but not as required."""
    listed = ", ".join(f"{d.field} is {d.have} instead of {d.want}" for d in drift)
    ours = found.labels.get(names.MANAGED) == "true"
    if found.containers:
        hint = "Remove what is attached to it, then run 'debughost network ensure --recreate'"
    elif ours:
        hint = "Nothing is attached: 'debughost network ensure --recreate' recreates it"
    else:
        hint = f"It was not made by debughost: remove it with 'docker network rm {found.name}'"
    keep = f"; or keep it with --subnet {found.subnet}" if found.subnet else ""
    return NetworkConflict(
        f"network {found.name} differs: {listed}",
        hint=hint + keep,
        details={
            "drift": [{"field": d.field, "want": d.want, "have": d.have} for d in drift],
            "containers": list(found.containers),
            "managed": ours,
        },
    )


def overlap(subnet: str, others: Iterable[Network], engine_message: str) -> NetworkConflict:
    """The subnet is in use: by a network, or else by a route of the engine's host."""
    requested = ipaddress.ip_network(subnet)
    overlapping = [n for n in others if n.subnet and _overlaps(requested, n.subnet)]
    taken = [_parse(n.subnet) for n in others if n.subnet and _is_v4(n.subnet)]
    # Also where a route uses it, which no network shows.
    free = _free_subnet([*taken, requested])
    what = ", ".join(f"network {n.name} ({n.subnet})" for n in overlapping) or (
        "a route or interface of the engine's host (a VPN, for example)"
    )
    return NetworkConflict(
        f"subnet {subnet} overlaps with {what}",
        hint=f"Use another one: debughost network ensure --subnet {free}",
        details={
            "subnet": subnet,
            "overlaps": [{"name": n.name, "subnet": n.subnet} for n in overlapping],
            "free_subnet": free,
            "engine": engine_message,
        },
        overlaps=[n.name for n in overlapping],
    )


def _is_v4(subnet: str) -> bool:
    return "." in subnet


def _overlaps(requested: ipaddress.IPv4Network | ipaddress.IPv6Network, subnet: str) -> bool:
    return _is_v4(subnet) and requested.overlaps(_parse(subnet))


def _parse(subnet: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Engines return a subnet as it was requested, with host bits."""
    return ipaddress.ip_network(subnet, strict=False)


def _free_subnet(taken: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> str:
    """A private /16 that overlaps with none of the engine's networks."""
    likely = [f"172.{n}.0.0/16" for n in [*range(28, 32), *range(16, 28)]]
    likely += [f"10.{n}.0.0/16" for n in range(28, 256)]
    for candidate in map(ipaddress.ip_network, likely):
        if not any(candidate.overlaps(t) for t in taken):
            return str(candidate)
    return "192.168.128.0/20"
