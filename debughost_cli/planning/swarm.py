"""What a swarm's services, tasks and nodes mean for a project. Pure.

A service has one replica, and may run on one node alone: that with the project's volumes. So a lost
node never leads to a second copy elsewhere; its task waits until the node is back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from debughost_cli import names
from debughost_cli.engine.port_swarm_types import SwarmNode, SwarmService, SwarmTask
from debughost_cli.models import RestartPolicy
from debughost_cli.resources import Container, ContainerStatus, ContainerSummary
from debughost_cli.specs import Limits
from debughost_cli.swarm_place import SwarmPlace

_PART = re.compile(r"(?P<what>.+?) on (?P<on>\d+) nodes?|(?P<off>\d+) nodes? not available.*")
_CAUSES = {
    "insufficient resources": "too little memory or CPU is free on {}",
    "scheduling constraints not satisfied": "it may not run on {}",
    "host-mode port already in use": "a port is in use on {}",
    "unsupported platform": "its image is for another platform than {}",
    "missing plugin": "a volume or network driver is missing on {}",
}
_WAITING = frozenset({"new", "pending", "assigned", "accepted", "preparing", "ready", "starting"})
_ENDED = frozenset({"complete", "failed", "shutdown", "rejected", "orphaned", "remove"})


def in_words(error: str, node: str = "") -> str:
    """Why a task is not placed or was rejected, from the swarm's own text.

    ``node``: the name of the only one that it may run on, where that is so.
    """
    found = re.search(r"no suitable node \((.*)\)", error, re.DOTALL)
    if not found:
        return error
    causes = [_cause(part.strip(), node) for part in found[1].split(";")]
    return "; ".join(c for c in causes if c) or error


def _cause(part: str, node: str) -> str:
    matched = _PART.fullmatch(part)
    if not matched:
        return part
    if matched["off"]:
        return f"node {node} takes no tasks" if node else f"{_nodes(matched['off'])} take no tasks"
    if node and matched["what"] == "scheduling constraints not satisfied":
        # The others, of course.
        return ""
    template = _CAUSES.get(matched["what"], matched["what"] + " on {}")
    return template.format(f"node {node}" if node else _nodes(matched["on"]))


def _nodes(count: str) -> str:
    return "1 node" if count == "1" else f"{count} nodes"


def current_task(service: SwarmService, tasks: Iterable[SwarmTask]) -> SwarmTask | None:
    """The task that counts: the newest that is to run, else the newest."""
    own = [t for t in tasks if t.service == service.id]
    wanted = (t for t in own if t.desired in ("running", "ready", "complete"))
    newest = max(own, key=lambda t: t.created_at, default=None)
    return max(wanted, key=lambda t: t.created_at, default=newest)


def place_of(
    service: SwarmService, task: SwarmTask | None, nodes: Mapping[str, SwarmNode], *,
    is_known: bool = True,
) -> SwarmPlace:  # fmt: skip
    """Where the project is, and what is the matter with it.

    ``is_known``: the node's own engine answers.
    """
    node = nodes.get(service.node)
    name = node.name if node else service.node[:12]
    state = "unknown" if node is None else node.state
    if node and not node.is_lost and node.availability != "active":
        state = node.availability
    reason = _reason(service, task, node, name)
    if not reason and not is_known and service.replicas:
        reason = f"no engine of [engines] answers as node {name}"
        if task and task.state == "running":
            reason += "; it ran there when the swarm last heard of it"
    return SwarmPlace(service.name, name, state, task.state if task else "", reason)


def _reason(
    service: SwarmService, task: SwarmTask | None, node: SwarmNode | None, name: str
) -> str:
    if not service.replicas:
        return ""
    if node is None:
        return f"node {name} is not part of the swarm any more"
    if node.is_lost:
        since = f" since {names.rfc3339(node.since)}" if node.since else ""
        return f"node {name} is {node.state}{since}"
    if task is None or task.state not in ("pending", "rejected") or not task.error:
        return ""
    return in_words(task.error, name)


def stand_in(
    service: SwarmService, task: SwarmTask | None, place: SwarmPlace, reachable: bool
) -> Container:
    """The project as the manager alone knows it, where its node's engine has no container of it.

    Its id is the service's.
    """
    status = _status(service, task, place, reachable)
    started = status is not ContainerStatus.CREATED
    return Container(
        id=service.id,
        name=service.name,
        labels=service.labels,
        image=service.image,
        image_id=service.image,
        command=service.command,
        environment=service.environment,
        mounts=(),
        limits=Limits(),
        user="",
        restart=RestartPolicy(),
        network_ids={},
        status=status,
        created_at=service.created_at,
        started_at=service.created_at if started else None,
        finished_at=_ended_at(service, task, status),
        exit_code=task.exit_code if task else 0,
        oom_killed=False,
        start_error=place.reason if status is ContainerStatus.CREATED else "",
        health=None,
        restart_count=0,
        place=place,
    )


def _status(
    service: SwarmService, task: SwarmTask | None, place: SwarmPlace, reachable: bool
) -> ContainerStatus:
    if not service.replicas:
        return ContainerStatus.EXITED
    if place.is_lost:
        # It may run on there, and will run again once the node is back.
        return ContainerStatus.RESTARTING
    if task and task.state in _ENDED - {"rejected"} and task.desired != "running":
        return ContainerStatus.EXITED
    if task and task.state == "running" and not reachable:
        return ContainerStatus.RUNNING
    return ContainerStatus.CREATED


def _ended_at(
    service: SwarmService, task: SwarmTask | None, status: ContainerStatus
) -> datetime | None:
    return service.updated_at if status is ContainerStatus.EXITED else None


def summary_of(container: Container) -> ContainerSummary:
    """The same as a line of the list."""
    return ContainerSummary(
        id=container.id,
        name=container.name,
        labels=container.labels,
        image=container.image,
        status=container.status,
        created_at=container.created_at,
        image_id=container.image_id,
    )


def is_waiting(task: SwarmTask | None) -> bool:
    """Whether it may still be about to run."""
    return task is None or task.state in _WAITING


def task_containers(
    found: Sequence[ContainerSummary], service: SwarmService
) -> tuple[ContainerSummary, ...]:
    """Of a node's containers those of a service, if it is the service's own node."""
    return tuple(c for c in found if c.labels.get(names.SWARM_SERVICE) == service.id)
