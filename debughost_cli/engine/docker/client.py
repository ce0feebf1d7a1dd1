"""docker-py's low-level client with timeouts of our own, and without proxies or netrc."""

from __future__ import annotations

from typing import Any

import docker
import requests
import urllib3

from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker.transport import TcpAdapter, UnixAdapter
from debughost_cli.engine.docker.vendor import socket_path
from debughost_cli.engine.reachability import CONNECT_TIMEOUT, READ_TIMEOUT

POOL_SIZE = 64


class ApiClient(docker.APIClient):  # type: ignore[misc]  # docker-py ships no types
    """docker-py's client with a connect timeout."""

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests' method, with ``(connect, read)`` in place of docker-py's one number; pulls
        and builds, which have no timeout with docker-py, fail after 30 s without a byte.
        """
        read = kwargs.get("timeout")
        if not isinstance(read, tuple):
            kwargs["timeout"] = (CONNECT_TIMEOUT, read or READ_TIMEOUT)
        response: requests.Response = super().request(method, url, *args, **kwargs)
        return response

    def url(self, path: str) -> str:
        """The URL of a path of the API, for requests that docker-py has no method for."""
        return f"{self.base_url}/v{self.api_version}{path}"


def open_client(address: Address, version: str, timeout: float = READ_TIMEOUT) -> ApiClient:
    """A client for one API version, which waits ``timeout`` seconds for an answer."""
    client = ApiClient(
        base_url=address.url,
        version=version,
        timeout=int(timeout),
        tls=_tls(address),
        max_pool_size=POOL_SIZE,
    )
    if address.url.startswith("unix://"):
        client.mount("http+docker://", UnixAdapter(socket_path(client), timeout, POOL_SIZE))
    elif not address.url.startswith("npipe://"):
        for scheme in ("http://", "https://"):
            client.mount(scheme, TcpAdapter(pool_maxsize=POOL_SIZE))
    # Proxy variables and REQUESTS_CA_BUNDLE are about the internet, not about the engine.
    client.trust_env = False
    return client


def _tls(address: Address) -> Any:
    if not address.tls:
        return False
    from docker.tls import TLSConfig

    if not address.verify:
        # The user's own choice, of which urllib3 would write a paragraph for each request.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    pair = (str(address.cert), str(address.key)) if address.cert and address.key else None
    ca = str(address.ca) if address.ca else None
    return TLSConfig(client_cert=pair, ca_cert=ca, verify=address.verify)
