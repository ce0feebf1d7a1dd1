"""``up``: get the image, look, plan, carry out, wait. A failed run leaves what it found."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace

from debughost_cli import names
from debughost_cli.engine.port import Clash, Engine, Missing, Spoilt
from debughost_cli.errors import (
    Busy,
    Crashed,
    DebughostError,
    DependenciesFailed,
    DiskFull,
    EngineError,
    ImageNotFound,
    Interrupted,
    NotReady,
    PortInUse,
    StartFailed,
    VolumeNotWritable,
)
from debughost_cli.models import Action, ContainerRef, Project
from debughost_cli.planning.ports import port_in_use
from debughost_cli.planning.up import Do, Manner
from debughost_cli.resources import Container, Marks
from debughost_cli.services import room
from debughost_cli.services.converge import RESTORE, Converger
from debughost_cli.services.drift import freshness
from debughost_cli.services.images import ImageService
from debughost_cli.services.lock import PATIENCE, project_lock
from debughost_cli.services.network import NetworkService
from debughost_cli.services.observe import Observer, Overtaken, View
from debughost_cli.services.port_table import PortTable
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import describe, observe, read_marks, url_of
from debughost_cli.services.readiness import wait_ready
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.undo import Undo
from debughost_cli.services.volumes import remove_ours
from debughost_cli.services.wanted import Wanted

LOOK_AGAIN = 0.2
"""Seconds between looks while another client is making the project's container."""
BUILD_PATIENCE = 1800.0
"""Seconds to wait for another command that builds the same image."""
TRIES = 3
"""How many containers are made when the engine ends in the middle of it and spoils them."""

_Outcome = tuple[Container, Marks] | DebughostError
_ENDED = (Crashed, StartFailed, DependenciesFailed, VolumeNotWritable, DiskFull)


class _Snatched(Exception):
    """The port was free when it was chosen, and the engine found it taken at the start."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port


@dataclass(frozen=True)
class UpOptions:
    """How ``up`` goes about it; none of it is part of the container.

    ``pull``: missing, always or never. ``grace``: seconds that a container which is replaced or
    restarted has to end; ``cancelled`` is asked while waiting.
    """

    manner: Manner = field(default_factory=Manner)
    pull: str = "missing"
    grace: int = 10
    cancelled: Callable[[], bool] = lambda: False


class UpService:
    """Makes what is wanted come true on the engine."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress
        self._network = NetworkService(engine, progress)
        self._images = ImageService(engine, progress)
        self._observer = Observer(engine, self._network, self._images)

    def dry_run(self, wanted: Wanted, options: UpOptions) -> ProjectResult:
        """The plan that ``run`` would carry out, without one changing request."""
        step = self._observer.image_step(wanted, options.pull)
        try:
            view = self._observer.look(wanted, options.manner, image_step=step)
        except Overtaken as exc:
            raise _busy(wanted.project, exc) from exc
        project = self._present(view) if view.current else _planned(view)
        project = replace(project, drift=view.plan.drift)
        return ProjectResult(project, view.plan.action, plan=view.plan)

    def run(self, wanted: Wanted, options: UpOptions) -> ProjectResult:
        """Carries the plan out and waits until the project listens.

        Raises what the contract lists for ``up``. A project that ended before it was ready is kept
        for its logs, unless it took the place of one that ran: that one is put back.
        """
        with room.explained(self._engine):
            return self._run(wanted, options)

    def _run(self, wanted: Wanted, options: UpOptions) -> ProjectResult:
        self._get_image(wanted, options)
        undo = Undo(self._progress)
        outages = self._engine.outages
        try:
            view, ref, outcome = self._brought_up(wanted, options, undo)
            if isinstance(outcome, _ENDED) and undo.remembers(RESTORE):
                outcome.hint += "; what ran before was started again"
                raise outcome
        except BaseException:
            # Who never got the lock has nothing to take back, and must not wait for it again.
            if undo:
                with self._lock(wanted.project):
                    undo.run()
            raise
        self._finish(view)
        if self._engine.outages > outages and not isinstance(outcome, DebughostError):
            outcome = self._outcome(wanted, ref, options, outages)
        if isinstance(outcome, DebughostError):
            # The container is kept, for its logs or because it goes on.
            outcome.changed = view.plan.action is not Action.UNCHANGED
            raise outcome
        project = describe(self._engine, *outcome)
        project = replace(project, dependencies=freshness(wanted, *outcome))
        return ProjectResult(project, view.plan.action)

    def _brought_up(
        self, wanted: Wanted, options: UpOptions, undo: Undo, tries: int = TRIES
    ) -> tuple[View, str, _Outcome]:
        """What was seen at first, the container that was started, and what it came to.

        A container that the end of an engine has spoilt is made anew.
        """
        outages = self._engine.outages
        try:
            with self._lock(wanted.project):
                view, ref = self._converge(wanted, options, undo)
            outcome = self._outcome(wanted, ref, options, outages)
            if isinstance(outcome, Crashed | StartFailed):
                self._check_launcher(ref)
            return view, ref, outcome
        except Spoilt as exc:
            if tries == 1:
                raise
            self._progress.step(f"Making {wanted.project} anew: {exc.message}")
        with self._lock(wanted.project):
            undo.run()
        anew = replace(options, manner=replace(options.manner, recreate=True))
        return self._brought_up(wanted, anew, undo, tries - 1)

    def _check_launcher(self, ref: str) -> None:
        """Raises Spoilt for a container that ended because what was written into it is not there.

        An engine that is about to end takes files, says so, and may lose them.
        """
        with suppress(Missing):
            container, marks = observe(self._engine, ref)
            if container.is_running or marks.phase:
                return
            try:
                self._engine.read_files(ref, names.LAUNCHER)
            except Missing as exc:
                if self._engine.inspect_container(ref).status != "exited":
                    # Somebody is removing it.
                    return
                raise Spoilt(
                    "the engine lost what was written into the container",
                    hint="Make a new one with 'debughost up --recreate'",
                ) from exc

    def _lock(self, name: str, **patience: float) -> AbstractContextManager[None]:
        endpoint = self._engine.info.endpoint
        return project_lock(endpoint, name, on_wait=self._progress.step, **patience)

    def _get_image(self, wanted: Wanted, options: UpOptions) -> None:
        step = self._observer.image_step(wanted, options.pull)
        if step is None:
            return
        if step.do is Do.PULL_IMAGE:
            # The engine itself makes one of two pulls of the same layers.
            self._images.pull(step.target)
            return
        # No project id has a dot in it. Who waited finds the image made.
        with self._lock(f"image.{wanted.type}", patience=BUILD_PATIENCE):
            if self._observer.image_step(wanted, options.pull):
                self._build(wanted)

    def _build(self, wanted: Wanted) -> None:
        """An image of an older Dockerfile serves on where today's cannot be made."""
        try:
            self._images.build([wanted.type], ca_bundle=wanted.ca_bundle)
        except (ImageNotFound, EngineError) as exc:
            if self._images.find(wanted.type).image is None:
                raise
            self._progress.warn(
                "IMAGE_OUTDATED", f"the {wanted.type} image could not be made anew: {exc.message}"
            )

    def _converge(self, wanted: Wanted, options: UpOptions, undo: Undo) -> tuple[View, str]:
        """Looks, plans and acts until the container runs; anew where the world moved meanwhile."""
        avoid: frozenset[int] = frozenset()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                view = self._observer.look(wanted, options.manner, avoid=avoid)
                ref = self._carry_out(wanted, view, options, undo)
            except Overtaken as exc:
                undo.run()
                if time.monotonic() >= deadline:
                    raise _busy(wanted.project, exc) from exc
                time.sleep(LOOK_AGAIN)
            except _Snatched as exc:
                undo.run()
                avoid |= {exc.port}
                if wanted.config.get("port") or time.monotonic() >= deadline:
                    raise self._explained(wanted, exc.port, avoid) from exc
                self._progress.step(f"Port {exc.port} was taken meanwhile, choosing another")
            else:
                return view, ref

    def _carry_out(self, wanted: Wanted, view: View, options: UpOptions, undo: Undo) -> str:
        converger = Converger(
            self._engine, self._progress, self._network, wanted, view, undo, options.grace
        )
        try:
            return converger.run()
        except PortInUse as exc:
            raise _Snatched(view.spec.port) from exc

    def _explained(self, wanted: Wanted, port: int, avoid: frozenset[int]) -> PortInUse:
        """The engine names only the port; who holds it is looked up."""
        table = PortTable(self._engine, wanted.project, avoid)
        return port_in_use(wanted.project, wanted.type, port, table.identify(port), table.holder)

    def _outcome(self, wanted: Wanted, ref: str, options: UpOptions, outages: int) -> _Outcome:
        """As ``_awaited``; what went down with its engine is started again.

        ``outages``: how many the engine had before the container was started.
        """
        while True:
            outcome = self._awaited(wanted, ref, options)
            if not self._fell_with_engine(outcome, outages):
                return outcome
            outages = self._engine.outages
            self._progress.step(f"Starting {wanted.project} again, which went down with the engine")
            try:
                with self._lock(wanted.project):
                    self._engine.start_container(ref)
            except (Missing, Clash):
                return outcome

    def _fell_with_engine(self, outcome: _Outcome, outages: int) -> bool:
        """An engine stops its containers when it ends, or when it starts after a crash."""
        reason = outcome.details.get("reason") if isinstance(outcome, Crashed) else None
        if reason not in ("stopped", "killed"):
            return False
        self._engine.ping()
        return self._engine.outages > outages

    def _awaited(self, wanted: Wanted, ref: str, options: UpOptions) -> _Outcome:
        """The container once it is ready, or why it is not; the engine's failures are raised."""
        if not options.manner.wait:
            return observe(self._engine, ref)
        try:
            return wait_ready(
                self._engine,
                ref,
                wanted.config.get("wait_timeout"),
                on_wait=lambda: self._progress.step(f"Waiting until {wanted.project} listens"),
                cancelled=options.cancelled,
            )
        except (*_ENDED, NotReady) as exc:
            return exc

    def _finish(self, view: View) -> None:
        """What was brought up stays: an interruption comes too late to take it back."""
        try:
            self._take_away(view)
        except Interrupted:
            self._take_away(view)
            raise

    def _take_away(self, view: View) -> None:
        """What the new container replaces: the old one, and the note of the port."""
        if view.plan.action is Action.RECREATED and view.current:
            self._engine.remove_container(view.current.id, force=True)
        if view.plan.action is Action.CREATED:
            remove_ours(self._engine, names.port_note_name(view.spec.project))

    def _present(self, view: View) -> Project:
        assert view.current is not None
        marks = read_marks(self._engine, view.current.id)
        return describe(self._engine, view.current, marks)


def _busy(project: str, exc: Overtaken) -> Busy:
    maker = f" ({exc.maker})" if exc.maker else ""
    return Busy(
        f"another client is at work on project {project}{maker}: {exc.name}",
        hint=f"It was waited for {PATIENCE:.0f} s; try again when it is done",
        details={"project": project, "holder": {"maker": exc.maker, "container": exc.name}},
    )


def _planned(view: View) -> Project:
    """A project that is not there yet, as it would be."""
    spec = view.spec
    return Project(
        project=spec.project,
        type=spec.type,
        url=url_of(spec.port),
        port=spec.port,
        workspace=spec.workspace,
        command=spec.command,
        container=ContainerRef("", "", spec.image),
    )
