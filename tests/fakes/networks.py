"""Networks of the fake engine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from debughost_cli.engine.port import Conflict, NotFound
from debughost_cli.errors import InUse, NetworkConflict
from debughost_cli.resources import Network
from fakes.calls import Part, changing, reading


class FakeNetworks(Part):
    """Networks."""

    name = "networks"

    @reading
    def find(self, name: str) -> Sequence[Network]:
        return [
            self.with_endpoints(n) for n in self.engine.stored_networks.values() if n.name == name
        ]

    @reading
    def list(self) -> Sequence[Network]:
        return list(self.engine.stored_networks.values())

    @changing
    def create(
        self, name: str, subnet: str | None, gateway: str | None, labels: Mapping[str, str]
    ) -> str:
        if any(n.name == name for n in self.engine.stored_networks.values()):
            raise Conflict(f"network with name {name} already exists")
        if subnet is None:
            subnet = f"192.168.{16 * len(self.engine.stored_networks)}.0/20"
            gateway = str(ipaddress.ip_network(subnet)[1])
        requested = ipaddress.ip_network(subnet)
        taken = {
            n.subnet for n in self.engine.stored_networks.values() if n.subnet
        } | self.engine.routes
        if any(requested.overlaps(ipaddress.ip_network(t, strict=False)) for t in taken):
            words = "Pool overlaps with other one on this address space"
            raise NetworkConflict(words, details={"engine": words})
        return self.engine.add_network(name, subnet, gateway=gateway, labels=dict(labels)).id

    @changing
    def connect(
        self, name: str, container: str, aliases: Sequence[str], links: Sequence[str] = ()
    ) -> None:
        found = self.engine.find_container(container)
        if not any(n.name == name for n in self.engine.stored_networks.values()):
            raise NotFound(f"network {name} not found")
        found.further_networks[name] = self.network_id(name)

    @changing
    def remove(self, ref: str) -> None:
        found = self.engine.stored_networks.get(ref)
        if found is None:
            return
        if self.with_endpoints(found).containers:
            raise InUse(
                f"the network is in use: network {found.name} has active endpoints",
                hint="Remove what is attached to it first",
            )
        del self.engine.stored_networks[ref]

    def network_id(self, name: str) -> str:
        """The id of the network of that name; before it is there, its name."""
        return next((n.id for n in self.engine.stored_networks.values() if n.name == name), name)

    def with_endpoints(self, network: Network) -> Network:
        """The network with the containers that run in it."""
        ids = [
            c.id
            for c in self.engine.stored_containers.values()
            if c.is_running and network.id in (c.network_id, *c.further_networks.values())
        ]
        return replace(network, containers=tuple(sorted(ids)))
