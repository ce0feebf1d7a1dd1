"""The engines of the user's own file, asked all at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.api.engine_source import ANSWER_TIMEOUT, EngineSource
from debughost_cli.engine.port_swarm_types import SwarmRole
from debughost_cli.errors import DebughostError, EngineTimeout, ExitCode, Usage, WorkspaceConflict
from debughost_cli.services.projects import list_instances
from debughost_cli.services.results import EngineReport
from debughost_cli.services.worker_pool import Pending, WorkerPool

if TYPE_CHECKING:
    from debughost_cli.api.engine_sources import EngineSources
    from debughost_cli.engine.port import Engine
    from debughost_cli.resources import ProjectInstance

T = TypeVar("T")
Work = Callable[[EngineSource, "Engine"], T]


class Answer(Struct, Generic[T], frozen=True):
    """What came of asking one engine: ``value``, or the ``error`` for which there is none."""

    source: EngineSource
    value: T | None = None
    error: DebughostError | None = None

    @property
    def report(self) -> EngineReport:
        """As it is shown."""
        info = self.source.info
        return EngineReport(self.source.name, info.endpoint if info else "", self.error)


class Found(Struct, frozen=True):
    """The projects of one engine."""

    source: EngineSource
    projects: Mapping[str, ProjectInstance]
    identity: str = ""
    is_manager: bool = False
    """Whether it lists what a swarm runs on other engines, too."""


class Fleet:
    """All of them by name. Nothing is asked before the first call."""

    def __init__(self, sources: EngineSources) -> None:
        """Raises InvalidConfig."""
        self._sources = [sources.named(name) for name in sources.entries]
        self.answers: Sequence[Answer[Found]] = ()
        self.found: Sequence[Found] = ()
        """Both of the last listing."""

    def __bool__(self) -> bool:
        return bool(self._sources)

    def required(self) -> Fleet:
        """Itself. Raises Usage where the user's file names none."""
        if not self._sources:
            from debughost_cli.project.user import user_file

            raise Usage(
                "no engines are named",
                hint=f'Name them in {user_file()}: [engines], then build = "ssh://me@build"',
            )
        return self

    def ask(self, work: Work[T]) -> list[Answer[T]]:
        """What ``work`` returns for each. One that does not answer within 3 s is left behind.

        ``work`` itself may take longer, as long as the engine goes on answering.
        """
        inquiries = [_Inquiry(source, work) for source in self._sources]
        deadline = time.monotonic() + ANSWER_TIMEOUT
        with WorkerPool(len(inquiries)) as pool:
            pending = [pool.start(inquiry.run) for inquiry in inquiries]
            return [i.answer(p, deadline) for i, p in zip(inquiries, pending, strict=True)]

    def listed(self) -> Sequence[Found]:
        """The projects of those that answer; an engine that has two names counts once."""

        def work(source: EngineSource, engine: Engine) -> Found:
            is_manager = engine.membership().role is SwarmRole.MANAGER
            return Found(source, list_instances(engine), engine.identity(), is_manager)

        self.answers = self.ask(work)
        found: dict[str, Found] = {}
        for answer in self.answers:
            if answer.value:
                found.setdefault(answer.value.identity, answer.value)
        self.found = _without_tasks(list(found.values()))
        return self.found

    def find(self, project: str) -> EngineSource | None:
        """The engine that has a project. Raises WorkspaceConflict where two have it."""
        return self.only(project, self.listed())

    def any(self) -> Engine:
        """The first that answers, for what each of them can tell. Raises what connecting raises."""
        answers = self.ask(lambda _, engine: engine)
        for answer in answers:
            if answer.value:
                return answer.value
        raise answers[0].error or EngineTimeout("no engine answered")

    def only(self, project: str, engines: Sequence[Found]) -> EngineSource | None:
        """The one of ``engines`` that has it, None for none. Raises WorkspaceConflict for two."""
        found = [f.source for f in engines if project in f.projects]
        if len(found) > 1:
            raise two_engines(project, [source.name for source in found])
        return found[0] if found else None

    @property
    def reports(self) -> tuple[EngineReport, ...]:
        """Of the last listing."""
        return tuple(answer.report for answer in self.answers)

    @property
    def silent(self) -> list[str]:
        """The names of those that did not answer the last listing."""
        return [a.source.name for a in self.answers if a.error]


def is_task(instance: ProjectInstance, projects: Iterable[str]) -> bool:
    """Whether it is what a swarm runs of one of ``projects``, which its manager lists as well."""
    labels = instance.main.labels
    return bool(labels.get(names.SWARM_SERVICE)) and instance.project in projects


def _without_tasks(found: Sequence[Found]) -> list[Found]:
    """The project of a swarm is where its manager is; the nodes only run it."""
    managed = {p for f in found if f.is_manager for p in f.projects}
    return [
        f
        if f.is_manager
        else replace(f, projects={p: i for p, i in f.projects.items() if not is_task(i, managed)})
        for f in found
    ]


def two_engines(project: str, engines: Sequence[str]) -> WorkspaceConflict:
    """The same project is on more than one engine."""
    return WorkspaceConflict(
        f"project {project} is on several engines: {', '.join(engines)}",
        hint=f"Say which one is meant: --engine {engines[0]}; to remove the other: "
        f"debughost rm -p {project} --engine {engines[-1]}",
        details={"project": project, "engines": list(engines)},
    )


class _Inquiry(Generic[T]):
    """One engine that is asked, in a thread of its own."""

    def __init__(self, source: EngineSource, work: Work[T]) -> None:
        self._source = source
        self._work = work
        self._connected = threading.Event()

    def run(self) -> T:
        try:
            engine = self._source.quick()
        finally:
            self._connected.set()
        return self._work(self._source, engine)

    def answer(self, pending: Pending[T], deadline: float) -> Answer[T]:
        """Waits for it. Raises what is no failure of the engine."""
        if not self._connected.wait(max(0.0, deadline - time.monotonic())):
            return Answer(self._source, error=_no_answer(self._source))
        try:
            return Answer(self._source, pending.result())
        except DebughostError as exc:
            if exc.exit_code is ExitCode.ENGINE:
                self._source.forget()
            return Answer(self._source, error=exc)


def _no_answer(source: EngineSource) -> EngineTimeout:
    return EngineTimeout(
        f"engine {source.name} did not answer within {ANSWER_TIMEOUT:.0f} s",
        hint=f"See whether it runs: debughost doctor --engine {source.name}",
        details={"engine": source.name},
    )
