"""The network of a swarm's projects: one overlay for all of them."""

from __future__ import annotations

from datetime import UTC, datetime

from debughost_cli import __version__, names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Conflict, Engine
from debughost_cli.errors import NetworkConflict
from debughost_cli.resources import Network
from debughost_cli.services.progress import PhaseKind, Progress

ALLOCATED_WITHIN = 3.0
"""Seconds in which a new network gets its addresses."""


def ensure_overlay(engine: Engine, progress: Progress, clock: Clock = SYSTEM_CLOCK) -> Network:
    """The network, created where it is missing. Raises NetworkConflict.

    A swarm gives it its addresses and driver a moment after it has answered, and never where they
    would overlap with others': no task on such a network ever starts.
    """
    found = _find(engine)
    if found is None:
        progress.phase(PhaseKind.NETWORK, f"Creating network {names.OVERLAY}")
        labels = names.base_labels(__version__, datetime.now(UTC))
        try:
            found = engine.swarm.create_network(names.OVERLAY, labels)
        except Conflict:
            found = _find(engine)
    deadline = clock.monotonic() + ALLOCATED_WITHIN
    while found and not found.subnet and clock.monotonic() < deadline:
        clock.sleep(0.1)
        found = _find(engine)
    if found is None or found.driver != "overlay" or not found.subnet:
        raise _unusable(engine, found)
    return found


def _find(engine: Engine) -> Network | None:
    return next(iter(engine.networks.find(names.OVERLAY)), None)


def _unusable(engine: Engine, found: Network | None) -> NetworkConflict:
    is_ours = found is not None and found.labels.get(names.MANAGED) == "true"
    if found and is_ours and not found.containers:
        engine.networks.remove(found.id)
    what = "has no addresses" if is_ours else "is no overlay"
    return NetworkConflict(
        f"network {names.OVERLAY} cannot be used: it {what}",
        hint="Its address pool overlaps with another network of the swarm: see 'docker info' for "
        "the default address pool, and 'docker network ls'"
        if is_ours
        else f"It was not made by debughost: remove it with 'docker network rm {names.OVERLAY}'",
        details={"network": names.OVERLAY, "managed": is_ours},
    )
