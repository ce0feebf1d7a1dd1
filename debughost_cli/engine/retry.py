"""Retries after 1, 2 and 4 seconds, each of them reported.

tenacity is loaded only once something has failed, which keeps the usual start fast.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from debughost_cli.engine.reachability import HostUnreachable
from debughost_cli.errors import EngineUnavailable

T = TypeVar("T")
OnRetry = Callable[[str], None]

WAITS = (1.0, 2.0, 4.0)
ENOUGH = 30.0
"""Seconds for one operation: after so many no further retry is started."""


class Retrier:
    """Runs calls; one that raises an EngineUnavailable that may pass runs up to three times more.

    A timeout is not retried: an engine that accepted a request and hangs will hang again, and the
    user would wait for minutes. Machines that do not answer at all, permissions and malformed
    addresses are not either.
    """

    def __init__(
        self, on_retry: OnRetry | None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Without ``on_retry`` there are no retries."""
        self._on_retry = on_retry
        self.sleep = sleep

    def call(self, attempt: Callable[[], T]) -> T:
        """``attempt``'s result, or its last EngineUnavailable."""
        try:
            return attempt()
        except EngineUnavailable as exc:
            if self._on_retry is None or not _may_pass(exc):
                raise
            return self._retry(attempt, exc, self._on_retry)

    def _retry(self, attempt: Callable[[], T], first: EngineUnavailable, report: OnRetry) -> T:
        from tenacity import (
            Retrying,
            retry_if_exception,
            stop_after_attempt,
            stop_after_delay,
            wait_chain,
        )
        from tenacity.wait import wait_fixed

        report(_line(first, WAITS[0]))
        self.sleep(WAITS[0])
        retrying = Retrying(
            stop=stop_after_attempt(len(WAITS)) | stop_after_delay(ENOUGH),
            wait=wait_chain(*[wait_fixed(s) for s in WAITS[1:]]),
            retry=retry_if_exception(_may_pass),
            before_sleep=lambda state: report(
                _line(state.outcome.exception() if state.outcome else None, state.upcoming_sleep)
            ),
            sleep=self.sleep,
            reraise=True,
        )
        return retrying(attempt)


def _may_pass(exc: BaseException) -> bool:
    if isinstance(exc, HostUnreachable):
        return False
    return isinstance(exc, EngineUnavailable) and exc.retryable


def _line(exc: BaseException | None, seconds: float) -> str:
    return f"{exc}; trying again in {seconds:.0f} s"
