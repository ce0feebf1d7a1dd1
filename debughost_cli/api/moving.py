"""``move``: from which engine to which, and what can be done where the old one is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from debughost_cli.api.fleet import Fleet, two_engines
from debughost_cli.errors import DebughostError, EngineUnavailable, ExitCode, ProjectNotFound, Usage
from debughost_cli.services.projects import list_instances

if TYPE_CHECKING:
    from debughost_cli.api.engine_source import EngineSource
    from debughost_cli.services.progress import Progress
    from debughost_cli.services.results import ProjectResult
    from debughost_cli.services.up_state import UpOptions


def engine_to_leave(
    project: str, chosen: EngineSource, target: EngineSource, fleet: Fleet, *, force: bool
) -> EngineSource | None:
    """The engine that has the project; None where that is none of those that answer, and ``force``.

    Raises Usage where it is on the target already, WorkspaceConflict where two have it,
    EngineUnavailable where it may be on one that does not answer, ProjectNotFound.
    """
    identity = target.get().identity()
    silent = []
    having: dict[str, EngineSource] = {}
    try:
        engine = chosen.get()
        if project in list_instances(engine):
            having[engine.identity()] = chosen
    except DebughostError as exc:
        if exc.exit_code is not ExitCode.ENGINE:
            raise
        silent.append(chosen.name or exc.message)
    for found in fleet.listed() if fleet else ():
        if project in found.projects:
            having.setdefault(found.identity, found.source)
    if len(having) > 1:
        raise two_engines(project, [s.name or "the default one" for s in having.values()])
    if identity in having:
        raise Usage(
            f"project {project} is on engine {target.name} already",
            hint="Name another one with --to",
        )
    silent += [name for name in fleet.silent if name != target.name]
    if having:
        return next(iter(having.values()))
    if silent and force:
        return None
    if silent:
        raise EngineUnavailable(
            f"the engine that has {project} does not answer: {', '.join(silent)}",
            hint="Wait for it, or bring the project up from this folder alone with --force: what "
            "it has there is left behind",
            details={"project": project, "engines": silent},
        )
    raise ProjectNotFound(
        f"there is no project {project} on any engine",
        hint=f"Create it there: debughost up -p {project} --engine {target.name}",
        details={"project": project},
    )


def moved_in_swarm(
    chosen: EngineSource, project: str, target: EngineSource, progress: Progress,
    environ: Mapping[str, str],
) -> Callable[[UpOptions], ProjectResult] | None:  # fmt: skip
    """What moves a project that the swarm of the chosen engine runs; None for any other one."""
    from debughost_cli.services.swarm_move import manager_of_project, move_in_swarm

    try:
        manager = manager_of_project(chosen.get(), project)
    except DebughostError as exc:
        if exc.exit_code is not ExitCode.ENGINE:
            raise
        return None
    if manager is None:
        return None
    return lambda options: move_in_swarm(
        manager, project, target.quick(), progress, options, environ
    )
