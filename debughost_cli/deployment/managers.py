"""Why a project of a swarm cannot be changed or reached through an engine, and what helps."""

from __future__ import annotations

from debughost_cli.engine.port import Engine
from debughost_cli.engine.port_swarm_types import SwarmRole
from debughost_cli.errors import NodeUnreachable, NotAManager
from debughost_cli.swarm_place import SwarmPlace


def not_a_manager(engine: Engine) -> NotAManager:
    """What the engine is instead of a manager, and which engines are some."""
    place, membership = engine.info.endpoint, engine.membership()
    details = {"endpoint": place, "managers": list(membership.managers)}
    if membership.role is SwarmRole.MANAGER:
        return NotAManager(
            f"projects of the swarm that {place} manages are not changed by it as one of several",
            hint="Name it alone, with --engine NAME, --context NAME or --host URL",
            details=details,
        )
    if membership.role is not SwarmRole.WORKER:
        return NotAManager(
            f"the engine at {place} is in no swarm",
            hint="Make one with 'docker swarm init', or leave out --swarm",
            details=details,
        )
    listed = ", ".join(membership.managers) or "not known"
    return NotAManager(
        f"the engine at {place} is a worker of its swarm; the managers are {listed}",
        hint="Use the engine of a manager, with --context NAME or --host URL",
        details=details,
    )


NO_MAJORITY = (
    "most managers of this engine's swarm do not answer: what the swarm runs is shown only as far "
    "as it is on this engine, and cannot be changed"
)
"""A warning for each command on such a manager."""


def no_majority(engine: Engine, project: str) -> NotAManager:
    """Nothing can be said about a project that only the swarm knows, or be changed in it."""
    membership = engine.membership()
    listed = ", ".join(membership.managers)
    return NotAManager(
        f"what the swarm does with {project} cannot be read or changed: most of its managers "
        f"({listed}) do not answer",
        hint="Start the other managers again, or name an engine that has it: 'exec', 'logs' and "
        "'status' need no manager on the node that runs it (--engine NAME)",
        details={"endpoint": engine.info.endpoint, "managers": list(membership.managers)},
    )


def node_unreachable(project: str, place: SwarmPlace, *, is_known: bool = True) -> NodeUnreachable:
    """Its node is lost, or its engine is not (``is_known``) or no container of it is there."""
    if place.is_lost:
        hint = f"Wait until node {place.node} is back: {project} starts again there by itself"
        hint += f"; or bring it to another one: debughost move --to NAME -p {project}"
    elif not is_known:
        hint = f"Wait until the engine of node {place.node} answers, or bring {project} to another "
        hint += (
            f"node: debughost move --to NAME -p {project}; commands need its name under [engines]"
        )
    else:
        hint = f"Start it with 'debughost up -p {project}'"
    silent = f"the engine of node {place.node} does not answer"
    why = place.reason or (f"its task is {place.task or 'not there'}" if is_known else silent)
    return NodeUnreachable(
        f"{project} cannot be reached: {why}",
        hint=hint,
        details={"project": project, "node": place.node, "node_state": place.node_state},
    )
