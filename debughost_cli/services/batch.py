"""The same thing for several projects: side by side, each with its own result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

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


def run_each(
    engine: Engine, projects: Sequence[str], work: Work, cancel: CancelToken, *, undoes: bool
) -> ProjectsResult:
    """``work`` for every project; a failure is that project's own.

    One project is worked on in the calling thread, where signals arrive. With several, an
    interruption sets ``cancel`` and is raised as soon as what is under way has come to an end.
    ``undoes``: what is under way rolls back what it did, and is waited for; else it is left
    behind after a moment, for it may be waiting for an engine.
    """
    unique = list(dict.fromkeys(projects))
    if len(unique) == 1:
        return ProjectsResult((_guarded(engine, unique[0], work),))
    with WorkerPool(min(WORKERS, max(1, len(unique)))) as pool:
        pending = [pool.start(partial(_guarded, engine, p, work)) for p in unique]
        try:
            items = [p.result() for p in pending]
        except BaseException:
            cancel.cancel()
            pool.drop()
            pool.wait(None if undoes else LEAVE_AFTER)
            raise
    return ProjectsResult(tuple(items))


def _guarded(engine: Engine, project: str, work: Work) -> ProjectResult:
    try:
        return work(project)
    except DebughostError as exc:
        return failed(engine, project, exc)


def failed(engine: Engine, project: str, error: DebughostError) -> ProjectResult:
    """The result of a failure, with the project as it is now, as far as that can be known.

    A project of that id that belongs to another workspace is not shown.
    """
    found = Project(project)
    if error.exit_code is not ExitCode.ENGINE and not isinstance(error, WorkspaceConflict):
        try:
            instance = find_instance(engine, project)
            if instance:
                found = describe(engine, *observe(engine, instance.main.id))
        except DebughostError:
            """The failure itself is reported; the project's state is an addition."""
    return ProjectResult(found, Action.FAILED, error)
