"""The commands that make sense after a result, complete and ready to be run from anywhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from debughost_cli.errors import Crashed, DebughostError, NotReady, PortInUse, WaitTimeout
from debughost_cli.models import Action, ExitReason, Freshness, Project, State
from debughost_cli.planning.memory import larger_memory
from debughost_cli.project.flags import port_name

if TYPE_CHECKING:
    from debughost_cli.api import ProjectResult, ProjectsResult
    from debughost_cli.failure import NotReadyReason

_TO_BE_MENDED = ("loopback", "other_port", "ipv6_only", "waiting_for_changes")
"""Reasons for which the program has to be changed and started again."""


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
    failed = [s.name for s in project.services if s.exit and not s.exit.expected]
    if failed:
        return [f"{_logs(project)} --service {name}" for name in failed] + [up(project)]
    if project.drift or project.dependencies is Freshness.STALE:
        return [up(project)]
    if project.state is State.RUNNING and not project.ready:
        # The error of this wait says what is in the way.
        return _mending(project, project.not_ready) or [_wait(project, 10)]
    return []


def up(project: Project, *more: str) -> str:
    """With the workspace: elsewhere, the folder that one is in would be taken for it."""
    words = ["debughost", "up", "-p", project.project]
    words += ["-w", project.workspace] if project.workspace else []
    return shlex.join([*words, *_engine(project), *more])


def _engine(project: Project) -> list[str]:
    """The option for the engine, where several were asked."""
    return ["--engine", project.engine] if project.engine else []


def _command(name: str, project: Project, *more: str) -> str:
    return shlex.join(["debughost", name, "-p", project.project, *_engine(project), *more])


def _after_item(item: ProjectResult) -> list[str]:
    project = item.project
    if item.plan:
        return [] if item.action is Action.REMOVED else [_again(item)]
    if item.action is Action.FAILED:
        return _after_failure(item, item.error)
    if item.action is Action.STOPPED:
        return [up(project), _command("rm", project)]
    if project.state is None:
        return []
    migrate = [_command("exec", project, *item.pending)] if item.pending else []
    if project.ready:
        return [*migrate, _logs(project)]
    return _mending(project, project.not_ready) or [_wait(project, 120), _logs(project)]


def _after_failure(item: ProjectResult, error: DebughostError | None) -> list[str]:
    project = item.project
    if isinstance(error, PortInUse):
        return [_again(item, *_other_port(error))]
    if project.container is None:
        return [_again(item)] if error and error.retryable and item.workspace else []
    if isinstance(error, NotReady | WaitTimeout):
        return _after_waiting(project, error)
    reason = error.reason if isinstance(error, Crashed) else None
    return _after_end(project, reason)


def _after_waiting(project: Project, error: NotReady | WaitTimeout) -> list[str]:
    """It goes on running."""
    logs, why = _logs(project), error.why
    is_installing = why is not None and why.reason == "installing"
    waiting = [] if project.ready else [_wait(project, 600 if is_installing else 120)]
    return _mending(project, why) or [logs, *waiting]


def _mending(project: Project, why: NotReadyReason | None) -> list[str]:
    """What makes a running project ready; empty where that cannot be said, or only time will."""
    logs = _logs(project)
    if why is None:
        return []
    if why.reachable:
        return [up(project, "--port", str(why.reachable[0])), logs]
    if why.reason == ExitReason.OOM:
        return _after_end(project, ExitReason.OOM)
    if why.reason in _TO_BE_MENDED:
        return [logs, _command("restart", project)]
    return []


def _after_end(project: Project, reason: ExitReason | None) -> list[str]:
    more = larger_memory(project.memory_limit_bytes)
    if reason is ExitReason.OOM and more:
        return [up(project, "--memory", more), _logs(project)]
    return [_logs(project), up(project)]


def _again(item: ProjectResult, *more: str) -> str:
    """The same ``up`` once more: its flags are the project's only once there is a container."""
    flags = [f for f in item.flags if not (more and _is_replaced(f, *more))]
    project = item.project
    words = ["debughost", "up", "-p", project.project]
    workspace = item.workspace or project.workspace
    words += ["-w", workspace] if workspace else []
    return " ".join([shlex.join([*words, *more]), *flags])


def _other_port(error: PortInUse) -> tuple[str, str]:
    """The option that avoids the port which is in use."""
    name, free = error.details.get("name"), error.next_free
    if name is None:
        return "--port", str(free or "auto")
    inner = error.details["container_port"]
    return "--publish", f"{name}={free or inner}:{inner}"


def _is_replaced(flag: str, option: str, value: str) -> bool:
    """Whether a flag is given again; further ports are so one by one."""
    name, _, word = flag.partition(" ")
    return name == option and (option != "--publish" or port_name(word) == port_name(value))


def _wait(project: Project, seconds: int) -> str:
    return _command("wait", project, "--for", "ready", "--timeout", str(seconds))


def _logs(project: Project) -> str:
    return _command("logs", project)


def _unique(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))
