"""A swarm's JSON to models: pure, and forgiving of what an engine leaves out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from debughost_cli.engine.json_values import (
    Json,
    as_int,
    as_labels,
    as_list,
    as_map,
    as_str,
    environment,
    identity,
    time,
)
from debughost_cli.engine.port_swarm_types import (
    Reservation,
    SwarmMembership,
    SwarmNode,
    SwarmRole,
    SwarmService,
    SwarmTask,
)
from debughost_cli.names import CREATED

_PIN = re.compile(r"node\.id\s*==\s*(\w+)", re.ASCII)
_EPOCH = datetime.fromtimestamp(0, UTC)


def membership(info: Json) -> SwarmMembership:
    """``Swarm`` in ``GET /info``."""
    raw = as_map(info.get("Swarm"))
    if as_str(raw.get("LocalNodeState")) in ("", "inactive"):
        return SwarmMembership()
    role = SwarmRole.MANAGER if raw.get("ControlAvailable") else SwarmRole.WORKER
    managers = (as_str(as_map(m).get("Addr")) for m in as_list(raw.get("RemoteManagers")))
    return SwarmMembership(role, as_str(raw.get("NodeID")), tuple(sorted(m for m in managers if m)))


def node(raw: Json) -> SwarmNode:
    """An entry of ``GET /nodes``."""
    id_ = identity(raw, "ID")
    status, spec = as_map(raw.get("Status")), as_map(raw.get("Spec"))
    about = as_map(raw.get("Description"))
    return SwarmNode(
        id=id_,
        name=as_str(about.get("Hostname")) or id_[:12],
        state=as_str(status.get("State")) or "unknown",
        availability=as_str(spec.get("Availability")) or "active",
        address=as_str(status.get("Addr")),
        since=time(raw.get("UpdatedAt")),
        cpus=as_int(as_map(about.get("Resources")).get("NanoCPUs")) / 1e9,
    )


def service(raw: Json) -> SwarmService:
    """An entry of ``GET /services``."""
    spec = as_map(raw.get("Spec"))
    template = as_map(spec.get("TaskTemplate"))
    container = as_map(template.get("ContainerSpec"))
    constraints = as_list(as_map(template.get("Placement")).get("Constraints"))
    pins = [m[1] for m in (_PIN.fullmatch(as_str(c)) for c in constraints) if m]
    held = as_map(as_map(template.get("Resources")).get("Reservations"))
    replicated = as_map(as_map(spec.get("Mode")).get("Replicated"))
    return SwarmService(
        id=identity(raw, "ID"),
        name=as_str(spec.get("Name")),
        labels=as_labels(spec.get("Labels")),
        environment=environment(container.get("Env")),
        command=tuple(map(str, as_list(container.get("Args")))),
        image=as_str(container.get("Image")),
        replicas=as_int(replicated.get("Replicas")),
        node=pins[0] if pins else "",
        created_at=time(raw.get("CreatedAt")) or _EPOCH,
        updated_at=time(raw.get("UpdatedAt")) or _EPOCH,
        revision=_revision(template),
        update=as_str(as_map(raw.get("UpdateStatus")).get("State")),
        reservation=Reservation(
            as_int(held.get("MemoryBytes")), as_int(held.get("NanoCPUs")) / 1e9
        ),
    )


def _revision(template: Json) -> str:
    """What differs between the task of an update, or a restart, and those before it."""
    labels = as_labels(as_map(template.get("ContainerSpec")).get("Labels"))
    return f"{labels.get(CREATED, '')}+{as_int(template.get('ForceUpdate'))}"


def task(raw: Json) -> SwarmTask:
    """An entry of ``GET /tasks``."""
    status = as_map(raw.get("Status"))
    container = as_map(status.get("ContainerStatus"))
    return SwarmTask(
        id=identity(raw, "ID"),
        service=as_str(raw.get("ServiceID")),
        node=as_str(raw.get("NodeID")),
        state=as_str(status.get("State")),
        desired=as_str(raw.get("DesiredState")),
        error=as_str(status.get("Err")) or "",
        container=as_str(container.get("ContainerID")),
        created_at=time(raw.get("CreatedAt")) or _EPOCH,
        exit_code=as_int(container.get("ExitCode")),
        revision=_revision(as_map(raw.get("Spec"))),
    )


def tasks(raw: Any) -> list[SwarmTask]:
    """``GET /tasks``, the newest first."""
    found = [task(as_map(entry)) for entry in as_list(raw)]
    return sorted(found, key=lambda t: t.created_at, reverse=True)
