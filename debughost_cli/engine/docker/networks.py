"""Networks over docker-py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus

from debughost_cli.engine import decode, encode
from debughost_cli.engine.docker.caller import Caller
from debughost_cli.engine.docker.client import ApiClient
from debughost_cli.engine.error_map import network_in_use
from debughost_cli.engine.port import Conflict, NotFound
from debughost_cli.errors import EngineError
from debughost_cli.resources import Network


class DockerNetworks:
    """The part of the port that is about networks."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def find(self, name: str) -> Sequence[Network]:
        # One request where there is one of that name, or none.
        try:
            found = [self._inspect(name)]
        except EngineError as exc:
            if exc.http_status != HTTPStatus.BAD_REQUEST:
                raise
            # Several have the name. The engine's filter matches parts of names.
            listed = self._caller.read(
                "listing networks", lambda c: decode.each(decode.network, c.networks(names=[name]))
            )
            found = [self._inspect(n.id) for n in listed if n.name == name]
        # An id that begins with it is found as well.
        return [n for n in found if n is not None and n.name == name]

    def _inspect(self, ref: str) -> Network | None:
        try:
            return self._caller.read(
                "inspecting a network", lambda c: decode.network(c.inspect_network(ref))
            )
        except NotFound:
            return None

    def list(self) -> Sequence[Network]:
        return self._caller.read(
            "listing networks", lambda c: decode.each(decode.network, c.networks())
        )

    def create(
        self, name: str, subnet: str | None, gateway: str | None, labels: Mapping[str, str]
    ) -> str:
        body = encode.network(name, subnet, gateway, dict(labels))

        def make(client: ApiClient) -> str:
            created = client.create_network(
                name,
                driver=body["Driver"],
                ipam=body["IPAM"],
                labels=body["Labels"],
                check_duplicate=body["CheckDuplicate"],
            )
            return decode.identity(created)

        def find() -> str | None:
            return next((n.id for n in self.find(name) if n.labels == labels), None)

        return self._caller.create("creating the network", make, find)

    def connect(
        self, name: str, container: str, aliases: Sequence[str], links: Sequence[str] = ()
    ) -> None:
        try:
            self._caller.read(
                "connecting to the network",
                lambda c: c.connect_container_to_network(
                    container,
                    name,
                    aliases=list(aliases),
                    links=[tuple(link.split(":", 1)) for link in links],
                ),
            )
        except (Conflict, EngineError):
            # It may have been connected by a request whose answer was lost.
            if not self._is_connected(name, container):
                raise

    def _is_connected(self, name: str, container: str) -> bool:
        found = self._caller.read(
            "inspecting a container", lambda c: decode.container(c.inspect_container(container))
        )
        return name in found.network_ids

    def remove(self, ref: str) -> None:
        found = self._inspect(ref)
        if found is None:
            return
        if found.containers:
            # Podman refuses a name that is in use, but removes an id.
            raise network_in_use(f"{len(found.containers)} containers in {found.name}")
        with suppress(NotFound):
            self._caller.read("removing the network", lambda c: c.remove_network(ref))
