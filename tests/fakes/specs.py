"""Specifications and containers for tests, to be changed field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.models import ProjectType, RestartPolicy
from debughost_cli.resources import Container, ContainerStatus
from debughost_cli.specs import HTTP, Limits, PortBinding, ServiceSpec, User


def make_spec(workspace: str | Path, **changes: Any) -> ServiceSpec:
    """A container's specification with everything in it, to be changed field by field.

    ``port`` stands for the one port binding that has this number inside and outside.
    """
    if "port" in changes:
        port = changes.pop("port")
        changes["ports"] = (PortBinding(HTTP, port, port),)
    spec = ServiceSpec(
        project="shop",
        type=ProjectType.NODE,
        workspace=str(workspace),
        image="debug-host/node:abc",
        image_id="sha256:" + "1" * 64,
        command=("npm", "run", "dev"),
        ports=(PortBinding(HTTP, 3000, 3000),),
        environment={"PORT": "3000", "PROJECT_ID": "shop", "DEBUG_HOST": "true"},
        mounts=(),
        limits=Limits(),
        user=User(1000, 1000),
        restart=RestartPolicy(),
        network=names.NETWORK,
        network_id="net1",
        aliases=("shop", "project-shop"),
        labels={names.MANAGED: "true", names.PROJECT: "shop", names.TYPE: "node"},
        config_hash="hash",
    )
    return replace(spec, **changes)


def make_container(spec: ServiceSpec | None = None, **changes: Any) -> Container:
    """A running container as the engine would describe it, made from ``spec``."""
    spec = spec or make_spec("/srv/shop")
    now = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    labels = dict(spec.labels) | {
        names.WORKSPACE: spec.workspace,
        names.PORT: str(spec.port),
        names.CONFIG_HASH: spec.config_hash,
    }
    container = Container(
        id="c" * 64,
        name="debug-host-shop-20261123T101500000Z",
        labels=labels,
        image=spec.image,
        image_id=spec.image_id,
        command=spec.command,
        environment=dict(spec.environment),
        mounts=spec.mounts,
        limits=spec.limits,
        user=str(spec.user or ""),
        restart=spec.restart,
        network_ids={spec.network: spec.network_id},
        status=ContainerStatus.RUNNING,
        created_at=now,
        started_at=now,
        finished_at=None,
        exit_code=0,
        oom_killed=False,
        start_error="",
        health=None,
        restart_count=0,
        ports=spec.ports,
    )
    return replace(container, **changes)
