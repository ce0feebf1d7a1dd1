"""The user's limits of how many projects may run at once, in all and of a type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from debughost_cli import names
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import LimitReached
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.user import ALL_PROJECTS, user_file
from debughost_cli.resources import ContainerStatus, ContainerSummary
from debughost_cli.services.owner_process import OwnerProcess, is_at_work, parse
from debughost_cli.services.projects import list_instances

_SHOWN = 10
"""How many projects a message names; the details have them all."""


def check_run_limits(
    engine: Engine, resolved: ResolvedProject, owner: OwnerProcess, created: str = ""
) -> None:
    """Raises LimitReached where one project more may not run.

    A project that runs already is none more. With ``created``, the id of this project's new
    container, those that others are just creating count as well, if they were first: of several
    commands at once no more go on than the limit allows.
    """
    limits = resolved.settings.project_limits
    if not limits:
        return
    others = []
    for instance in list_instances(engine).values():
        running = next((c for c in instance.of_main_role if c.is_running), None)
        if instance.project == resolved.project:
            if running:
                return
            continue
        before = [c for c in instance.of_main_role if _is_before(engine, c, created, owner)]
        others += [running] if running else before[:1]
    for scope, limit in limits.items():
        counted = [c for c in others if scope in (ALL_PROJECTS, c.labels.get(names.TYPE))]
        if scope in (ALL_PROJECTS, resolved.type.value) and len(counted) >= limit:
            raise _reached(engine, scope, limit, counted)


def check_created(engine: Engine, resolved: ResolvedProject, owner: str, created: str) -> None:
    """As ``check_run_limits`` with ``created``; ``owner``: the label of that container."""
    process = parse(owner)
    if process:
        check_run_limits(engine, resolved, process, created)


def _is_before(
    engine: Engine, container: ContainerSummary, created: str, owner: OwnerProcess
) -> bool:
    """Whether another command is about to start ``container``, and made it before ours.

    A list of containers has their times in whole seconds only.
    """
    if not created or container.status is not ContainerStatus.CREATED:
        return False
    if not is_at_work(container.labels, container.created_at, owner):
        return False
    try:
        theirs, ours = (engine.containers.inspect(ref) for ref in (container.id, created))
    except NotFound:
        return False
    return (theirs.created_at, theirs.id) < (ours.created_at, ours.id)


def _reached(
    engine: Engine, scope: str, limit: int, counted: Sequence[ContainerSummary]
) -> LimitReached:
    running = sorted((_facts(engine, c) for c in counted), key=lambda f: str(f["started_at"]))
    listed = ", ".join(
        f"{f['project']} ({f['type']}) since {f['started_at']}" for f in running[:_SHOWN]
    )
    more = f" and {len(running) - _SHOWN} more" if len(running) > _SHOWN else ""
    kind = "projects" if scope == ALL_PROJECTS else f"{scope} projects"
    return LimitReached(
        f"{len(running)} {kind} run already, and your limit is {limit}: {listed}{more}",
        hint=f"Stop one of them, 'debughost stop -p {running[0]['project']}', or raise "
        f"limits.{scope} in {user_file()}",
        details={"scope": scope, "limit": limit, "running": running, "file": str(user_file())},
    )


def _facts(engine: Engine, summary: ContainerSummary) -> Mapping[str, object]:
    started = summary.created_at
    with suppress(NotFound):
        started = engine.containers.inspect(summary.id).started_at or started
    return {
        "project": summary.project,
        "type": summary.labels.get(names.TYPE),
        "started_at": names.rfc3339(started),
    }
