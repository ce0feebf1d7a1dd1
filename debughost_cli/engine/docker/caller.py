"""The one way to call an engine: with a time limit, with retries, and with errors of our own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http import HTTPStatus
from typing import Any, TypeVar

import requests

from debughost_cli.engine.docker.circuit import CircuitBreaker
from debughost_cli.engine.docker.client import ApiClient
from debughost_cli.engine.docker.connection import Connection
from debughost_cli.engine.docker.exceptions import mapped, raise_for_status
from debughost_cli.engine.docker.transport import time_limit
from debughost_cli.engine.reachability import READ_TIMEOUT, unavailable
from debughost_cli.errors import EngineError, EngineTimeout, EngineUnavailable
from debughost_cli.resources import EngineInfo

T = TypeVar("T")

PROMPT = 1.0
"""Seconds within which an engine that is up accepts a new connection and answers a ping."""


class Caller:
    """Calls an engine over a connection."""

    def __init__(
        self, connection: Connection, circuit: CircuitBreaker, trace: Callable[[str], None]
    ) -> None:
        self._connection = connection
        self._circuit = circuit
        self._trace = trace

    @property
    def info(self) -> EngineInfo:
        return self._connection.info

    @property
    def timeout(self) -> float:
        """Seconds that the engine has for an answer."""
        return self._circuit.timeout

    @property
    def connection_failures(self) -> int:
        return self._circuit.connection_failures

    def sleep(self, seconds: float) -> None:
        """Waits between two calls."""
        self._circuit.sleep(seconds)

    def close(self) -> None:
        """No call follows."""
        self._connection.close()

    def read(self, doing: str, call: Callable[[ApiClient], T], extra: float | None = 0.0) -> T:
        """A call that may be repeated: one that only reads, or one whose repeat changes nothing.

        It is answered whole within the timeout and ``extra`` seconds; None: without such a limit,
        as progress streams are.
        """
        return self._circuit.call(lambda: self._once(doing, call, extra))

    def create(self, doing: str, make: Callable[[ApiClient], T], find: Callable[[], T | None]) -> T:
        """A call that must happen once: after a lost answer ``find`` looks for its result."""
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
            return self._circuit.call(attempt)
        except EngineTimeout:
            found = find()
            if found is None:
                raise
            return found

    def get_raw(
        self, path: str, params: dict[str, Any], doing: str, timeout: float = READ_TIMEOUT
    ) -> requests.Response:
        """A GET whose body is left to be read; ``timeout``: seconds without a byte."""

        def call(client: ApiClient) -> requests.Response:
            url = client.url(path)
            response = client.get(url, params=params, stream=True, timeout=timeout)
            raise_for_status(response, doing)
            return response  # type: ignore[no-any-return]  # docker-py ships no types

        return self.read(doing, call)

    @contextmanager
    def once(self, doing: str) -> Iterator[ApiClient]:
        """The client, for one call that is never repeated."""
        with mapped(self.info, doing), time_limit(READ_TIMEOUT):
            yield self._connection.client

    def mapped(self, doing: str) -> AbstractContextManager[None]:
        """Translates what reading a stream raises."""
        return mapped(self.info, doing)

    def ping(self) -> None:
        """Checks on a new connection whether the engine answers."""
        self._circuit.call(self._ping)

    def _ping(self) -> None:
        """Raises EngineUnavailable where it does not, or where it has only just come back.

        An engine that shuts down answers on its open connections until the very end, at last with
        failures, and accepts no new ones; where systemd keeps its socket, they wait.
        """
        began, timeout = time.monotonic(), self.timeout
        with (
            mapped(self.info, "connecting", timeout),
            time_limit(timeout),
            self._connection.open_another(timeout) as client,
        ):
            client.ping()
        if time.monotonic() - began > PROMPT:
            raise unavailable(self.info, "it has only just come back")

    def _once(self, doing: str, call: Callable[[ApiClient], T], extra: float | None = 0.0) -> T:
        self._trace(doing)
        timeout = self.timeout + (extra or 0.0)
        limit = None if extra is None else timeout
        try:
            with mapped(self.info, doing, timeout), time_limit(limit):
                return call(self._connection.client)
        except EngineError as exc:
            if (exc.http_status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR:
                with suppress(EngineError):
                    self._ping()
            raise
