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


def node_unreachable(project: str, place: SwarmPlace, *, is_known: bool = True) -> NodeUnreachable:
    """Its node is lost, or its engine is not (``is_known``) or no container of it is there."""
    if place.is_lost:
        hint = f"Wait until node {place.node} is back: {project} starts again there by itself"
        hint += f"; or bring it to another one: debughost move --to NAME -p {project}"
    elif not is_known:
        hint = f"Give the engine of node {place.node} a name under [engines] in your own "
        hint += "configuration: commands, statistics and files go to it directly"
    else:
        hint = f"Start it with 'debughost up -p {project}'"
    why = place.reason or f"its task is {place.task or 'not there'}"
    return NodeUnreachable(
        f"{project} cannot be reached: {why}",
        hint=hint,
        details={"project": project, "node": place.node, "node_state": place.node_state},
    )
