"""Engine JSON to models: pure, and forgiving of what an engine leaves out or sends as null.

What has no identity, or is no list where one belongs, is no answer of an engine: a ValueError or a
TypeError, which the adapter turns into an EngineError.
"""

from __future__ import annotations

import base64
import json
import math
import posixpath
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from debughost_cli.engine.limits import decode_limits
from debughost_cli.names import PORT, PROJECT, ROLE
from debughost_cli.resources import (
    Container,
    ContainerStatus,
    ContainerSummary,
    DiskUsage,
    EngineEvent,
    Image,
    Link,
    Network,
    StatsSample,
    Volume,
    as_port,
)
from debughost_cli.specs import HTTP, Mount, MountType, PortBinding, Role

Json = Mapping[str, Any]
T = TypeVar("T")

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?")


def time(text: Any) -> datetime | None:
    """An engine's time stamp; None for Go's zero time and for what is none."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return _moment(lambda: datetime.fromtimestamp(text, UTC)) if text > 0 else None
    found = _TIME.match(text) if isinstance(text, str) else None
    if not found or text.startswith("0001-"):
        return None
    whole, fraction, zone = found.groups()
    written = f"{whole}{(fraction or '.0')[:7]}{'+00:00' if zone in (None, 'Z') else zone}"
    return _moment(lambda: datetime.fromisoformat(written).astimezone(UTC))


def _moment(make: Callable[[], datetime]) -> datetime | None:
    try:
        return make()
    except (ValueError, OverflowError, OSError):
        return None


def _map(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def each(one: Callable[[Json], T], raw: Any) -> list[T]:
    """Every entry of a list's answer. Raises TypeError, ValueError."""
    if not isinstance(raw, list):
        raise TypeError(f"a list was expected, not {str(raw)[:60]}")
    return [one(entry) for entry in raw]


def identity(raw: Any, key: str = "Id") -> str:
    """What names a thing on the engine. Raises ValueError where there is none."""
    found = _str(_map(raw).get(key))
    if not found:
        raise ValueError(f"it has no {key}: {str(raw)[:60]}")
    return found


def _int(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _labels(value: Any) -> dict[str, str]:
    return {str(k): _str(v) for k, v in _map(value).items()}


def environment(pairs: Any) -> dict[str, str]:
    """``["K=V", …]`` as a mapping, in its order."""
    split = (p.partition("=") for p in _list(pairs) if isinstance(p, str))
    return {name: value for name, _, value in split}


def container(raw: Json) -> Container:
    """``GET /containers/{id}/json``."""
    id_ = identity(raw)
    config, host, state = (
        _map(raw.get("Config")),
        _map(raw.get("HostConfig")),
        _map(raw.get("State")),
    )
    networks = _map(_map(raw.get("NetworkSettings")).get("Networks"))
    return Container(
        id=id_,
        name=_str(raw.get("Name")).lstrip("/"),
        labels=_labels(config.get("Labels")),
        image=_str(config.get("Image")),
        image_id=_str(raw.get("Image")),
        command=tuple(map(str, _list(config.get("Cmd")))),
        environment=environment(config.get("Env")),
        mounts=_mounts(host, raw),
        limits=decode_limits(host),
        user=_str(config.get("User")),
        restart=_restart(host),
        network_ids={n: _str(_map(v).get("NetworkID")) for n, v in networks.items()},
        status=_status(state.get("Status")),
        created_at=time(raw.get("Created")) or datetime.fromtimestamp(0, UTC),
        started_at=time(state.get("StartedAt")),
        finished_at=time(state.get("FinishedAt")),
        exit_code=_int(state.get("ExitCode")),
        oom_killed=bool(state.get("OOMKilled")),
        start_error=_str(state.get("Error")),
        health=_str(_map(state.get("Health")).get("Status")) or None,
        restart_count=_int(raw.get("RestartCount")),
        pid=_int(state.get("Pid")),
        tty=bool(config.get("Tty")),
        ports=_port_bindings(host, as_port(_labels(config.get("Labels")).get(PORT))),
    )


def _status(value: Any) -> ContainerStatus:
    try:
        return ContainerStatus(_str(value))
    except ValueError:
        return ContainerStatus.UNKNOWN


def _port_bindings(host: Json, main: int) -> tuple[PortBinding, ...]:
    """The published TCP ports; ``main``: the host's number of the one called ``http``."""
    found = []
    for key, bindings in _map(host.get("PortBindings")).items():
        container_port = as_port(str(key).partition("/")[0])
        for binding in map(_map, _list(bindings)):
            port = as_port(_str(binding.get("HostPort")))
            name = HTTP if port == main else f"port-{container_port}"
            found.append(PortBinding(name, container_port, port))
    return tuple(found)


def _mounts(host: Json, raw: Json) -> tuple[Mount, ...]:
    """The mounts as they were requested; as the engine resolved them where it keeps no record.

    Mounts of other kinds than ours are left out.
    """
    recorded = [_mount(m, "Source", "Target") for m in map(_map, _list(host.get("Mounts")))]
    if not recorded:
        recorded = [_resolved_mount(_map(m)) for m in _list(raw.get("Mounts"))]
    return tuple(m for m in recorded if m)


def _mount(raw: Json, source: str, target: str) -> Mount | None:
    try:
        kind = MountType(_str(raw.get("Type")))
    except ValueError:
        return None
    read_only = bool(raw.get("ReadOnly")) or raw.get("RW") is False
    return Mount(kind, _str(raw.get(source)), _str(raw.get(target)), read_only)


def _resolved_mount(raw: Json) -> Mount | None:
    return _mount(raw, "Name" if raw.get("Type") == MountType.VOLUME else "Source", "Destination")


def _restart(host: Json) -> str:
    policy = _map(host.get("RestartPolicy"))
    name, retries = _str(policy.get("Name")) or "no", _int(policy.get("MaximumRetryCount"))
    return f"{name}:{retries}" if retries else name


def summary(raw: Json) -> ContainerSummary:
    """One entry of ``GET /containers/json``."""
    id_ = identity(raw)
    names = [n.lstrip("/") for n in _list(raw.get("Names")) if isinstance(n, str)]
    ports = [_int(_map(p).get("PublicPort")) for p in _list(raw.get("Ports"))]
    return ContainerSummary(
        id=id_,
        name=names[0] if names else "",
        labels=_labels(raw.get("Labels")),
        image=_str(raw.get("Image")),
        status=_status(raw.get("State")),
        created_at=time(raw.get("Created")) or datetime.fromtimestamp(0, UTC),
        published_ports=tuple(sorted({p for p in ports if p})),
        health=_health(_str(raw.get("Status"))),
    )


def _health(status_text: str) -> str | None:
    """The list gives health inside a sentence only: ``Up 2 minutes (healthy)``."""
    found = re.search(r"\((healthy|unhealthy|health: starting)\)", status_text)
    return found[1].removeprefix("health: ") if found else None


def network(raw: Json) -> Network:
    """``GET /networks/{id}``, or an entry of the list."""
    id_ = identity(raw)
    ipam = [_map(c) for c in _list(_map(raw.get("IPAM")).get("Config"))]
    first: Json = next((c for c in ipam if ":" not in _str(c.get("Subnet"))), {})
    return Network(
        id=id_,
        name=_str(raw.get("Name")),
        driver=_str(raw.get("Driver")),
        subnet=_str(first.get("Subnet")) or None,
        gateway=_str(first.get("Gateway")) or None,
        labels=_labels(raw.get("Labels")),
        containers=tuple(sorted(_map(raw.get("Containers")))),
        created_at=time(raw.get("Created")),
    )


def volume(raw: Json) -> Volume:
    """An entry of ``GET /volumes`` or of ``GET /system/df``, which alone knows size and use."""
    name = identity(raw, "Name")
    usage = _map(raw.get("UsageData"))
    size, users = usage.get("Size"), usage.get("RefCount")
    return Volume(
        name=name,
        labels=_labels(raw.get("Labels")),
        created_at=time(raw.get("CreatedAt")),
        size_bytes=size if isinstance(size, int) and size >= 0 else None,
        in_use=users > 0 if isinstance(users, int) and users >= 0 else None,
    )


def volumes(raw: Any) -> list[Volume]:
    """``GET /volumes`` or ``GET /system/df``. Raises ValueError."""
    if "Volumes" not in _map(raw):
        raise ValueError(f"it lists no volumes: {str(raw)[:60]}")
    return each(volume, raw["Volumes"] or [])


def disk_usage(raw: Any) -> DiskUsage:
    """``GET /system/df``. Raises ValueError."""
    found = volumes(raw)
    cache = [_map(c) for c in _list(raw.get("BuildCache"))]
    return DiskUsage(
        images_bytes=_int(raw.get("LayersSize")),
        containers_bytes=sum(_int(_map(c).get("SizeRw")) for c in _list(raw.get("Containers"))),
        build_cache_bytes=sum(_int(c.get("Size")) for c in cache if not c.get("Shared")),
        volumes=tuple(found),
    )


def image(raw: Json) -> Image:
    """``GET /images/{ref}/json``, or an entry of the list."""
    id_ = identity(raw)
    config = _map(raw.get("Config"))
    return Image(
        id=id_,
        tags=tuple(
            t for t in _list(raw.get("RepoTags")) if isinstance(t, str) and t != "<none>:<none>"
        ),
        labels=_labels(config.get("Labels") or raw.get("Labels")),
        size_bytes=_int(raw.get("Size")),
        created_at=time(raw.get("Created")),
        environment=environment(config.get("Env")),
        command=tuple(map(str, _list(config.get("Entrypoint")) + _list(config.get("Cmd")))),
    )


def stats_sample(raw: Json) -> StatsSample:
    """``GET /containers/{id}/stats``. The file cache is left out as ``docker stats`` does:
    ``inactive_file`` with cgroup v2, ``total_inactive_file`` with v1.
    """
    raw = _map(raw)
    cpu, memory = _map(raw.get("cpu_stats")), _map(raw.get("memory_stats"))
    details, usage = _map(memory.get("stats")), _int(memory.get("usage"))
    cache = _int(details.get("total_inactive_file", details.get("inactive_file")))
    networks = [_map(n) for n in _map(raw.get("networks")).values()]
    throttling = _map(cpu.get("throttling_data"))
    read = time(raw.get("read"))
    return StatsSample(
        read_ns=int(read.timestamp() * 1e9) if read else 0,
        cpu_ns=_int(_map(cpu.get("cpu_usage")).get("total_usage")),
        system_ns=_int(cpu.get("system_cpu_usage")),
        online_cpus=_int(cpu.get("online_cpus"))
        or len(_list(_map(cpu.get("cpu_usage")).get("percpu_usage"))),
        memory_bytes=usage - cache if 0 < cache < usage else usage,
        memory_limit_bytes=_int(memory.get("limit")),
        pids=_int(_map(raw.get("pids_stats")).get("current")),
        net_rx_bytes=sum(_int(n.get("rx_bytes")) for n in networks),
        net_tx_bytes=sum(_int(n.get("tx_bytes")) for n in networks),
        periods=_int(throttling.get("periods")),
        throttled_periods=_int(throttling.get("throttled_periods")),
    )


def link(header: str) -> Link | None:
    """The ``X-Docker-Container-Path-Stat`` of a HEAD on a container's archive.

    The engine makes the target absolute, as seen from the link's folder.
    """
    try:
        raw = _map(json.loads(base64.b64decode(header)))
    except ValueError:
        return None
    target = _str(raw.get("linkTarget"))
    return Link(posixpath.basename(target), time(raw.get("mtime"))) if target else None


def event(line: bytes) -> EngineEvent | None:
    """A line of ``GET /events``; None for what is none of a container."""
    try:
        raw = _map(json.loads(line))
    except ValueError:
        return None
    actor = _map(raw.get("Actor"))
    facts = _map(actor.get("Attributes"))
    action = _str(raw.get("Action")) or _str(raw.get("status"))
    if not action or not _str(actor.get("ID")):
        return None
    code = _str(facts.get("exitCode"))
    return EngineEvent(
        action=action,
        container=_str(actor.get("ID")),
        project=_str(facts.get(PROJECT)),
        at=_int(raw.get("timeNano")) / 1e9 or float(_int(raw.get("time"))),
        exit_code=int(code) if code.isascii() and code.isdigit() else None,
        role=_str(facts.get(ROLE)) or Role.MAIN,
    )


def stream_message(line: bytes) -> Json:
    """One line of a build's or pull's progress; garbage becomes an error message."""
    try:
        return _map(json.loads(line))
    except ValueError:
        return {"error": line.decode("utf-8", "replace")[:500]}
