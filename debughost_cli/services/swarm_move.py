"""``move`` of a project of a swarm: to another node, with the workspace as it is here."""

from __future__ import annotations

from collections.abc import Mapping

from debughost_cli import names
from debughost_cli.deployment.swarm_engine import SwarmEngine
from debughost_cli.engine.port import Engine
from debughost_cli.project.resolve import resolve_existing
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import find_instance, inspect_main
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.swarm_up import SwarmUp
from debughost_cli.services.up_state import UpOptions


def manager_of_project(engine: Engine, project: str) -> SwarmEngine | None:
    """The engine, where it manages the swarm that runs the project."""
    if not isinstance(engine, SwarmEngine):
        return None
    found = find_instance(engine, project)
    return engine if found and found.main.labels.get(names.NODE) else None


def move_in_swarm(
    engine: SwarmEngine, project: str, to: Engine, progress: Progress, options: UpOptions,
    environ: Mapping[str, str],
) -> ProjectResult:  # fmt: skip
    """Has the swarm run it on the node of the engine ``to``, also where its present one is lost.

    The workspace is uploaded there, so it never begins with an empty folder. Its old volumes stay.
    Raises what ``SwarmUp.run`` raises.
    """
    resolved = resolve_existing(inspect_main(engine, project), None, environ)
    node = to.membership().node
    return SwarmUp(engine, progress).run(resolved, options, node=node or "none")
