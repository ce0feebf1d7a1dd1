"""Retries, and the circuit breaker that keeps them short while an engine is away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from debughost_cli.engine.reachability import CONNECT_TIMEOUT, READ_TIMEOUT
from debughost_cli.engine.retry import Retrier
from debughost_cli.errors import EngineTimeout, EngineUnavailable

T = TypeVar("T")


class CircuitBreaker:
    """Runs calls with retries; after one that failed, with one short attempt each.

    A rollback of many steps would otherwise take as many times the whole timeout. The circuit is
    closed again by the first call that succeeds.
    """

    def __init__(self, retrier: Retrier, timeout: float = READ_TIMEOUT) -> None:
        self.connection_failures = 0
        self._retrier = retrier
        self._timeout = timeout
        self._is_open = False
        self._thread = threading.local()

    @property
    def timeout(self) -> float:
        """Seconds that the engine has for an answer."""
        return CONNECT_TIMEOUT if self._is_open else self._timeout

    def sleep(self, seconds: float) -> None:
        """Waits between two calls."""
        self._retrier.sleep(seconds)

    def call(self, attempt: Callable[[], T]) -> T:
        """``attempt``'s result. A call within a call leaves retrying to the outer one."""
        if getattr(self._thread, "is_calling", False):
            return attempt()
        counted = partial(self._counted, attempt)
        try:
            self._thread.is_calling = True
            result = counted() if self._is_open else self._retrier.call(counted)
        except (EngineUnavailable, EngineTimeout):
            self._is_open = True
            raise
        finally:
            self._thread.is_calling = False
        self._is_open = False
        return result

    def _counted(self, attempt: Callable[[], T]) -> T:
        try:
            return attempt()
        except EngineUnavailable:
            self.connection_failures += 1
            raise
