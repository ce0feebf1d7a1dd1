"""``wait``: until a condition comes true, or until it no longer can."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Conflict, Engine, LogQuery, NotFound
from debughost_cli.errors import Interrupted, Unhealthy, Usage, WaitTimeout
from debughost_cli.models import Action, State
from debughost_cli.planning.exit_reason import state_of
from debughost_cli.planning.listeners import explain_not_ready
from debughost_cli.planning.log_options import is_found
from debughost_cli.planning.log_tail import start_of_run
from debughost_cli.planning.log_times import SECOND, to_ns
from debughost_cli.resources import Container, ContainerStatus, LauncherStatus
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.http_check import TIMEOUT, answers
from debughost_cli.services.lock import is_held
from debughost_cli.services.owner_process import is_at_work, this_process
from debughost_cli.services.projects import (
    describe,
    get_instance,
    list_instances,
    log_tail,
    not_found,
    observe,
)
from debughost_cli.services.readiness import POLL, ended
from debughost_cli.services.results import ProjectResult

_OVER = (State.STOPPED, State.COMPLETED, State.CRASHED)
_SHORTEST = 0.5
"""Seconds that a check gets where the timeout is over: every condition is checked once."""
_LOOKS = 10
"""How often a container may be gone before it is looked at."""

Check = Callable[[Engine, Container, LauncherStatus, float], bool]
"""The last argument: the seconds that are left for it."""


@dataclass(frozen=True)
class Condition:
    """What is waited for: its text, how to check it, and whether it is the end."""

    text: str
    check: Check
    wants_end: bool = False
    wants_port: bool = False


def parse_condition(text: str) -> Condition:
    """running, ready, healthy, exited, http[=PATH] or log=REGEX. Raises Usage."""
    name, _, value = text.partition("=")
    if name == "http":
        path = value or "/"
        if not path.startswith("/") or any(c.isspace() for c in path):
            raise Usage(f"{path!r} is not a path", hint="For example --for http=/health")
        return Condition(text, lambda _, c, m, left: _answers(c, m, path, left), wants_port=True)
    if name == "log" and value:
        return Condition(text, _LogSearch(_regex(value)))
    simple = {"running": _runs, "ready": _is_ready, "healthy": _is_healthy, "exited": _has_ended}
    if text in simple:
        is_ready = text == "ready"
        return Condition(text, simple[text], wants_end=text == "exited", wants_port=is_ready)
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


def _runs(engine: Engine, container: Container, launcher: LauncherStatus, left: float) -> bool:
    return container.status is ContainerStatus.RUNNING


def _is_ready(engine: Engine, container: Container, launcher: LauncherStatus, left: float) -> bool:
    return container.status is ContainerStatus.RUNNING and launcher.ready


def _is_healthy(
    engine: Engine, container: Container, launcher: LauncherStatus, left: float
) -> bool:
    """Raises Unhealthy where the image has no health check, or where it reports so.

    The engine calls unhealthy whatever has ended.
    """
    if container.status is not ContainerStatus.RUNNING:
        return False
    if container.health in (None, "none"):
        raise Unhealthy(
            f"the image of {container.project} has no health check",
            hint=f"Wait for the port instead: debughost wait -p {container.project} --for ready",
        )
    if container.health == "unhealthy":
        raise Unhealthy(
            f"{container.project} is unhealthy by its own health check",
            hint=f"See 'debughost logs -p {container.project}'",
            details={"log_tail": list(log_tail(engine, container))},
        )
    return container.health == "healthy"


def _has_ended(engine: Engine, container: Container, launcher: LauncherStatus, left: float) -> bool:
    return state_of(container, launcher) in _OVER


def _answers(container: Container, launcher: LauncherStatus, path: str, left: float) -> bool:
    """Before the program listens, the port proxy would accept."""
    if not (container.status is ContainerStatus.RUNNING and launcher.ready):
        return False
    return answers(container.port, path, min(TIMEOUT, max(left, _SHORTEST)))


class _LogSearch:
    """Looks for a pattern in the lines of the container's present run, the new ones each time."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self._since: dict[str, float] = {}

    def __call__(
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


def _is_over(container: Container, launcher: LauncherStatus) -> bool:
    """True where it does not run, and nobody is just about to start it."""
    state = state_of(container, launcher)
    if state is State.CREATED:
        this = this_process(host_identity())
        return not is_at_work(container.labels, container.created_at, this)
    return state in _OVER


class WaitService:
    """Looks every 50 ms, so that the answer comes within 0.3 s of the moment."""

    def __init__(
        self,
        engine: Engine,
        cancelled: Callable[[], bool] = lambda: False,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._engine = engine
        self._cancelled = cancelled
        self._clock = clock

    def run(self, project: str, condition: Condition, timeout: float) -> ProjectResult:
        """Raises ProjectNotFound, WaitTimeout, Unhealthy, and what tells why it has ended."""
        deadline = self._clock.monotonic() + timeout
        while True:
            held = self._is_held(project)
            container, launcher = self._look(project)
            if self._came_true(condition, container, launcher, deadline):
                return ProjectResult(describe(self._engine, container, launcher), Action.UNCHANGED)
            # Held before or after: it may have been read while the command had it down.
            held = held or self._is_held(project)
            if not (condition.wants_end or held) and _is_over(container, launcher):
                raise ended(self._engine, container, launcher, f"it was {condition.text}")
            if self._cancelled():
                raise Interrupted
            if self._clock.monotonic() >= deadline:
                raise self._timeout(container, launcher, condition, timeout)
            self._clock.sleep(POLL)

    def _came_true(
        self,
        condition: Condition,
        container: Container,
        launcher: LauncherStatus,
        deadline: float,
    ) -> bool:
        """False for one that is removed since it was read: the next reading finds out."""
        try:
            left = deadline - self._clock.monotonic()
            return condition.check(self._engine, container, launcher, left)
        except (NotFound, Conflict):
            return False

    def _is_held(self, project: str) -> bool:
        return is_held(self._engine.identity(), project)

    def _look(self, project: str) -> tuple[Container, LauncherStatus]:
        for _ in range(_LOOKS):
            instance = get_instance(self._engine, project)
            # It may have been removed or replaced since it was listed.
            with suppress(NotFound):
                return observe(self._engine, instance.main.id)
        raise not_found(project, list(list_instances(self._engine)))

    def _timeout(
        self, container: Container, launcher: LauncherStatus, condition: Condition, timeout: float
    ) -> WaitTimeout:
        project, state = container.project, f"it is {container.status}"
        if condition.wants_port and container.is_running and not launcher.ready:
            state = explain_not_ready(container, launcher).text
        return WaitTimeout(
            f"{project} was not {condition.text} within {timeout:g} s ({state})",
            hint=f"See 'debughost logs -p {project}', or give it longer with --timeout",
            details={
                "condition": condition.text,
                "status": container.status,
                "log_tail": list(log_tail(self._engine, container)),
            },
        )
