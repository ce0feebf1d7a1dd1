"""``wait``: until a condition comes true, or until it no longer can."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress

from msgspec.structs import replace

from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Conflict, Engine, NotFound
from debughost_cli.errors import Interrupted, WaitTimeout
from debughost_cli.models import Action, State
from debughost_cli.planning.exit_reason import state_of
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.resources import Container, ContainerSummary
from debughost_cli.services.companion_status import describe_companions
from debughost_cli.services.conditions import OVER, Condition
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.launcher_news import POLL, LauncherNews
from debughost_cli.services.lock import is_held
from debughost_cli.services.owner_process import is_at_work, this_process
from debughost_cli.services.program_output import ProgramOutput
from debughost_cli.services.progress import NULL_PROGRESS, PhaseKind, Progress
from debughost_cli.services.projects import (
    describe,
    get_instance,
    list_instances,
    log_tail,
    not_found,
    observe,
)
from debughost_cli.services.readiness import ended
from debughost_cli.services.results import ProjectResult

_LOOKS = 10
"""How often a container may be gone before it is looked at."""


def _is_over(container: Container, launcher: LauncherStatus) -> bool:
    """True where it does not run, and nobody is just about to start it."""
    state = state_of(container, launcher)
    if state is State.CREATED:
        this = this_process(host_identity())
        return not is_at_work(container.labels, container.created_at, this)
    return state in OVER


class _View:
    """A project as it was read last. It is read again when its launcher has reported something, or
    at each look where that cannot be known, or where it is not enough (``reads_health``).
    """

    def __init__(
        self, engine: Engine, project: str, clock: Clock, progress: Progress, *, reads_health: bool
    ) -> None:
        self._engine = engine
        self._progress = progress
        self._project = project
        self._clock = clock
        self._reads_health = reads_health
        self._news: LauncherNews | None = None
        self._last: tuple[Container, LauncherStatus] | None = None
        self.companions: Sequence[ContainerSummary] = ()

    def read(self) -> tuple[Container, LauncherStatus]:
        """Its container and launcher status. Raises ProjectNotFound."""
        if self._last is None:
            self._last = self._look()
        return self._last

    def wait(self) -> None:
        """Waits for one look."""
        container, _ = self.read()
        if self._reads_health or not container.is_running:
            self._clock.sleep(POLL)
            self._last = None
            return
        if self._news is None or self._news.ref != container.id:
            self.close()
            started = container.started_at
            output = ProgramOutput(self._engine, container.id, self._progress, started)
            self._news = LauncherNews(self._engine, container.id, self._clock, output)
        if self._news.wait():
            self._last = None

    def _look(self) -> tuple[Container, LauncherStatus]:
        for _ in range(_LOOKS):
            instance = get_instance(self._engine, self._project)
            # It may have been removed or replaced since it was listed.
            with suppress(NotFound):
                self.companions = instance.companions
                return observe(self._engine, instance.main.id)
        raise not_found(self._project, list(list_instances(self._engine)))

    def close(self) -> None:
        """May be called again."""
        if self._news:
            self._news.close()
            self._news = None


class WaitService:
    """Looks every 50 ms, so that the answer comes within 0.3 s of the moment."""

    def __init__(
        self,
        engine: Engine,
        cancelled: Callable[[], bool] = lambda: False,
        clock: Clock = SYSTEM_CLOCK,
        progress: Progress = NULL_PROGRESS,
    ) -> None:
        self._engine = engine
        self._progress = progress
        self._cancelled = cancelled
        self._clock = clock

    def run(self, project: str, condition: Condition, timeout: float) -> ProjectResult:
        """Raises ProjectNotFound, WaitTimeout, Unhealthy, and what tells why it has ended."""
        deadline = self._clock.monotonic() + timeout
        is_shown = False
        view = _View(
            self._engine,
            project,
            self._clock,
            self._progress,
            reads_health=condition.reads_health,
        )
        with closing(condition), closing(view):
            while True:
                held = self._is_held(project)
                container, launcher = view.read()
                if self._came_true(condition, container, launcher, deadline):
                    project_now = describe(self._engine, container, launcher)
                    services = describe_companions(self._engine, view.companions)
                    return ProjectResult(replace(project_now, services=services), Action.UNCHANGED)
                # Held before or after: it may have been read while the command had it down.
                held = held or self._is_held(project)
                if not (condition.wants_end or held) and _is_over(container, launcher):
                    raise ended(self._engine, container, launcher, f"it was {condition.text}")
                if self._cancelled():
                    raise Interrupted
                if self._clock.monotonic() >= deadline:
                    raise self._timeout(container, launcher, condition, timeout)
                if not is_shown:
                    is_shown = True
                    text = f"Waiting until {project} is {condition.text}"
                    self._progress.phase(PhaseKind.WAIT, text)
                view.wait()

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
            return condition.holds(self._engine, container, launcher, left)
        except (NotFound, Conflict):
            return False

    def _is_held(self, project: str) -> bool:
        return is_held(self._engine.identity(), project)

    def _timeout(
        self, container: Container, launcher: LauncherStatus, condition: Condition, timeout: float
    ) -> WaitTimeout:
        project, state = container.project, condition.why_not(container, launcher)
        why = condition.obstacle(container, launcher)
        patience = f"See 'debughost logs -p {project}', or give it longer with --timeout"
        return WaitTimeout(
            f"{project} was not {condition.text} within {timeout:g} s ({state})",
            hint=why.hint if why else patience,
            details={
                "condition": condition.text,
                "status": container.status,
                "reason": why.reason if why else None,
                "listening": list(why.ports) if why else [],
                "log_tail": list(log_tail(self._engine, container)),
            },
            why=why,
        )
