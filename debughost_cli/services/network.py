"""The development network: made when missing, compared field by field, never somebody else's."""

from __future__ import annotations

from pathlib import Path

from debughost_cli import __version__, names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Conflict, Engine
from debughost_cli.errors import (
    DebughostError,
    InUse,
    NetworkConflict,
    NetworkNotFound,
    NotReady,
)
from debughost_cli.models import Drift
from debughost_cli.planning import network as planning
from debughost_cli.planning.failure_hints import cannot_resolve
from debughost_cli.planning.routes import rivals
from debughost_cli.resources import Network
from debughost_cli.services.known_engines import check_known
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.results import NetworkResult

ROUTES = Path("/proc/net/route")
"""This machine's routes, as Linux has them."""

SETTLE_SECONDS = 10.0
"""How long another client's network may take to appear once it has its addresses.

The engine makes a bridge, firewall rules and a record of it on its disk meanwhile."""

ANOTHER = (
    "remove that route, or take another subnet with "
    "'debughost network ensure --recreate --subnet 10.213.0.0/16'"
)


class NetworkService:
    """``network ensure``, ``inspect`` and ``rm``."""

    def __init__(
        self,
        engine: Engine,
        progress: Progress,
        clock: Clock = SYSTEM_CLOCK,
        routes: Path = ROUTES,
    ) -> None:
        self._routes = routes
        self._warned = False
        self._engine = engine
        self._progress = progress
        self._clock = clock

    def find(self) -> Network | None:
        """The network, None where there is none."""
        return planning.choose(self._engine.networks.find(names.NETWORK))

    def usable(self) -> Network | None:
        """As ``find``, for a container to join. Raises NetworkConflict."""
        found = self.find()
        if found:
            self.check(found)
        return found

    def check(self, found: Network) -> None:
        """Raises NetworkConflict where a container cannot join it.

        A network of ours may have another subnet (``ensure --subnet``); a foreign one is used only
        where it is just what we would make.
        """
        ours = found.labels.get(names.MANAGED) == "true"
        drift = planning.network_drift(found, names.SUBNET)
        if (drift and not ours) or any(d.field == "driver" for d in drift):
            # A list does not have what is attached.
            raise planning.mismatch(self.find() or found, drift)
        self._warn_of_rivals(found)

    def rivals(self, network: Network) -> str:
        """The routes of this machine that take addresses of the network; empty for none."""
        try:
            table = self._routes.read_text("ascii", "replace")
        except OSError:
            # There is none outside Linux, where engines run in a machine of their own.
            return ""
        return ", ".join(rivals(table, network))

    def with_rivals(self, error: DebughostError) -> DebughostError:
        """``error`` of an install, with such routes as its hint where it could not resolve names.

        One that takes too long may be waiting for an answer about a name.
        """
        tail = error.details.get("log_tail")
        unresolved = isinstance(tail, list) and cannot_resolve(map(str, tail))
        why = error.why if isinstance(error, NotReady) else None
        is_slow = why is not None and why.reason == "installing"
        network = self.find() if unresolved or is_slow else None
        found = self.rivals(network) if network else ""
        if network is None or not found:
            return error
        return error.with_context(hint=f"{routed_away(network, found)}; {ANOTHER}")

    def _warn_of_rivals(self, network: Network) -> None:
        found = "" if self._warned else self.rivals(network)
        if found:
            self._warned = True
            self._progress.warn("NETWORK_ROUTED_AWAY", f"{routed_away(network, found)}; {ANOTHER}")

    def ensure(self, subnet: str = names.SUBNET, *, recreate: bool = False) -> NetworkResult:
        """Makes it, or checks driver, subnet and gateway. Raises NetworkConflict, Usage."""
        gateway = planning.gateway_of(subnet)
        check_known(self._engine)
        found = self.find()
        if found is None:
            return self._create(subnet, gateway)
        drift = planning.network_drift(found, subnet)
        if drift:
            return self._replace(found, drift, subnet, gateway, recreate)
        if found.labels.get(names.MANAGED) != "true":
            self._progress.warn(
                "NETWORK_UNMANAGED",
                f"{found.name} was not made by debughost; it is used as it is, never removed",
            )
        self._warn_of_rivals(found)
        return NetworkResult(found, changed=False)

    def _replace(
        self,
        found: Network,
        drift: tuple[Drift, ...],
        subnet: str,
        gateway: str,
        recreate: bool,
    ) -> NetworkResult:
        ours = found.labels.get(names.MANAGED) == "true"
        if not recreate or found.containers or not ours:
            raise planning.mismatch(found, drift)
        self._engine.networks.remove(found.id)
        return self._create(subnet, gateway)

    def create(self, subnet: str = names.SUBNET, gateway: str = names.GATEWAY) -> Network:
        """Makes it; where another client was faster, its network. Raises NetworkConflict."""
        made = self._create(subnet, gateway).network
        assert made is not None
        return made

    def _create(self, subnet: str, gateway: str) -> NetworkResult:
        self._progress.phase(PhaseKind.NETWORK, f"Creating network {names.NETWORK} ({subnet})")
        labels = names.base_labels(__version__, self._clock.now())
        try:
            made = self._engine.networks.create(names.NETWORK, subnet, gateway, labels)
        except (Conflict, NetworkConflict) as exc:
            return NetworkResult(self._made_by_another(subnet, exc.message), changed=False)
        kept = self._settle(made)
        self._warn_of_rivals(kept)
        return NetworkResult(kept, changed=kept.id == made)

    def _made_by_another(self, subnet: str, engine_words: str) -> Network:
        """The network of a client that was faster, or NetworkConflict.

        The engine takes the addresses before it lists the network: with no conflicting one in
        sight, the network that has them may be our own, about to appear.
        """
        deadline = self._clock.monotonic() + SETTLE_SECONDS
        while True:
            found = self.find()
            if found and not planning.network_drift(found, subnet):
                return found
            others = [n for n in self._engine.networks.list() if n.name != names.NETWORK]
            conflict = planning.overlap(subnet, others, engine_words)
            if conflict.overlaps or self._clock.monotonic() >= deadline:
                raise conflict
            self._clock.sleep(0.05)

    def _settle(self, made: str) -> Network:
        """Old engines let two clients make one each: all of them keep the oldest."""
        everyone = self._engine.networks.find(names.NETWORK)
        kept = planning.choose(everyone)
        if kept is None:
            raise NetworkConflict(
                f"network {names.NETWORK} was removed by somebody while it was made",
                hint="Run the command again",
            )
        if kept.id != made:
            self._engine.networks.remove(made)
        return kept

    def inspect(self) -> NetworkResult:
        """Raises NetworkNotFound."""
        found = self.find()
        if found is None:
            raise NetworkNotFound(
                f"network {names.NETWORK} does not exist",
                hint="Make it with 'debughost network ensure'; 'debughost up' does so as well",
            )
        return NetworkResult(found, changed=False)

    def remove(self) -> NetworkResult:
        """Removes it when nothing uses it. Raises InUse, NetworkNotFound, NetworkConflict."""
        check_known(self._engine)
        found = self.inspect().network
        assert found is not None
        if found.labels.get(names.MANAGED) != "true":
            raise NetworkConflict(
                f"network {found.name} was not made by debughost",
                hint=f"If it is yours, remove it with 'docker network rm {found.name}'",
            )
        if found.containers:
            raise InUse(
                f"network {found.name} is used by {containers_of(found)}",
                hint="Keep it while projects use it; 'debughost status' lists them",
                details={"containers": list(found.containers)},
            )
        self._engine.networks.remove(found.id)
        return NetworkResult(found, changed=True)


def routed_away(network: Network, found: str) -> str:
    """What is wrong where this machine has other routes to the network's addresses."""
    return (
        f"{network.name} ({network.subnet}) may have no way out: "
        f"this machine also has a route to {found}"
    )


def containers_of(network: Network) -> str:
    """``1 container``, ``2 containers``."""
    count = len(network.containers)
    return f"{count} container{'' if count == 1 else 's'}"
