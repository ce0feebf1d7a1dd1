"""Models to engine JSON: pure. The hardening of the contract is written down here."""

from __future__ import annotations

import io
import posixpath
import tarfile
import time
from collections.abc import Iterable
from typing import Any

from debughost_cli import names
from debughost_cli.engine.limits import encode_limits
from debughost_cli.models import ProjectType
from debughost_cli.resources import FileEntry
from debughost_cli.specs import Mount, MountType, PortBinding, Role, ServiceSpec

LOGS = {"Type": "json-file", "Config": {"max-size": "9m", "max-file": "5"}}
"""45 MB and the entry that fills each file: at most 50 MB for a container.

Named, and not the engine's own choice: that may keep all output, or none that can be read. It is
part of no specification, so that no container is recreated for it alone.
"""


SERVICE_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]
"""What the entry points of databases need, which prepare their data as root and drop to a user."""
HOST_GATEWAY = ["host.docker.internal:host-gateway"]
PHP = ProjectType.PHP


def container(spec: ServiceSpec) -> dict[str, Any]:
    """The body of ``POST /containers/create``."""
    body = {
        "Image": spec.image,
        "Env": [f"{k}={v}" for k, v in spec.environment.items()],
        "Labels": dict(spec.labels),
        "ExposedPorts": {_port_key(p): {} for p in spec.ports},
        "HostConfig": _host_config(spec),
        "NetworkingConfig": {
            "EndpointsConfig": {spec.network: _endpoint(spec)},
        },
    }
    body |= _companion(spec) if spec.role is Role.SERVICE else program(spec)
    return body | ({"User": str(spec.user)} if spec.user else {})


def program(spec: ServiceSpec) -> dict[str, Any]:
    """How the launcher runs the project's program."""
    return {
        "Entrypoint": [
            *("/bin/sh", names.LAUNCHER, str(spec.container_port)),
            *(("/bin/sh", names.DEBUG_RUN) if spec.debug_port else ()),
        ],
        "Cmd": list(spec.command),
        "WorkingDir": names.WORKDIR,
        "StopSignal": "SIGTERM",
        # Nobody writes there, but esbuild and Tailwind end when it is closed.
        "OpenStdin": True,
    }


def _companion(spec: ServiceSpec) -> dict[str, Any]:
    """As its image has it. Some, such as RabbitMQ, keep their data under the host's name."""
    command = {"Cmd": list(spec.command)} if spec.command else {}
    return {"Hostname": spec.name, **command}


def _endpoint(spec: ServiceSpec) -> dict[str, Any]:
    """In its first network; links are of its own one."""
    links = {"Links": list(spec.links)} if spec.links and not spec.own_network else {}
    return {"Aliases": list(spec.aliases), **links}


def _port_key(port: PortBinding) -> str:
    return f"{port.container_port}/tcp"


def _port_bindings(ports: Iterable[PortBinding]) -> dict[str, list[dict[str, str]]]:
    """One port of the container may be published as several of the host."""
    found: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        binding = {"HostIp": "127.0.0.1", "HostPort": str(port.host_port)}
        found.setdefault(_port_key(port), []).append(binding)
    return found


def _host_config(spec: ServiceSpec) -> dict[str, Any]:
    return {
        "NetworkMode": spec.network,
        "PortBindings": _port_bindings(spec.ports),
        "Mounts": [_mount(m, spec.role) for m in spec.mounts],
        **encode_limits(spec.limits),
        "LogConfig": LOGS,
        "RestartPolicy": {
            "Name": spec.restart.mode.value,
            "MaximumRetryCount": spec.restart.max_retries,
        },
        # An init that is root may not signal a database that dropped to a user of its own.
        "Init": spec.role is not Role.SERVICE,
        # Xdebug connects from the container to the editor.
        **({"ExtraHosts": HOST_GATEWAY} if spec.debug_port and spec.type is PHP else {}),
        "Privileged": False,
        "CapDrop": ["ALL"],
        "CapAdd": SERVICE_CAPABILITIES if spec.role is Role.SERVICE else [],
        "SecurityOpt": ["no-new-privileges:true"],
    }


def _mount(mount: Mount, role: Role) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Type": mount.type.value,
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
    }
    if mount.type is MountType.VOLUME and role is not Role.SERVICE:
        # What an image has in that place is not ours to copy into the project's volume.
        made["VolumeOptions"] = {"NoCopy": True}
    return made


def network(
    name: str, subnet: str | None, gateway: str | None, labels: dict[str, str]
) -> dict[str, Any]:
    """The body of ``POST /networks/create``; without a subnet the engine chooses one."""
    config = [{"Subnet": subnet, "Gateway": gateway}] if subnet else []
    return {
        "Name": name,
        # Engines before API 1.44 allow two networks of one name without it.
        "CheckDuplicate": True,
        "Driver": "bridge",
        "IPAM": {"Driver": "default", "Config": config},
        "Labels": labels,
    }


def archive(entries: Iterable[FileEntry]) -> bytes:
    """A tar of ``entries``, to be unpacked at ``/``."""
    buffer = io.BytesIO()
    now = int(time.time())
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for entry in entries:
            info = tarfile.TarInfo(posixpath.relpath(entry.path, "/"))
            info.uid, info.gid, info.mode, info.mtime = entry.uid, entry.gid, entry.mode, now
            if entry.link:
                info.type, info.linkname = tarfile.SYMTYPE, entry.link
                tar.addfile(info)
            elif entry.data is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                info.size = len(entry.data)
                tar.addfile(info, io.BytesIO(entry.data))
    return buffer.getvalue()
