"""``status``: every project, measured in parallel, nothing read twice."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import EngineError
from debughost_cli.models import Project, State, Warn
from debughost_cli.planning.usage import usage, warnings
from debughost_cli.resources import (
    Container,
    ContainerStatus,
    ContainerSummary,
    ProjectInstance,
    StatsSample,
)
from debughost_cli.services.drift import DriftService
from debughost_cli.services.projects import (
    companions,
    describe,
    list_instances,
    not_found,
    observe,
)
from debughost_cli.services.worker_pool import WorkerPool

WORKERS = 16
SAMPLE_PAUSE = 0.1
"""Seconds between two stats samples where the engine answers at once (Engine 20.10 takes 1 s)."""


class Snapshot(Struct, frozen=True):
    """All projects at one moment, with what is worth a warning."""

    projects: tuple[Project, ...]
    warnings: tuple[Warn, ...] = ()


class _Seen(Struct, frozen=True):
    """A project between its two samples."""

    container: Container
    project: Project
    warning: Warn | None


class StatusService:
    """Reads, and changes nothing. Called again, it measures CPU since the last time."""

    def __init__(self, engine: Engine, environ: Mapping[str, str]) -> None:
        self._engine = engine
        self._environ = environ
        self._samples: dict[str, StatsSample] = {}

    def run(self, projects: Sequence[str] = (), *, stats: bool = True) -> Snapshot:
        """All projects by name, or those named. Raises ProjectNotFound."""
        found = list_instances(self._engine)
        for project in projects:
            if project not in found:
                raise not_found(project, list(found))
        chosen = [found[p] for p in dict.fromkeys(projects or sorted(found))]
        ids = {instance.main.id for instance in chosen}
        self._samples = {ref: s for ref, s in self._samples.items() if ref in ids}
        if not chosen:
            return Snapshot(())
        kept = [f for f in self._looked_at(chosen, stats) if f is not None]
        return Snapshot(tuple(p for p, _ in kept), tuple(w for _, ws in kept for w in ws))

    def _looked_at(
        self, chosen: Sequence[ProjectInstance], stats: bool
    ) -> list[tuple[Project, list[Warn]] | None]:
        """In three rounds, so that what lies between two samples of the CPU is put to use."""
        drift = DriftService(self._engine, self._environ)
        with WorkerPool(min(WORKERS, len(chosen))) as pool:
            before = pool.map(lambda i: self._before(i.main) if stats else None, chosen)
            sampled = time.monotonic()
            seen = pool.map(lambda i: self._seen(i, drift), chosen)
            if any(before):
                time.sleep(max(0.0, SAMPLE_PAUSE - (time.monotonic() - sampled)))
            return pool.map(lambda both: self._finished(*both), zip(seen, before, strict=True))

    def _seen(self, instance: ProjectInstance, drift: DriftService) -> _Seen | None:
        """None where it was removed since the list was made."""
        try:
            container, launcher = observe(self._engine, instance.main.id)
            project = describe(self._engine, container, launcher)
            compared = drift.compare(container, launcher)
        except NotFound:
            return None
        project = replace(
            project,
            drift=compared.drift,
            drift_unknown=compared.warning.message if compared.warning else None,
            dependencies=compared.dependencies,
            services=companions(instance.companions),
        )
        return _Seen(container, project, compared.warning)

    def _finished(
        self, seen: _Seen | None, before: StatsSample | None
    ) -> tuple[Project, list[Warn]] | None:
        if seen is None:
            return None
        project = seen.project
        if before and project.state is State.RUNNING:
            project = self._measured(project, seen.container, before)
        return project, warnings(project) + ([seen.warning] if seen.warning else [])

    def _before(self, summary: ContainerSummary) -> StatsSample | None:
        """None where nothing runs: for one that just ended the engine's answer is empty."""
        if summary.status is not ContainerStatus.RUNNING:
            return None
        try:
            return self._samples.get(summary.id) or self._engine.containers.stats(summary.id)
        except EngineError:
            return None

    def _measured(self, project: Project, container: Container, before: StatsSample) -> Project:
        try:
            after = self._engine.containers.stats(container.id)
        except EngineError:
            return project
        if not after.read_ns:
            # A container that ended in between answers with zeros.
            return project
        self._samples[container.id] = after
        return replace(project, stats=usage(before, after, container))
