"""The conditions of ``wait``."""

from __future__ import annotations

import re
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Engine, LogQuery
from debughost_cli.errors import Unhealthy, Usage
from debughost_cli.models import State
from debughost_cli.planning.exit_reason import state_of
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.planning.listeners import NotReadyReason, explain_not_ready
from debughost_cli.planning.log_options import is_found
from debughost_cli.planning.log_tail import start_of_run
from debughost_cli.planning.log_times import SECOND, to_ns
from debughost_cli.resources import Container, ContainerStatus
from debughost_cli.services.http_check import Answer, Request
from debughost_cli.services.obstacles import Obstacles
from debughost_cli.services.projects import log_tail

OVER = (State.STOPPED, State.COMPLETED, State.CRASHED)
_SHORTEST = 0.5
"""Seconds that a check gets where the timeout is over: every condition is checked once."""
_SLICE = 0.1
"""Seconds for which an answer is waited for at a time."""


class Condition(ABC):
    """What is waited for in one project; to be closed at the end.

    ``wants_end``: whether a project that has ended is what is waited for. ``reads_health``: whether
    it depends on the container's health, which its launcher knows nothing of.
    """

    wants_end = False
    reads_health = False

    def __init__(self, text: str) -> None:
        self.text = text

    @abstractmethod
    def holds(
        self, engine: Engine, container: Container, launcher: LauncherStatus, left: float
    ) -> bool:
        """``left``: the seconds that there are for it. Raises Unhealthy, NotFound, Conflict."""

    def obstacle(self, container: Container, launcher: LauncherStatus) -> NotReadyReason | None:
        """What keeps a running project from being ready, where it has to be that."""
        return None

    def why_not(self, container: Container, launcher: LauncherStatus) -> str:
        """What was found last, as part of an error's message."""
        reason = self.obstacle(container, launcher)
        return reason.message if reason else f"it is {container.status}"

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """May be called again."""


def parse_condition(text: str, clock: Clock = SYSTEM_CLOCK) -> Condition:
    """running, ready, healthy, exited, http[=PATH] or log=REGEX. Raises Usage."""
    name, _, value = text.partition("=")
    if name == "http":
        path = value or "/"
        if not path.startswith("/") or any(c.isspace() for c in path):
            raise Usage(f"{path!r} is not a path", hint="For example --for http=/health")
        return _Answers(text, path)
    if name == "log" and value:
        return _LogSearch(text, _regex(value))
    simple: dict[str, Callable[[str], Condition]] = {
        "running": _Runs,
        "ready": partial(_IsReady, clock=clock),
        "healthy": _IsHealthy,
        "exited": _HasEnded,
    }
    if text in simple:
        return simple[text](text)
    raise Usage(
        f"--for cannot be {text[:60]!r}",
        hint="Use running, ready, healthy, exited, http[=PATH] or log=REGEX",
    )


def _regex(text: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(text)
    except (re.error, OverflowError, RecursionError) as exc:
        raise Usage(
            f"{text!r} is not a regular expression: {exc}", hint="Quote it for Python"
        ) from None


class _Runs(Condition):
    def holds(
        self, engine: Engine, container: Container, launcher: LauncherStatus, left: float
    ) -> bool:
        return container.status is ContainerStatus.RUNNING


class _HasEnded(Condition):
    wants_end = True

    def holds(
        self, engine: Engine, container: Container, launcher: LauncherStatus, left: float
    ) -> bool:
        return state_of(container, launcher) in OVER


class _IsReady(Condition):
    def __init__(self, text: str, clock: Clock) -> None:
        super().__init__(text)
        self._clock = clock
        self._obstacles: Obstacles | None = None
        self._certain: NotReadyReason | None = None

    def holds(
        self, engine: Engine, container: Container, launcher: LauncherStatus, left: float
    ) -> bool:
        """A program that was mended may still become ready, so that no obstacle ends the wait."""
        if self._obstacles is None:
            self._obstacles = Obstacles(engine, self._clock)
        if self._obstacles.is_ready(container, launcher):
            return True
        self._certain = self._obstacles.certain(container, launcher) or self._certain
        return False

    def obstacle(self, container: Container, launcher: LauncherStatus) -> NotReadyReason | None:
        if not (self._obstacles and container.is_running):
            return None
        return self._certain or self._obstacles.likely(container, launcher)

    def close(self) -> None:
        if self._obstacles:
            self._obstacles.close()


class _IsHealthy(Condition):
    reads_health = True

    def holds(
        self, engine: Engine, container: Container, launcher: LauncherStatus, left: float
    ) -> bool:
        """Raises Unhealthy where the image has no health check, or where it reports so.

        The engine calls unhealthy whatever has ended.
        """
        if container.status is not ContainerStatus.RUNNING:
            return False
        if container.health in (None, "none"):
            raise Unhealthy(
                f"the image of {container.project} has no health check",
                hint=f"Wait for the port instead: debughost wait -p {container.project} "
                "--for ready",
            )
        if container.health == "unhealthy":
            raise Unhealthy(
                f"{container.project} is unhealthy by its own health check",
                hint=f"See 'debughost logs -p {container.project}'",
                details={"log_tail": list(log_tail(engine, container))},
            )
        return container.health == "healthy"


class _Answers(Condition):
    """One request at a time: it has all the time that there is, for a page may come late."""

    def __init__(self, text: str, path: str) -> None:
        super().__init__(text)
        self._path = path
        self._request: Request | None = None
        self._run: tuple[object, ...] = ()
        self._last: Answer | None = None

    def holds(
        self, engine: Engine, container: Container, launcher: LauncherStatus, left: float
    ) -> bool:
        """Before the program listens, the port proxy would accept."""
        run = (container.id, container.started_at)
        if run != self._run:
            self.close()
            self._run, self._last = run, None
        if not (container.status is ContainerStatus.RUNNING and launcher.ready):
            return False
        if self._request is None:
            self._request = Request("127.0.0.1", container.port, self._path)
        answer = self._request.answer(_SLICE if left > 0 else _SHORTEST)
        if answer:
            self.close()
            self._last = answer
        return answer is not None and answer.is_good

    def obstacle(self, container: Container, launcher: LauncherStatus) -> NotReadyReason | None:
        is_ready = launcher.ready or not container.is_running
        return None if is_ready else explain_not_ready(container, launcher)

    def why_not(self, container: Container, launcher: LauncherStatus) -> str:
        if not (container.is_running and launcher.ready):
            return super().why_not(container, launcher)
        found = [f"the last answer: {self._last.text}"] if self._last else []
        found += ["one has not come yet"] if self._request else []
        return ", ".join(found) or "it was not asked"

    def close(self) -> None:
        if self._request:
            self._request.close()
            self._request = None


class _LogSearch(Condition):
    """Looks for a pattern in the lines of the container's present run, the new ones each time."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        super().__init__(text)
        self._pattern = pattern
        self._since: dict[str, float] = {}

    def holds(
        self, engine: Engine, container: Container, launcher: LauncherStatus, left: float
    ) -> bool:
        over = time.monotonic() + max(left, _SHORTEST)
        since = max(start_of_run(container) or 0.0, self._since.get(container.id, 0.0))
        last = ""
        for line in engine.containers.logs(container.id, LogQuery(since=since)):
            if is_found(self._pattern, line.data):
                return True
            last = line.ts
            if time.monotonic() >= over:
                # A program that writes faster than it is read would never be through.
                break
        if last:
            # By the engine's clock; with an overlap, for two streams may come out of order.
            self._since[container.id] = max(since, to_ns(last) / SECOND - 1.0)
        return False
