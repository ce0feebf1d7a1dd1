"""``status``: every project, measured side by side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from debughost_cli.engine.port import Engine, Missing
from debughost_cli.errors import EngineError
from debughost_cli.models import Container, ContainerSummary, Project, State, Stats, StatsSample
from debughost_cli.planning.usage import usage
from debughost_cli.services.projects import OURS, by_project, describe, not_found, read_marks

WORKERS = 32
SAMPLE_PAUSE = 0.2
"""Seconds between two stats samples where the engine answers at once (Engine 20.10 takes 1 s)."""


class StatusService:
    """Looks, and changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, projects: Sequence[str] = (), *, stats: bool = True) -> tuple[Project, ...]:
        """All projects by name, or those named. Raises ProjectNotFound."""
        groups = by_project(self._engine.list_containers([OURS]))
        for project in projects:
            if project not in groups:
                raise not_found(project, list(groups))
        chosen = [groups[p][0] for p in dict.fromkeys(projects or sorted(groups))]
        if not chosen:
            return ()
        with ThreadPoolExecutor(min(WORKERS, len(chosen))) as pool:
            found = pool.map(lambda s: self._project(s, stats), chosen)
            return tuple(p for p in found if p is not None)

    def _project(self, summary: ContainerSummary, stats: bool) -> Project | None:
        """None where it was removed since the list was made."""
        try:
            first = self._sample(summary) if stats else None
            marks = read_marks(self._engine, summary.id)
            container = self._engine.inspect_container(summary.id)
        except Missing:
            return None
        project = describe(self._engine, container, marks)
        if first is None or project.state is not State.RUNNING:
            return project
        return replace(project, stats=self._stats(first, container))

    def _stats(self, first: StatsSample, container: Container) -> Stats | None:
        time.sleep(SAMPLE_PAUSE)
        try:
            second = self._engine.stats_sample(container.id)
        except EngineError:
            return None
        # A container that ended in between answers with zeros.
        return usage(first, second, container) if second.read_ns else None

    def _sample(self, summary: ContainerSummary) -> StatsSample | None:
        return self._engine.stats_sample(summary.id) if summary.status == "running" else None
