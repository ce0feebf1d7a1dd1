"""The same thing for several projects: side by side, each with its own result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli.cancel import CancelToken
from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError, ExitCode, WorkspaceConflict
from debughost_cli.models import Action, Project
from debughost_cli.services.projects import describe, find_instance, observe
from debughost_cli.services.results import ProjectResult, ProjectsResult
from debughost_cli.services.worker_pool import WorkerPool

WORKERS = 16
LEAVE_AFTER = 0.5
"""Seconds after an interruption; a signal ends every command within 1 s."""

Work = Callable[[str], ProjectResult]


class Target(Struct, frozen=True):
    """A project and how its engine is reached; ``name``: the engine's, where several are asked."""

    project: str
    engine: Callable[[], Engine]
    name: str = ""


def run_each(
    engine: Engine, projects: Sequence[str], work: Work, cancel: CancelToken, *, undoes: bool
) -> ProjectsResult:
    """``work`` for every project of one engine, as ``run_targets`` does it."""
    targets = [Target(p, lambda: engine) for p in dict.fromkeys(projects)]
    return run_targets(targets, lambda t: work(t.project), cancel, undoes=undoes)


def run_targets(
    targets: Sequence[Target],
    work: Callable[[Target], ProjectResult],
    cancel: CancelToken,
    *,
    undoes: bool,
) -> ProjectsResult:
    """``work`` for every project; a failure is that project's own.

    One project is worked on in the calling thread, where signals arrive. With several, an
    interruption sets ``cancel`` and is raised as soon as what is under way has come to an end.
    ``undoes``: what is under way rolls back what it did, and is waited for; else it is left
    behind after a moment, for it may be waiting for an engine.
    """
    if len(targets) == 1:
        return ProjectsResult((_guarded(targets[0], work),))
    with WorkerPool(min(WORKERS, max(1, len(targets)))) as pool:
        pending = [pool.start(partial(_guarded, t, work)) for t in targets]
        try:
            items = [p.result() for p in pending]
        except BaseException:
            cancel.cancel()
            pool.drop()
            pool.wait(None if undoes else LEAVE_AFTER)
            raise
    return ProjectsResult(tuple(items))


def _guarded(target: Target, work: Callable[[Target], ProjectResult]) -> ProjectResult:
    try:
        done = work(target)
    except DebughostError as exc:
        done = failed(target.engine, target.project, exc)
    if not target.name:
        return done
    return replace(done, project=replace(done.project, engine=target.name))


def failed(connect: Callable[[], Engine], project: str, error: DebughostError) -> ProjectResult:
    """The result of a failure, with the project as it is now, as far as that can be known.

    An engine that is away is not waited for again, and a project of that id that belongs to another
    workspace is not shown.
    """
    found = Project(project)
    if error.exit_code is not ExitCode.ENGINE and not isinstance(error, WorkspaceConflict):
        try:
            engine = connect()
            instance = find_instance(engine, project)
            if instance:
                found = describe(engine, *observe(engine, instance.main.id))
        except DebughostError:
            """The failure itself is reported; the project's state is an addition."""
    return ProjectResult(found, Action.FAILED, error)
