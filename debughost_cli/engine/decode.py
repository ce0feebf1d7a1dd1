"""Engine JSON to models: pure, and forgiving of what an engine leaves out or sends as null.

What has no identity, or is no list where one belongs, is no answer of an engine: a ValueError or a
TypeError, which the adapter turns into an EngineError.
"""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from debughost_cli.engine.json_values import (
    Json,
    as_int,
    as_labels,
    as_list,
    as_map,
    as_str,
    parsed,
)
from debughost_cli.engine.json_values import each as each
from debughost_cli.engine.json_values import environment as environment
from debughost_cli.engine.json_values import identity as identity
from debughost_cli.engine.json_values import time as time
from debughost_cli.engine.limits import decode_limits
from debughost_cli.engine.podman import image_name, own_environment
from debughost_cli.engine.stats import stats_sample as stats_sample
from debughost_cli.models import RestartMode, RestartPolicy
from debughost_cli.names import PORT, PORTS, PROJECT, ROLE, SERVICE
from debughost_cli.resources import (
    Container,
    ContainerStatus,
    ContainerSummary,
    DiskUsage,
    EngineEvent,
    Image,
    Link,
    Network,
    UserMapping,
    Volume,
)
from debughost_cli.specs import HTTP, Mount, MountType, PortBinding, Role, as_port, parse_bindings

_RUNNING = (ContainerStatus.RUNNING, ContainerStatus.PAUSED, ContainerStatus.RESTARTING)


def container(raw: Json) -> Container:
    """``GET /containers/{id}/json``."""
    id_ = identity(raw)
    config, host, state = (
        as_map(raw.get("Config")),
        as_map(raw.get("HostConfig")),
        as_map(raw.get("State")),
    )
    networks = as_map(as_map(raw.get("NetworkSettings")).get("Networks"))
    return Container(
        id=id_,
        name=as_str(raw.get("Name")).lstrip("/"),
        labels=as_labels(config.get("Labels")),
        image=image_name(as_str(config.get("Image"))),
        image_id=as_str(raw.get("Image")),
        command=tuple(map(str, as_list(config.get("Cmd")))),
        environment=own_environment(config),
        mounts=_mounts(host, raw),
        limits=decode_limits(host),
        user=as_str(config.get("User")),
        restart=_restart(host),
        network_ids={n: as_str(as_map(v).get("NetworkID")) for n, v in networks.items()},
        status=_status(state.get("Status")),
        created_at=time(raw.get("Created")) or datetime.fromtimestamp(0, UTC),
        started_at=time(state.get("StartedAt")),
        finished_at=time(state.get("FinishedAt")),
        exit_code=as_int(state.get("ExitCode")),
        oom_killed=bool(state.get("OOMKilled")),
        start_error=as_str(state.get("Error")),
        health=as_str(as_map(state.get("Health")).get("Status")) or None,
        restart_count=as_int(raw.get("RestartCount")),
        pid=as_int(state.get("Pid")),
        tty=bool(config.get("Tty")),
        ports=_port_bindings(host, as_labels(config.get("Labels"))),
        address=next(
            (a for v in networks.values() if (a := as_str(as_map(v).get("IPAddress")))), ""
        ),
    )


def _status(value: Any) -> ContainerStatus:
    try:
        return ContainerStatus(as_str(value))
    except ValueError:
        return ContainerStatus.UNKNOWN


def _port_bindings(host: Json, labels: Mapping[str, str]) -> tuple[PortBinding, ...]:
    """The published TCP ports, the project's own first; the labels have their names."""
    main = as_port(labels.get(PORT))
    names = {p.host_port: p.name for p in parse_bindings(labels.get(PORTS, ""))}
    found = []
    for key, bindings in as_map(host.get("PortBindings")).items():
        container_port = as_port(str(key).partition("/")[0])
        for binding in map(as_map, as_list(bindings)):
            port = as_port(as_str(binding.get("HostPort")))
            name = HTTP if port == main else names.get(port, f"port-{container_port}")
            found.append(PortBinding(name, container_port, port))
    return tuple(sorted(found, key=lambda p: (p.name != HTTP, p.name)))


def _mounts(host: Json, raw: Json) -> tuple[Mount, ...]:
    """The mounts as they were requested; as the engine resolved them where it keeps no record.

    Mounts of other kinds than ours are left out.
    """
    recorded = [_mount(m, "Source", "Target") for m in map(as_map, as_list(host.get("Mounts")))]
    if not recorded:
        recorded = [_resolved_mount(as_map(m)) for m in as_list(raw.get("Mounts"))]
    return tuple(m for m in recorded if m)


def _mount(raw: Json, source: str, target: str) -> Mount | None:
    try:
        kind = MountType(as_str(raw.get("Type")))
    except ValueError:
        return None
    read_only = bool(raw.get("ReadOnly")) or raw.get("RW") is False
    return Mount(kind, as_str(raw.get(source)), as_str(raw.get(target)), read_only)


def _resolved_mount(raw: Json) -> Mount | None:
    return _mount(raw, "Name" if raw.get("Type") == MountType.VOLUME else "Source", "Destination")


def _restart(host: Json) -> RestartPolicy:
    policy = as_map(host.get("RestartPolicy"))
    try:
        mode = RestartMode(as_str(policy.get("Name")) or RestartMode.NO)
    except ValueError:
        # A mode that Docker does not have: the engine restarts nothing that we know of.
        mode = RestartMode.NO
    return RestartPolicy(mode, as_int(policy.get("MaximumRetryCount")))


def summary(raw: Json) -> ContainerSummary:
    """One entry of ``GET /containers/json``."""
    id_ = identity(raw)
    names = [n.lstrip("/") for n in as_list(raw.get("Names")) if isinstance(n, str)]
    status = _status(raw.get("State"))
    # Podman lists those of containers that do not run, too.
    published = as_list(raw.get("Ports")) if status in _RUNNING else []
    ports = [as_int(as_map(p).get("PublicPort")) for p in published]
    return ContainerSummary(
        id=id_,
        name=names[0] if names else "",
        labels=as_labels(raw.get("Labels")),
        image=image_name(as_str(raw.get("Image"))),
        status=status,
        created_at=time(raw.get("Created")) or datetime.fromtimestamp(0, UTC),
        published_ports=tuple(sorted({p for p in ports if p})),
        health=_health(as_str(raw.get("Status"))),
        image_id=as_str(raw.get("ImageID")),
        status_text=as_str(raw.get("Status")),
    )


def _health(status_text: str) -> str | None:
    """The list gives health inside a sentence only: ``Up 2 minutes (healthy)``."""
    found = re.search(r"\((healthy|unhealthy|health: starting)\)", status_text)
    return found[1].removeprefix("health: ") if found else None


def network(raw: Json) -> Network:
    """``GET /networks/{id}``, or an entry of the list."""
    id_ = identity(raw)
    ipam = [as_map(c) for c in as_list(as_map(raw.get("IPAM")).get("Config"))]
    first: Json = next((c for c in ipam if ":" not in as_str(c.get("Subnet"))), {})
    return Network(
        id=id_,
        name=as_str(raw.get("Name")),
        driver=as_str(raw.get("Driver")),
        subnet=as_str(first.get("Subnet")) or None,
        gateway=as_str(first.get("Gateway")) or None,
        labels=as_labels(raw.get("Labels")),
        containers=tuple(sorted(as_map(raw.get("Containers")))),
        created_at=time(raw.get("Created")),
    )


def volume(raw: Json) -> Volume:
    """An entry of ``GET /volumes`` or of ``GET /system/df``, which alone knows size and use."""
    name = identity(raw, "Name")
    usage = as_map(raw.get("UsageData"))
    size, users = usage.get("Size"), usage.get("RefCount")
    return Volume(
        name=name,
        labels=as_labels(raw.get("Labels")),
        created_at=time(raw.get("CreatedAt")),
        size_bytes=size if isinstance(size, int) and size >= 0 else None,
        in_use=users > 0 if isinstance(users, int) and users >= 0 else None,
    )


def volumes(raw: Any) -> list[Volume]:
    """``GET /volumes`` or ``GET /system/df``. Raises ValueError."""
    if "Volumes" not in as_map(raw):
        raise ValueError(f"it lists no volumes: {str(raw)[:60]}")
    return each(volume, raw["Volumes"] or [])


def disk_usage(raw: Any) -> DiskUsage:
    """``GET /system/df``. Raises ValueError."""
    found = volumes(raw)
    cache = [as_map(c) for c in as_list(raw.get("BuildCache"))]
    return DiskUsage(
        images_bytes=as_int(raw.get("LayersSize")),
        containers_bytes=sum(
            as_int(as_map(c).get("SizeRw")) for c in as_list(raw.get("Containers"))
        ),
        build_cache_bytes=sum(as_int(c.get("Size")) for c in cache if not c.get("Shared")),
        volumes=tuple(found),
    )


def image(raw: Json) -> Image:
    """``GET /images/{ref}/json``, or an entry of the list."""
    id_ = identity(raw)
    config = as_map(raw.get("Config"))
    return Image(
        id=id_,
        tags=tuple(
            image_name(t.removeprefix("docker.io/"))
            for t in as_list(raw.get("RepoTags"))
            if isinstance(t, str) and t != "<none>:<none>"
        ),
        labels=as_labels(config.get("Labels") or raw.get("Labels")),
        size_bytes=as_int(raw.get("Size")),
        created_at=time(raw.get("Created")),
        environment=environment(config.get("Env")),
        command=tuple(map(str, as_list(config.get("Entrypoint")) + as_list(config.get("Cmd")))),
        volumes=tuple(sorted(map(str, as_map(config.get("Volumes"))))),
        user=as_str(config.get("User")),
    )


def link(header: str) -> Link | None:
    """The ``X-Docker-Container-Path-Stat`` of a HEAD on a container's archive.

    The engine makes the target absolute, as seen from the link's folder.
    """
    try:
        raw = as_map(parsed(base64.b64decode(header)))
    except ValueError:
        return None
    target = as_str(raw.get("linkTarget"))
    return Link(posixpath.basename(target), time(raw.get("mtime"))) if target else None


def event(line: bytes) -> EngineEvent | None:
    """A line of ``GET /events``; None for what is none of a container."""
    try:
        raw = as_map(parsed(line))
    except ValueError:
        return None
    actor = as_map(raw.get("Actor"))
    facts = as_map(actor.get("Attributes"))
    action = as_str(raw.get("Action")) or as_str(raw.get("status"))
    if not action or not as_str(actor.get("ID")):
        return None
    code = as_str(facts.get("exitCode"))
    return EngineEvent(
        action="destroy" if action == "remove" else action,  # Podman's word
        container=as_str(actor.get("ID")),
        project=as_str(facts.get(PROJECT)),
        at=as_int(raw.get("timeNano")) / 1e9 or float(as_int(raw.get("time"))),
        # A container's labels are among the facts: any text may be here.
        exit_code=int(code) if re.fullmatch("[0-9]{1,10}", code) else None,
        role=as_str(facts.get(ROLE)) or Role.MAIN,
        service=as_str(facts.get(SERVICE)),
    )


def stream_message(line: bytes) -> Json:
    """One line of a build's or pull's progress; garbage becomes an error message."""
    try:
        return as_map(parsed(line))
    except ValueError:
        return {"error": line.decode("utf-8", "replace")[:500]}


def users(info: Json) -> UserMapping:
    """From ``GET /info``: with ``userns-remap`` its folder is named after user and group."""
    options = [as_str(option) for option in as_list(info.get("SecurityOptions"))]
    if any(option.startswith("name=rootless") for option in options):
        return UserMapping(by_engine=True)
    found = re.search(r"/(\d{1,10})\.(\d{1,10})$", as_str(info.get("DockerRootDir")))
    if not found or not any(option.startswith("name=userns") for option in options):
        return UserMapping()
    return UserMapping(first_uid=int(found[1]), first_gid=int(found[2]))
