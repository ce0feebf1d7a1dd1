"""A project's service of a swarm as engine JSON: pure.

What a swarm does not know (publishing on one address, the size of ``/dev/shm``, a limit of swap) is
not here; what a project may not ask for then is in ``planning/swarm.py``.
"""

from __future__ import annotations

from typing import Any

from debughost_cli import names
from debughost_cli.engine.encode import LOGS, program
from debughost_cli.engine.port_swarm_types import Reservation, SwarmSpec
from debughost_cli.models import RestartMode, RestartPolicy
from debughost_cli.specs import Limits, Mount

_NANO = 1_000_000_000
_RESTARTS: dict[RestartMode, str] = {
    RestartMode.NO: "none",
    RestartMode.ON_FAILURE: "on-failure",
    RestartMode.ALWAYS: "any",
    RestartMode.UNLESS_STOPPED: "any",
}
_DELAY = 1
"""Seconds between the end of a task and the start of the next."""
_NO_IMAGE = f"sha256:{0:064}"
"""No node has it, and none pulls an id: a job with it is placed, and leaves no container."""


def service(wanted: SwarmSpec) -> dict[str, Any]:
    """The body of ``POST /services/create``."""
    template = {
        "ContainerSpec": _container(wanted),
        "Resources": _resources(wanted.spec.limits, wanted.reservation),
        "RestartPolicy": _restart(wanted.spec.restart),
        "Placement": {"Constraints": _constraints(wanted)},
        "Networks": [{"Target": wanted.network, "Aliases": list(wanted.spec.aliases)}],
        "LogDriver": {"Name": LOGS["Type"], "Options": LOGS["Config"]},
    }
    return {
        "Name": wanted.name,
        "Labels": dict(wanted.spec.labels),
        "TaskTemplate": template,
        "Mode": {"Replicated": {"Replicas": 1}},
        # A virtual address needs IPVS, and one task has no use for it.
        "EndpointSpec": {"Mode": "dnsrr"},
        # Two at once would write into one workspace.
        "UpdateConfig": {"Parallelism": 1, "Order": "stop-first", "FailureAction": "rollback"},
        "RollbackConfig": {"Parallelism": 1, "Order": "stop-first"},
    }


def job(wanted: SwarmSpec) -> dict[str, Any]:
    """The body for a job that does nothing, where ``wanted`` could run."""
    return {
        "Name": f"{wanted.name[:50].rstrip('-_')}-placement",
        # Not those of the project: it is not one.
        "Labels": {names.CREATED: wanted.spec.labels[names.CREATED]},
        "TaskTemplate": {
            "ContainerSpec": {"Image": _NO_IMAGE},
            "Resources": _resources(Limits(), wanted.reservation),
            "RestartPolicy": {"Condition": "none"},
            "Placement": {"Constraints": _constraints(wanted)},
        },
        "Mode": {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}},
    }


def network(name: str, labels: dict[str, str]) -> dict[str, Any]:
    """The body of ``POST /networks/create`` for an overlay, whose addresses the swarm chooses."""
    return {
        "Name": name,
        "CheckDuplicate": True,
        "Driver": "overlay",
        "Attachable": True,
        "IPAM": {"Driver": "default"},
        "Labels": labels,
    }


def _container(wanted: SwarmSpec) -> dict[str, Any]:
    spec = wanted.spec
    run = program(spec)
    body = {
        "Image": wanted.image,
        "Command": run["Entrypoint"],
        "Args": run["Cmd"],
        "Dir": run["WorkingDir"],
        "StopSignal": run["StopSignal"],
        "OpenStdin": run["OpenStdin"],
        "Hostname": spec.project[:63],
        "Env": [f"{k}={v}" for k, v in spec.environment.items()],
        "Labels": dict(spec.labels),
        "Init": True,
        "Mounts": [_mount(m) for m in spec.mounts],
        "StopGracePeriod": wanted.stop_timeout * _NANO,
        "CapabilityDrop": ["ALL"],
        # Engines before API 1.44 know nothing of it; without capabilities little is lost.
        "Privileges": {"NoNewPrivileges": True},
    }
    return body | ({"User": str(spec.user)} if spec.user else {})


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": mount.type.value,
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        "VolumeOptions": {"NoCopy": True, "Labels": {names.MANAGED: "true"}},
    }


def _resources(limits: Limits, reservation: Reservation) -> dict[str, Any]:
    return {
        "Limits": {
            "NanoCPUs": round(limits.cpus * _NANO),
            "MemoryBytes": limits.memory_bytes,
            "Pids": limits.pids,
        },
        "Reservations": {
            "NanoCPUs": round(reservation.cpus * _NANO),
            "MemoryBytes": reservation.memory_bytes,
        },
    }


def _restart(policy: RestartPolicy) -> dict[str, Any]:
    body: dict[str, Any] = {"Condition": _RESTARTS[policy.mode], "Delay": _DELAY * _NANO}
    return body | ({"MaxAttempts": policy.max_retries} if policy.max_retries else {})


def _constraints(wanted: SwarmSpec) -> list[str]:
    if wanted.node:
        return [f"node.id=={wanted.node}"]
    return [f"node.id!={node}" for node in wanted.excluded]
