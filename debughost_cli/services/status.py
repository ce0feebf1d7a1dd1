"""``status``: every project, measured side by side, nothing asked twice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from debughost_cli.engine.port import Engine, Missing
from debughost_cli.errors import EngineError
from debughost_cli.models import Container, ContainerSummary, Project, State, StatsSample, Warn
from debughost_cli.planning.usage import usage, warnings
from debughost_cli.services.drift import DriftService
from debughost_cli.services.projects import OURS, by_project, describe, not_found, observe

WORKERS = 32
SAMPLE_PAUSE = 0.2
"""Seconds between two stats samples where the engine answers at once (Engine 20.10 takes 1 s)."""


@dataclass(frozen=True)
class Snapshot:
    """All projects at one moment, with what is worth a warning."""

    projects: tuple[Project, ...]
    warnings: tuple[Warn, ...] = ()


class StatusService:
    """Looks, and changes nothing. One that is asked again measures CPU since the last time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._samples: dict[str, StatsSample] = {}

    def run(self, projects: Sequence[str] = (), *, stats: bool = True) -> Snapshot:
        """All projects by name, or those named. Raises ProjectNotFound."""
        groups = by_project(self._engine.list_containers([OURS]))
        for project in projects:
            if project not in groups:
                raise not_found(project, list(groups))
        chosen = [groups[p][0] for p in dict.fromkeys(projects or sorted(groups))]
        self._samples = {c.id: self._samples[c.id] for c in chosen if c.id in self._samples}
        if not chosen:
            return Snapshot(())
        drift = DriftService(self._engine)
        with ThreadPoolExecutor(min(WORKERS, len(chosen))) as pool:
            found = list(pool.map(lambda s: self._project(s, drift, stats), chosen))
        kept = [f for f in found if f is not None]
        return Snapshot(tuple(p for p, _ in kept), tuple(w for _, ws in kept for w in ws))

    def _project(
        self, summary: ContainerSummary, drift: DriftService, stats: bool
    ) -> tuple[Project, list[Warn]] | None:
        """None where it was removed since the list was made."""
        measured = stats and summary.status == "running"
        try:
            before = self._before(summary.id) if measured else None
            started = time.monotonic()
            container, marks = observe(self._engine, summary.id)
            project = describe(self._engine, container, marks)
            compared = drift.compare(container, marks)
            if before and project.state is State.RUNNING:
                time.sleep(max(0.0, SAMPLE_PAUSE - (time.monotonic() - started)))
                project = self._measured(project, container, before)
        except Missing:
            return None
        project = replace(project, drift=compared.drift, dependencies=compared.dependencies)
        found = warnings(project) + ([compared.warning] if compared.warning else [])
        return project, found

    def _before(self, ref: str) -> StatsSample | None:
        """None for a container that ended since the list was made: the engine's answer is empty."""
        try:
            return self._samples.get(ref) or self._engine.stats_sample(ref)
        except EngineError:
            return None

    def _measured(self, project: Project, container: Container, before: StatsSample) -> Project:
        try:
            after = self._engine.stats_sample(container.id)
        except EngineError:
            return project
        if not after.read_ns:
            # A container that ended in between answers with zeros.
            return project
        self._samples[container.id] = after
        return replace(project, stats=usage(before, after, container))
