"""``status``: every project, measured in parallel, nothing read twice."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import DebughostError, EngineError
from debughost_cli.models import Companion, Project, State, Stats, Warn
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.planning.usage import usage, warnings
from debughost_cli.resources import (
    Container,
    ContainerStatus,
    ContainerSummary,
    ProjectInstance,
    StatsSample,
)
from debughost_cli.services.companion_status import describe_companion
from debughost_cli.services.drift import Comparison, DriftService
from debughost_cli.services.projects import (
    describe,
    list_instances,
    not_found,
    observe,
)
from debughost_cli.services.results import EngineReport, unanswered
from debughost_cli.services.worker_pool import WorkerPool

WORKERS = 16
READ_EVERY = 10.0
"""Seconds between two readings of what takes long and hardly ever changes: a workspace's
configuration, and how a program is that was ready.
"""
LONGEST_SPAN = 60.0
"""Seconds after which a sample is too old to tell what a container uses now."""
WORTH = 20
"""Seconds for which a sample counts that took one second."""
SAMPLE_PAUSE = 0.1
"""Seconds between two stats samples where the engine answers at once (Engine 20.10 takes 1 s)."""


class Snapshot(Struct, frozen=True):
    """All projects at one moment, with what is worth a warning."""

    projects: tuple[Project, ...]
    warnings: tuple[Warn, ...] = ()
    engines: tuple[EngineReport, ...] = ()
    """Those that were asked, where that were several."""

    @property
    def error(self) -> DebughostError | None:
        """Where some of them did not answer."""
        return unanswered(self.engines)


class _Seen(Struct, frozen=True):
    """A project between its two samples, with the containers of its services."""

    container: Container
    project: Project
    warning: Warn | None
    services: tuple[tuple[Container, Companion], ...]


class _Measured(Struct, frozen=True):
    """Two samples of a container. ``at``, ``until``: when the second was taken, and until when it
    is not taken again, by the monotonic clock.
    """

    before: StatsSample
    after: StatsSample
    at: float
    until: float


class _Observed(Struct, frozen=True):
    """A container that was ready, with its status in the list, and until when that counts."""

    status_text: str
    until: float
    found: tuple[Container, LauncherStatus]


class _Compared(Struct, frozen=True):
    """A run of a container with what it was compared with, and until when that counts."""

    run: tuple[object, ...]
    until: float
    found: Comparison


class StatusService:
    """Reads, and changes nothing. Called again, it measures CPU since the last time.

    ``measured_every``: seconds for which what was measured counts, and is not measured again; more
    of them where the engine takes long to measure.
    ``read_every``: seconds between two readings of a workspace's configuration, and of a container
    that was ready as long as its status in the list is the same.
    Several threads may call one service.
    """

    def __init__(
        self,
        engine: Engine,
        environ: Mapping[str, str],
        clock: Clock = SYSTEM_CLOCK,
        *,
        measured_every: float = 0.0,
        read_every: float = READ_EVERY,
    ) -> None:
        self._engine = engine
        self._environ = environ
        self._clock = clock
        self._measured_every = measured_every
        self._read_every = read_every
        self._measured: dict[str, _Measured] = {}
        self._observed: dict[str, _Observed] = {}
        self._compared: dict[str, _Compared] = {}

    def run(
        self, projects: Sequence[str] = (), *, stats: bool = True, must_exist: bool = True
    ) -> Snapshot:
        """All projects by name, or those named.

        Raises ProjectNotFound, unless they do not have to exist.
        """
        found = list_instances(self._engine)
        for project in projects:
            if project not in found and must_exist:
                raise not_found(project, list(found))
        names = dict.fromkeys(projects or sorted(found))
        chosen = [found[p] for p in names if p in found]
        ids = {c.id for i in found.values() for c in (i.main, *i.companions)}
        self._measured = {ref: m for ref, m in dict(self._measured).items() if ref in ids}
        self._observed = {ref: o for ref, o in dict(self._observed).items() if ref in ids}
        self._compared = {ref: c for ref, c in dict(self._compared).items() if ref in ids}
        if not chosen:
            return Snapshot(())
        kept = self._looked_at(chosen, stats)
        return Snapshot(tuple(p for p, _ in kept), tuple(w for _, ws in kept for w in ws))

    def _looked_at(
        self, chosen: Sequence[ProjectInstance], stats: bool
    ) -> list[tuple[Project, list[Warn]]]:
        """In three rounds, so that what lies between two samples of the CPU is put to use."""
        drift = DriftService(self._engine, self._environ)
        measured = [c for i in chosen for c in (i.main, *i.companions)] if stats else []
        with WorkerPool(min(WORKERS, max(len(chosen), len(measured)))) as pool:
            before = pool.map(self._before, measured)
            sampled = self._clock.monotonic()
            seen = pool.map(lambda i: self._seen(i, drift), chosen)
            if any(isinstance(sample, StatsSample) for sample in before):
                time.sleep(max(0.0, SAMPLE_PAUSE - (self._clock.monotonic() - sampled)))
            pairs = zip(measured, before, strict=True)
            running = [(c.id, sample) for c, sample in pairs if sample]
            after = pool.map(lambda both: self._after(*both), running)
        usages = {ref: both for ref, both in after if both}
        return [self._finished(found, usages) for found in seen if found]

    def _seen(self, instance: ProjectInstance, drift: DriftService) -> _Seen | None:
        """None where it was removed since the list was made."""
        try:
            container, launcher = self._observe(instance.main)
            project = describe(self._engine, container, launcher)
            compared = self._compare(container, launcher, instance, drift)
        except NotFound:
            return None
        found = [describe_companion(self._engine, c) for c in instance.companions]
        project = replace(
            project,
            drift=compared.drift,
            drift_unknown=compared.warning.message if compared.warning else None,
            dependencies=compared.dependencies,
            sync=compared.sync or project.sync,
        )
        return _Seen(container, project, compared.warning, tuple(both for both in found if both))

    def _observe(self, summary: ContainerSummary) -> tuple[Container, LauncherStatus]:
        """Raises NotFound."""
        now, known = self._clock.monotonic(), self._observed.get(summary.id)
        if known and known.status_text == summary.status_text and now < known.until:
            return known.found
        container, launcher = observe(self._engine, summary.id)
        if summary.status_text and launcher.ready:
            kept = _Observed(summary.status_text, now + self._read_every, (container, launcher))
            self._observed[summary.id] = kept
        return container, launcher

    def _compare(
        self,
        container: Container,
        launcher: LauncherStatus,
        instance: ProjectInstance,
        drift: DriftService,
    ) -> Comparison:
        """Of the same run, as it was a moment ago."""
        now, known = self._clock.monotonic(), self._compared.get(container.id)
        services = tuple(c.id for c in instance.companions)
        run = (container.started_at, launcher.dependencies, services)
        if known and known.run == run and now < known.until:
            return known.found
        found = drift.compare(container, launcher, instance)
        self._compared[container.id] = _Compared(run, now + self._read_every, found)
        return found

    def _finished(self, seen: _Seen, usages: Mapping[str, _Measured]) -> tuple[Project, list[Warn]]:
        def stats_of(container: Container, state: State | None) -> Stats | None:
            both = usages.get(container.id) if state is State.RUNNING else None
            return usage(both.before, both.after, container) if both else None

        services = tuple(
            replace(companion, stats=stats_of(container, companion.state))
            for container, companion in seen.services
        )
        project = replace(
            seen.project, services=services, stats=stats_of(seen.container, seen.project.state)
        )
        return project, warnings(project) + ([seen.warning] if seen.warning else [])

    def _before(self, summary: ContainerSummary) -> StatsSample | _Measured | None:
        """A first sample, or what was measured last.

        None where nothing runs: for one that just ended the engine's answer is empty.
        """
        if summary.status is not ContainerStatus.RUNNING:
            return None
        known = self._measured.get(summary.id)
        if known and self._clock.monotonic() - known.at < LONGEST_SPAN:
            return known
        try:
            return self._engine.containers.stats(summary.id)
        except EngineError:
            return None

    def _after(self, ref: str, before: StatsSample | _Measured) -> tuple[str, _Measured | None]:
        if isinstance(before, _Measured):
            if self._clock.monotonic() < before.until:
                return ref, before
            before = before.after
        began = self._clock.monotonic()
        try:
            after = self._engine.containers.stats(ref)
        except (EngineError, NotFound):
            return ref, None
        if not after.read_ns:
            # A container that ended in between answers with zeros.
            return ref, None
        now = self._clock.monotonic()
        counts = max(self._measured_every, WORTH * (now - began)) if self._measured_every else 0.0
        self._measured[ref] = measured = _Measured(before, after, now, now + counts)
        return ref, measured
