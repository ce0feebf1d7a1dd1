"""From what is wanted to the container that answers to it on one engine."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from debughost_cli import __version__, names
from debughost_cli.container import launcher
from debughost_cli.errors import TypeUnknown
from debughost_cli.models import Dependencies, ProjectType
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.settings import Source
from debughost_cli.project.workspace import owner
from debughost_cli.resources import ContainerSpec, EngineInfo, Image, Mount, Network
from debughost_cli.services.owner_process import signature

_CACHES = {
    "npm_config_cache": "npm",
    "YARN_CACHE_FOLDER": "yarn",
    "PIP_CACHE_DIR": "pip",
    "UV_CACHE_DIR": "uv",
    "POETRY_CACHE_DIR": "poetry",
    "COMPOSER_CACHE_DIR": "composer",
}
_CA_VARIABLES = (
    "NODE_EXTRA_CA_CERTS",
    "npm_config_cafile",
    "PIP_CERT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
)
"""What node, npm, pip, uv and python, requests, curl and git read; composer reads SSL_CERT_FILE."""


def make_spec(
    resolved: ResolvedProject, *, port: int, ref: str, image: Image | None, network: Network | None,
    engine: EngineInfo, mountpoint_made: bool,
) -> ContainerSpec:  # fmt: skip
    """The container that answers to ``resolved`` on this engine."""
    user = None if engine.maps_users else ":".join(map(str, owner(resolved.workspace)))
    spec = ContainerSpec(
        project=resolved.project,
        type=resolved.type,
        workspace=str(resolved.workspace),
        image=ref,
        image_id=image.id if image else "",
        command=_command(resolved, port, image),
        port=port,
        environment=_environment(resolved, port, image),
        mounts=_mounts(resolved, user),
        limits=replace(resolved.settings.limits, cpus=_cpus(resolved, engine)),
        user=user,
        restart=str(resolved.settings.restart),
        network=names.NETWORK,
        network_id=network.id if network else "",
        aliases=(resolved.project, f"project-{resolved.project}"),
        labels={},
    )
    spec = replace(spec, config_hash=_config_hash(spec, resolved.dependencies))
    return replace(spec, labels=_labels(spec, resolved, mountpoint_made))


def _cpus(resolved: ResolvedProject, engine: EngineInfo) -> float:
    """An engine refuses more CPUs than it has; only what the user asked for may fail of that."""
    cpus = resolved.settings.cpus
    if resolved.settings.source("cpus") is Source.DEFAULT and engine.is_local:
        return min(cpus, float(os.cpu_count() or cpus))
    return cpus


def _command(resolved: ResolvedProject, port: int, image: Image | None) -> tuple[str, ...]:
    if resolved.command:
        return resolved.command
    found = tuple(a.replace("{port}", str(port)) for a in resolved.detection.command)
    if found or image is None:
        return found
    if resolved.settings.image and image.command:
        return image.command
    raise TypeUnknown(
        f"nothing in {resolved.workspace} says how to run this {resolved.type} project",
        hint="Give the command: debughost up -- COMMAND, or 'command' in debughost.toml",
        details={"type": resolved.type.value},
    )


def _environment(resolved: ResolvedProject, port: int, image: Image | None) -> dict[str, str]:
    """The contract's variables and the technical ones, then what the user gave."""
    made = {
        "PORT": str(port),
        "PROJECT_ID": resolved.project,
        "DEBUG_HOST": "true",
        "HOST": "0.0.0.0",
        "HOME": names.HOME_DIR,
        # docker-init then passes signals to the whole process group.
        "TINI_KILL_PROCESS_GROUP": "1",
    }
    if resolved.type in names.DEPENDENCY_FOLDERS:
        made |= {k: f"{names.CACHE_DIR}/{folder}" for k, folder in _CACHES.items()}
    if resolved.type is ProjectType.PYTHON:
        made |= _venv(image)
    if resolved.ca_bundle:
        made |= dict.fromkeys(_CA_VARIABLES, names.CA_FILE)
    return made | dict(resolved.environment)


def _venv(image: Image | None) -> dict[str, str]:
    """The virtual environment's programs come first, also for commands run by hand."""
    inherited = (image.environment.get("PATH") if image else None) or (
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    )
    return {
        "VIRTUAL_ENV": "/app/.venv",
        "PATH": f"/app/.venv/bin:{inherited}",
        "PYTHONUNBUFFERED": "1",
        # No __pycache__ in the workspace.
        "PYTHONPYCACHEPREFIX": f"{names.HOME_DIR}/.cache/pycache",
    }


def _mounts(resolved: ResolvedProject, user: str | None) -> tuple[Mount, ...]:
    mounts = [Mount("bind", str(resolved.workspace), names.WORKDIR)]
    volume, target = (
        names.volume_name(resolved.project, resolved.type),
        names.volume_target(resolved.type),
    )
    if volume and target:
        mounts.append(Mount("volume", volume, target))
        mounts.append(Mount("volume", names.cache_volume_name(user), names.CACHE_DIR))
    if resolved.ca_bundle:
        mounts.append(Mount("bind", str(resolved.ca_bundle), names.CA_FILE, read_only=True))
    return tuple(mounts)


def _config_hash(spec: ContainerSpec, dependencies: Dependencies | None) -> str:
    """A digest of all that is wanted. Values of variables are left out: a label can be read by
    everyone, and a short secret could be guessed back from its digest.
    """
    facts: dict[str, Any] = asdict(replace(spec, environment={}, labels={}, config_hash=""))
    facts.pop("network_id")
    # A limit that is not set leaves the digest as it was before there was such a limit.
    facts["limits"] = {k: v for k, v in facts["limits"].items() if v is not None}
    facts["environment"] = sorted(spec.environment)
    facts["launcher"] = hashlib.sha256(launcher()).hexdigest()
    facts["dependencies"] = asdict(dependencies) if dependencies else None
    canonical = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()


def _labels(
    spec: ContainerSpec, resolved: ResolvedProject, mountpoint_made: bool
) -> dict[str, str]:
    labels = names.base_labels(__version__, datetime.now(UTC)) | {
        names.PROJECT: spec.project,
        names.TYPE: spec.type.value,
        names.WORKSPACE: spec.workspace,
        names.PORT: str(spec.port),
        names.CONFIG_HASH: spec.config_hash,
        names.INSTALL: resolved.dependencies.manager if resolved.dependencies else "none",
        names.OWNER: signature(),
        names.FLAGS: resolved.flags.to_label(),
    }
    return labels | ({names.MOUNTPOINT: "made"} if mountpoint_made else {})


def volume_labels(spec: ContainerSpec, name: str) -> dict[str, str]:
    """The labels of one of the project's volumes; the shared cache belongs to no project."""
    labels = names.base_labels(__version__, datetime.now(UTC))
    if names.is_cache(name):
        return labels | {names.ROLE: "cache"}
    return labels | {names.PROJECT: spec.project, names.TYPE: spec.type.value}
