"""The connection: docker-py's low-level client with our times, our retries and our errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import docker
import docker.errors
import requests

from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker.transport import TcpAdapter, UnixAdapter, time_limit
from debughost_cli.engine.error_map import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    from_answer,
    mapped,
    unavailable,
)
from debughost_cli.engine.retry import Retrier
from debughost_cli.errors import (
    DebughostError,
    EngineError,
    EngineTimeout,
    EngineTooOld,
    EngineUnavailable,
)
from debughost_cli.resources import EngineInfo

if TYPE_CHECKING:
    from debughost_cli.engine.ssh import SshTunnel

T = TypeVar("T")

NEWEST_API = (1, 51)
"""The newest API that this code was written against; an engine may speak a newer one."""
OLDEST_API = (1, 41)
"""Engine 20.10: the first with one-shot stats."""
POOL_SIZE = 64
PROMPT = 1.0
"""Seconds within which an engine that is up takes a new connection and answers a ping."""


class ApiClient(docker.APIClient):  # type: ignore[misc]  # docker-py ships no types
    """docker-py's client with a connect time of its own, and without proxies or netrc."""

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests', with ``(connect, read)`` in place of docker-py's one number; pulls and
        builds, which have none with docker-py, are given up after 30 s without a byte.
        """
        read = kwargs.get("timeout")
        if not isinstance(read, tuple):
            kwargs["timeout"] = (CONNECT_TIMEOUT, read or READ_TIMEOUT)
        answer: requests.Response = super().request(method, url, *args, **kwargs)
        return answer


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
        path = client._custom_adapter.socket_path  # noqa: SLF001 - it has parsed the address
        client.mount("http+docker://", UnixAdapter(path, timeout, POOL_SIZE))
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

    pair = (str(address.cert), str(address.key)) if address.cert and address.key else None
    ca = str(address.ca) if address.ca else None
    return TLSConfig(client_cert=pair, ca_cert=ca, verify=address.verify)


class Connection:
    """An engine that has answered: its client, its facts, and the one way to call it."""

    def __init__(
        self,
        address: Address,
        retrier: Retrier,
        trace: Callable[[str], None],
        timeout: float | None = None,
    ) -> None:
        self.address = address
        self.retrier = retrier
        self.connection_failures = 0
        self._trace = trace
        self._timeout = timeout or READ_TIMEOUT
        self._circuit_open = False
        self._inner = threading.local()
        self.info = EngineInfo(address.url, address.source, is_local=address.is_local)
        self._tunnel: SshTunnel | None = None
        facts = self._with_retries(self._facts)
        self.info = _info(address, facts)
        self.client = open_client(self.address, _negotiate(facts), self._timeout)

    def _facts(self) -> dict[str, Any]:
        with mapped(self.info, "connecting", self._timeout):
            self._open_tunnel()
            client = open_client(self.address, _text(OLDEST_API), self._timeout)
            try:
                with time_limit(self._timeout):
                    facts = client.version(api_version=False)
            finally:
                client.close()
        return facts if isinstance(facts, dict) else {}

    def _open_tunnel(self) -> None:
        """An engine behind ssh is spoken to through a socket of this machine."""
        if self.address.url.startswith("ssh://"):
            from debughost_cli.engine.ssh import SshTunnel

            self._tunnel = SshTunnel(self.info)
            self.address = replace(self.address, url=self._tunnel.url)

    def close(self) -> None:
        """Gives the sockets back, and ends an ssh that was started for them."""
        self.client.close()
        if self._tunnel:
            self._tunnel.close()

    def read(self, doing: str, call: Callable[[ApiClient], T], extra: float | None = 0.0) -> T:
        """A call that may be repeated: one that only reads, or one whose repeat changes nothing.

        It is answered whole within 30 s and ``extra`` seconds; None: without such a limit, as
        progress streams are.
        """
        return self._with_retries(lambda: self._once(doing, call, extra))

    def create(self, doing: str, make: Callable[[ApiClient], T], find: Callable[[], T | None]) -> T:
        """A call that must happen once: after a lost answer ``find`` looks whether it did."""
        lost = False

        def attempt() -> T:
            nonlocal lost
            found = find() if lost else None
            if found is not None:
                return found
            try:
                return self._once(doing, make)
            except EngineUnavailable:
                lost = True
                raise

        try:
            return self._with_retries(attempt)
        except EngineTimeout:
            found = find()
            if found is None:
                raise
            return found

    def _with_retries(self, attempt: Callable[[], T]) -> T:
        """An engine that was given up once is asked just once, and shortly, until it answers.

        A way back of many steps would otherwise take as many times the whole patience. A call
        within a call, which looks whether it happened, leaves trying again to the outer one.
        """
        if getattr(self._inner, "busy", False):
            return attempt()
        self._inner.busy = True
        try:
            counted = partial(self._counted, attempt)
            answer = counted() if self._circuit_open else self.retrier.call(counted)
        except (EngineUnavailable, EngineTimeout):
            self._circuit_open = True
            raise
        finally:
            self._inner.busy = False
        self._circuit_open = False
        return answer

    @property
    def limit(self) -> float:
        """Seconds that the engine has for an answer."""
        return CONNECT_TIMEOUT if self._circuit_open else self._timeout

    def _counted(self, attempt: Callable[[], T]) -> T:
        try:
            return attempt()
        except EngineUnavailable:
            self.connection_failures += 1
            raise

    def ping(self) -> None:
        """Asks on a new connection whether the engine is there."""
        self._with_retries(self._ping)

    def _ping(self) -> None:
        """Raises EngineUnavailable where it is not, or where it has just come back.

        An engine that shuts down answers on the connections that it has until the very end, at
        last with failures, and takes no new ones; where systemd keeps its socket, they wait.
        """
        began, limit = time.monotonic(), self.limit
        with (
            mapped(self.info, "asking whether it is there", limit),
            time_limit(limit),
            open_client(self.address, self.client.api_version, limit) as client,
        ):
            client.ping()
        if time.monotonic() - began > PROMPT:
            raise unavailable(self.info, "it has only just come back")

    def _once(self, doing: str, call: Callable[[ApiClient], T], extra: float | None = 0.0) -> T:
        self._trace(doing)
        timeout = self.limit + (extra or 0.0)
        limit = None if extra is None else timeout
        try:
            with mapped(self.info, doing, timeout), time_limit(limit):
                return call(self.client)
        except EngineError as exc:
            if (exc.http_status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR:
                with suppress(EngineError):
                    self._ping()
            raise

    def get_raw(self, path: str, params: dict[str, Any], doing: str) -> requests.Response:
        """A GET whose body is left to be read; raises as ``from_answer`` where it is refused."""

        def call(client: ApiClient) -> requests.Response:
            url = f"{client.base_url}/v{client.api_version}{path}"
            answer = client.get(url, params=params, stream=True, timeout=READ_TIMEOUT)
            if answer.status_code >= 400:
                raise _refusal(answer, doing)
            return answer  # type: ignore[no-any-return]  # docker-py ships no types

        return self.read(doing, call)


def _refusal(answer: requests.Response, doing: str) -> DebughostError:
    try:
        words = str(answer.json().get("message", ""))
    except (ValueError, AttributeError):
        words = answer.text[:500]
    return from_answer(answer.status_code, words, doing)


def _numbers(version: Any) -> tuple[int, int]:
    try:
        major, minor = str(version).split(".")[:2]
        return int(major), int(minor)
    except ValueError:
        return (0, 0)


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _negotiate(facts: dict[str, Any]) -> str:
    """The newest API version that both sides speak. Raises EngineTooOld."""
    theirs = _numbers(facts.get("ApiVersion"))
    if theirs < OLDEST_API:
        raise EngineTooOld(
            f"the engine speaks API {facts.get('ApiVersion') or 'of no known version'}, "
            f"{_text(OLDEST_API)} is needed",
            hint="Upgrade it to Docker Engine 20.10 or later",
            details={"api_version": facts.get("ApiVersion"), "needed": _text(OLDEST_API)},
        )
    return _text(min(theirs, NEWEST_API))


def _info(address: Address, facts: dict[str, Any]) -> EngineInfo:
    """Rootless engines name rootlesskit among their components, Docker Desktop its platform."""
    components = [c.get("Name", "") for c in facts.get("Components") or [] if isinstance(c, dict)]
    platform = str((facts.get("Platform") or {}).get("Name", ""))
    mapped_users = "rootlesskit" in components or platform.startswith("Docker Desktop")
    rootless_podman = "Podman Engine" in components and "/run/user/" in address.url
    return EngineInfo(
        endpoint=address.url,
        source=address.source,
        version=str(facts.get("Version", "")),
        api_version=str(facts.get("ApiVersion", "")),
        maps_users=mapped_users or rootless_podman or facts.get("Os") not in ("linux", None),
        is_local=address.is_local,
    )
