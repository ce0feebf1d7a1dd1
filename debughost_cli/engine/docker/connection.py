"""The connection to an engine: the ssh tunnel, the API version, and the facts of the engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import docker.errors
import requests
from msgspec.structs import replace

from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker.circuit import CircuitBreaker
from debughost_cli.engine.docker.client import ApiClient, open_client
from debughost_cli.engine.docker.exceptions import mapped
from debughost_cli.engine.docker.transport import time_limit
from debughost_cli.engine.peer import shares_files
from debughost_cli.engine.reachability import FIRST_ANSWER_TIMEOUT, is_elsewhere, not_an_engine
from debughost_cli.errors import EngineTooOld
from debughost_cli.resources import EngineInfo

if TYPE_CHECKING:
    from debughost_cli.engine.ssh import SshTunnel

NEWEST_API = (1, 51)
"""The newest API that this code was written against; an engine may support a newer one."""
OLDEST_API = (1, 41)
"""Engine 20.10: the first with one-shot stats."""

_UNKNOWN_PATH = (404, 405, 501)


class Connection:
    """An engine that has answered: its client and its facts."""

    def __init__(self, address: Address, circuit: CircuitBreaker) -> None:
        """Raises EngineUnavailable, EngineTimeout, EnginePermissionDenied, EngineTooOld."""
        self.info = EngineInfo(address.url, address.source, certificate=_certificate(address))
        self._address = address
        self._circuit = circuit
        self._tunnel: SshTunnel | None = None
        facts = circuit.call(self._read_facts)
        self.info = _info(address, facts)
        self._version = _negotiate(facts)
        self._client = self.open_another(circuit.timeout)

    @property
    def client(self) -> ApiClient:
        """Its client. Raises what opening the tunnel raises, where that has ended meanwhile."""
        self._open_tunnel()
        return self._client

    def _read_facts(self) -> dict[str, Any]:
        timeout = self._circuit.timeout
        if is_elsewhere(self.info.endpoint):
            timeout = min(timeout, FIRST_ANSWER_TIMEOUT)
        began = time.monotonic()
        with mapped(self.info, "connecting", timeout):
            self._open_tunnel()
            try:
                return self._request_facts(timeout - (time.monotonic() - began))
            except requests.ConnectionError:
                if not (self._tunnel and self._tunnel.dial()):
                    raise
            return self._request_facts(timeout)

    def _request_facts(self, timeout: float) -> dict[str, Any]:
        client = open_client(self._address, _text(OLDEST_API), timeout)
        try:
            with time_limit(timeout):
                facts = client.version(api_version=False)
        except docker.errors.APIError as exc:
            if exc.status_code in _UNKNOWN_PATH:
                raise not_an_engine(self.info, exc.status_code) from exc
            raise
        finally:
            client.close()
        return facts if isinstance(facts, dict) else {}

    def _open_tunnel(self) -> None:
        """Makes an engine behind ssh reachable through a socket of this machine."""
        if self._tunnel:
            self._tunnel.keep_open()
        elif self._address.url.startswith("ssh://"):
            from debughost_cli.engine.ssh import SshTunnel

            self._tunnel = SshTunnel(self.info)
            self._address = replace(self._address, url=self._tunnel.url)

    def open_another(self, timeout: float) -> ApiClient:
        """A client with connections of its own."""
        self._open_tunnel()
        return open_client(self._address, self._version, timeout)

    def close(self) -> None:
        """Closes pooled connections, and ends the ssh that was started for them."""
        self._client.close()
        if self._tunnel:
            self._tunnel.close()


def _numbers(version: Any) -> tuple[int, int]:
    try:
        major, minor = str(version).split(".")[:2]
        return int(major), int(minor)
    except ValueError:
        return (0, 0)


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _negotiate(facts: dict[str, Any]) -> str:
    """The newest API version that both sides support. Raises EngineTooOld."""
    theirs = _numbers(facts.get("ApiVersion"))
    if theirs < OLDEST_API:
        raise EngineTooOld(
            f"the engine's API version is {facts.get('ApiVersion') or 'unknown'}, "
            f"{_text(OLDEST_API)} or later is needed",
            hint="Upgrade it to Docker Engine 20.10 or later",
            details={"api_version": facts.get("ApiVersion"), "needed": _text(OLDEST_API)},
        )
    return _text(min(theirs, NEWEST_API))


def _info(address: Address, facts: dict[str, Any]) -> EngineInfo:
    """Rootless engines name rootlesskit among their components, Docker Desktop its platform."""
    components = [c.get("Name", "") for c in facts.get("Components") or [] if isinstance(c, dict)]
    platform = str((facts.get("Platform") or {}).get("Name", ""))
    mapped_users = "rootlesskit" in components or platform.startswith("Docker Desktop")
    return EngineInfo(
        endpoint=address.url,
        source=address.source,
        version=str(facts.get("Version", "")),
        api_version=str(facts.get("ApiVersion", "")),
        maps_users=mapped_users or facts.get("Os") not in ("linux", None),
        shares_kernel=_shares_kernel(address.url, facts),
        shares_files=shares_files(address.url),
        proxies=address.proxies,
        # The service of Podman makes up another ID for each answer.
        known_as="" if "Podman Engine" in components else address.known_as,
        certificate=_certificate(address),
    )


def _certificate(address: Address) -> str:
    return str(address.cert) if address.tls and address.cert else ""


def _shares_kernel(url: str, facts: dict[str, Any]) -> bool:
    """A socket of this machine may lead to a virtual machine, which has a kernel of its own."""
    from platform import uname

    mine = uname()
    is_same = (facts.get("Os"), facts.get("KernelVersion")) == (mine.system.lower(), mine.release)
    return is_same and url.startswith("unix://")
