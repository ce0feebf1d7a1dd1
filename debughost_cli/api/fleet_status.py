"""``status`` of projects on several engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli.api.across import not_on_any
from debughost_cli.api.engine_source import EngineSource
from debughost_cli.api.fleet import Answer, Fleet
from debughost_cli.engine.port_swarm_types import SwarmRole
from debughost_cli.services.engine_load import EngineLoad, EngineState, load_of
from debughost_cli.services.status import Snapshot, StatusService

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine
    from debughost_cli.project.engines import EngineEntry


class _Seen(Struct, frozen=True):
    """The projects of one engine."""

    identity: str
    snapshot: Snapshot
    role: SwarmRole


def _without_tasks(seen: Sequence[_Seen]) -> list[Snapshot]:
    """What a swarm runs on a node is shown where its manager is, which knows the rest of it."""
    managed = {
        p.container.id
        for s in seen
        if s.role is SwarmRole.MANAGER
        for p in s.snapshot.projects
        if p.container
    }
    return [
        s.snapshot
        if s.role is SwarmRole.MANAGER
        else replace(
            s.snapshot,
            projects=tuple(
                p for p in s.snapshot.projects if not (p.container and p.container.id in managed)
            ),
        )
        for s in seen
    ]


class FleetStatus:
    """Reads all engines at once. Called again, it measures CPU since the last time."""

    def __init__(self, fleet: Fleet, environ: Mapping[str, str]) -> None:
        self._fleet = fleet
        self._environ = environ
        self._services: dict[str, tuple[Engine, StatusService]] = {}

    def run(self, projects: Sequence[str] = (), *, stats: bool = True) -> Snapshot:
        """All projects by engine, or those named.

        Raises ProjectNotFound for one that no engine has, where all of them answered.
        """

        def work(source: EngineSource, engine: Engine) -> _Seen:
            service = self._service(source.name, engine)
            found = service.run(projects, stats=stats, must_exist=False)
            role = engine.membership().role
            return _Seen(engine.identity(), _named(found, source), role)

        answers = self._fleet.ask(work)
        seen: dict[str, _Seen] = {}
        for answer in answers:
            if answer.value:
                seen.setdefault(answer.value.identity, answer.value)
        shown = _without_tasks(list(seen.values()))
        self._check(projects, shown, answers)
        return Snapshot(
            tuple(p for s in shown for p in s.projects),
            tuple(w for s in shown for w in s.warnings),
            tuple(answer.report for answer in answers),
        )

    def _service(self, name: str, engine: Engine) -> StatusService:
        known = self._services.get(name)
        if known is None or known[0] is not engine:
            known = self._services[name] = engine, StatusService(engine, self._environ)
        return known[1]

    def _check(
        self,
        projects: Sequence[str],
        shown: Sequence[Snapshot],
        answers: Sequence[Answer[_Seen]],
    ) -> None:
        present = {p.project for s in shown for p in s.projects}
        missing = [p for p in projects if p not in present]
        if missing and all(a.error is None for a in answers):
            raise not_on_any(missing[0], {p for f in self._fleet.listed() for p in f.projects}, ())


def status_of(
    places: Mapping[str, EngineSource], environ: Mapping[str, str], *, stats: bool
) -> Snapshot:
    """Of projects whose engines are known, in that order."""
    groups: dict[str, tuple[EngineSource, list[str]]] = {}
    for project, source in places.items():
        groups.setdefault(source.name, (source, []))[1].append(project)
    found = [
        _named(StatusService(source.get(), environ).run(projects, stats=stats), source)
        for source, projects in groups.values()
    ]
    by_id = {p.project: p for s in found for p in s.projects}
    shown = tuple(by_id[p] for p in places if p in by_id)
    return Snapshot(shown, tuple(w for s in found for w in s.warnings))


def _named(found: Snapshot, source: EngineSource) -> Snapshot:
    name = source.name or None
    return replace(found, projects=tuple(replace(p, engine=name) for p in found.projects))


def states_of(fleet: Fleet, entries: Mapping[str, EngineEntry]) -> list[EngineState]:
    """Each of its engines with what runs there."""

    def work(_: EngineSource, engine: Engine) -> tuple[str, EngineLoad]:
        return engine.info.version, load_of(engine)

    return [
        EngineState(answer.report, capacity, *(answer.value or ()))
        for answer in (fleet.ask(work) if fleet else ())
        for capacity in (entries[answer.source.name].capacity,)
    ]
