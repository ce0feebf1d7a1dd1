"""The commands that make sense after a result, complete and ready to be run from anywhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from debughost_cli.errors import Crashed, DebughostError, NotReady, PortInUse
from debughost_cli.models import Action, ExitReason, Freshness, Project

if TYPE_CHECKING:
    from debughost_cli.api import ProjectResult, ProjectsResult

_MIB = 1024**2


def after(result: ProjectsResult) -> list[str]:
    """For every project of the result, those that failed first."""
    items = sorted(result.items, key=lambda i: i.action is not Action.FAILED)
    return _unique(line for item in items for line in _after_item(item))


def for_projects(projects: Sequence[Project]) -> list[str]:
    """For what ``status`` shows: the output of what crashed, ``up`` where something is old."""
    return _unique(line for p in projects for line in remedies(p))


def remedies(project: Project) -> list[str]:
    """What helps a project that is not as it should be; empty where it is."""
    ended = project.exit
    if ended and not ended.expected:
        return _after_end(project, ended.reason)
    is_old = project.drift or project.dependencies is Freshness.STALE
    return [up(project)] if is_old else []


def up(project: Project, *more: str) -> str:
    """With the workspace: elsewhere, the folder that one is in would be taken for it."""
    words = ["debughost", "up", "-p", project.project]
    words += ["-w", project.workspace] if project.workspace else []
    return shlex.join([*words, *more])


def _after_item(item: ProjectResult) -> list[str]:
    project = item.project
    name = project.project
    if item.plan:
        return [] if item.action is Action.REMOVED else [_again(item)]
    if item.action is Action.FAILED:
        return _after_failure(item, item.error)
    if item.action is Action.STOPPED:
        return [up(project), f"debughost rm -p {name}"]
    if project.state is None:
        return []
    migrate = [shlex.join(["debughost", "exec", "-p", name, *item.pending])] if item.pending else []
    return [*migrate, f"debughost logs -p {name}", f"debughost status -p {name}"]


def _after_failure(item: ProjectResult, error: DebughostError | None) -> list[str]:
    project = item.project
    if isinstance(error, PortInUse):
        return [_again(item, "--port", str(error.next_free or "auto"))]
    if project.container is None:
        return [_again(item)] if error and error.retryable and item.workspace else []
    if isinstance(error, NotReady):
        # It goes on running.
        return [_logs(project), f"debughost wait -p {project.project} --for ready --timeout 120"]
    reason = error.reason if isinstance(error, Crashed) else None
    return _after_end(project, reason)


def _after_end(project: Project, reason: ExitReason | None) -> list[str]:
    limit = project.memory_limit_bytes
    if reason is ExitReason.OOM and limit:
        more = f"{2 * limit // _MIB}m"
        return [up(project, "--memory", more), _logs(project)]
    return [_logs(project), up(project)]


def _again(item: ProjectResult, *more: str) -> str:
    """The same ``up`` once more: its flags are the project's only once there is a container."""
    flags = [f for f in item.flags if not (more and f.startswith(f"{more[0]} "))]
    project = item.project
    words = ["debughost", "up", "-p", project.project]
    workspace = item.workspace or project.workspace
    words += ["-w", workspace] if workspace else []
    return " ".join([shlex.join([*words, *more]), *flags])


def _logs(project: Project) -> str:
    return f"debughost logs -p {project.project}"


def _unique(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))
