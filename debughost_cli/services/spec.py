"""From a resolved project to its specification on one engine."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import to_builtins
from msgspec.structs import asdict, replace

from debughost_cli import __version__, names
from debughost_cli.container import launcher
from debughost_cli.deployment.transport import Transport
from debughost_cli.engine.port import Engine
from debughost_cli.errors import TypeUnknown
from debughost_cli.models import ProjectType
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.settings import Source
from debughost_cli.project.workspace import owner_of
from debughost_cli.resources import Container, Image, Network
from debughost_cli.services.companions import ObservedCompanions
from debughost_cli.services.images import ImageChoice
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.services.project_ports import ProjectPorts
from debughost_cli.specs import (
    HTTP,
    Mount,
    MountType,
    PortBinding,
    ProjectSpec,
    ServiceSpec,
    User,
    bindings_text,
)

_CACHES = {
    "npm_config_cache": "npm",
    "YARN_CACHE_FOLDER": "yarn",
    "PIP_CACHE_DIR": "pip",
    "UV_CACHE_DIR": "uv",
    "POETRY_CACHE_DIR": "poetry",
    "COMPOSER_CACHE_DIR": "composer",
}
_TOOLS: Mapping[ProjectType, Mapping[str, str]] = {
    ProjectType.NODE: {
        "npm_config_update_notifier": "false",
        "PNPM_CONFIG_STORE_DIR": f"{names.CACHE_DIR}/pnpm",
        "PNPM_CONFIG_CACHE_DIR": f"{names.CACHE_DIR}/pnpm-cache",
        "PNPM_CONFIG_CONFIRM_MODULES_PURGE": "false",
        "PNPM_CONFIG_PM_ON_FAIL": "ignore",
        "PNPM_CONFIG_VERIFY_DEPS_BEFORE_RUN": "false",
    },
    ProjectType.PYTHON: {
        "UV_LINK_MODE": "copy",
        "UV_PROJECT_ENVIRONMENT": "/app/.venv",
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
    },
}
"""What the install sets, for the package managers that are run by hand later."""
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

_NO_SERVICES = ObservedCompanions()


def make_spec(
    resolved: ResolvedProject, *, ports: ProjectPorts, image: ImageChoice, network: Network | None,
    engine: Engine, owner: OwnerProcess, mountpoint_made: bool,
    companions: ObservedCompanions = _NO_SERVICES, container_port: int = 0,
    transport: Transport = Transport.BIND,
) -> ProjectSpec:  # fmt: skip
    """What ``resolved`` should be on this engine, created by the process ``owner``.

    ``companions``: the services that it uses. ``container_port``: the port on which the program
    listens, 0 for that of ``ports`` itself. ``transport``: how the workspace gets there.
    """
    inner = (container_port or ports.main) if resolved.listens else 0
    own = (PortBinding(HTTP, inner, ports.main),) if resolved.listens else ()
    user = engine.users().user_for(*owner_of(resolved.workspace))
    spec = ServiceSpec(
        project=resolved.project,
        type=resolved.type,
        workspace=str(resolved.workspace),
        image=image.ref,
        image_id=image.image_id,
        command=command_of(resolved, inner, image.image),
        ports=(*own, *ports.extra),
        environment=_proxies(engine, resolved)
        | _environment(resolved, inner, image.image, companions.variables),
        mounts=(*_workspace(resolved, transport, engine), *_volumes(resolved, user)),
        limits=replace(resolved.settings.limits, cpus=_cpus(resolved, engine)),
        user=user,
        restart=resolved.settings.restart,
        network=resolved.network,
        network_id=network.id if network else "",
        aliases=names.aliases(resolved.project),
        labels={},
        own_network=companions.network if companions.network != resolved.network else "",
        own_network_id=companions.network_id,
        links=companions.links,
        debug_port=resolved.debug_port,
    )
    spec = replace(spec, config_hash=_config_hash(spec, resolved))
    bundle = resolved.ca_bundle
    is_checked = engine.info.shares_kernel and transport is Transport.BIND
    labels = _labels(spec, resolved, owner) | {
        # A container also has its image's labels: what is not set here, the image could.
        names.MOUNTPOINT: "made" if mountpoint_made else "",
        names.CA_BUNDLE: hashlib.sha256(bundle.pem).hexdigest() if bundle else "",
        names.HOOKS_HASH: _hooks_hash(resolved),
        names.GIVEN_UP: image.unavailable,
        names.WORKSPACE_INODE: str(resolved.folder.inode) if is_checked else "",
        names.TRANSPORT: transport.value,
        names.SERVICE: "",
        names.PORTS: bindings_text(spec.ports),
        names.DEBUG: str(spec.debug_port or ""),
    }
    return ProjectSpec(main=replace(spec, labels=labels), companions=companions.specs)


def _cpus(resolved: ResolvedProject, engine: Engine) -> float:
    """An engine refuses more CPUs than it has; only what the user requested may fail for that."""
    cpus = resolved.settings.cpus
    if resolved.settings.source("cpus") is Source.DEFAULT and engine.info.shares_machine:
        return min(cpus, float(os.cpu_count() or cpus))
    return cpus


def adopted_port(resolved: ResolvedProject, image: Image | None, current: Container | None) -> int:
    """The port that the program of ``current`` chose itself, 0 where it has none.

    It holds until the user sets a port, or the program becomes another one.
    """
    if current is None or resolved.settings.fixed_port or not resolved.listens:
        return 0
    inner = next((p.container_port for p in current.ports if p.name == HTTP), 0)
    if inner == current.port or current.command != command_of(resolved, inner, image):
        return 0
    return inner


def command_of(resolved: ResolvedProject, port: int, image: Image | None) -> tuple[str, ...]:
    """The program with its arguments; ``port`` is where it is to listen. Raises TypeUnknown."""
    if resolved.command:
        return resolved.command
    found = tuple(a.replace("{port}", str(port)) for a in resolved.detection.command)
    if found or image is None:
        return found
    if resolved.settings.image and image.command:
        return image.command
    why = resolved.detection.no_command
    if why:
        raise TypeUnknown(why.message, hint=why.hint, details=why.details)
    raise TypeUnknown(
        f"nothing in {resolved.workspace} says how to run this {resolved.type} project",
        hint="Give the command: debughost up -- COMMAND, or 'command' in debughost.toml",
        details={"type": resolved.type.value},
    )


def _environment(
    resolved: ResolvedProject, port: int, image: Image | None, of_services: Mapping[str, str]
) -> dict[str, str]:
    """The contract's variables and the technical ones, then what the user gave."""
    variables = {
        **({"PORT": str(port)} if port else {}),
        "PROJECT_ID": resolved.project,
        "DEBUG_HOST": "true",
        "HOST": "0.0.0.0",
        "HOME": names.HOME_DIR,
        # docker-init then passes signals to the whole process group.
        "TINI_KILL_PROCESS_GROUP": "1",
    }
    if resolved.type in names.DEPENDENCY_FOLDERS:
        variables |= {k: f"{names.CACHE_DIR}/{folder}" for k, folder in _CACHES.items()}
    variables |= _TOOLS.get(resolved.type, {})
    if resolved.debug_port and resolved.type is ProjectType.PHP:
        # Of the program alone it is another one.
        variables["XDEBUG_MODE"] = "off"
    if resolved.type is ProjectType.PYTHON:
        variables |= _venv(image)
    if resolved.settings.git:
        variables["GIT_CONFIG_SYSTEM"] = names.GIT_FILE
    if resolved.ca_bundle:
        variables |= dict.fromkeys(_CA_VARIABLES, names.CA_FILE)
    return variables | dict(of_services) | dict(resolved.environment)


def _proxies(engine: Engine, resolved: ResolvedProject) -> dict[str, str]:
    """Those that docker gives to containers; what the user set wins, in whatever case."""
    given = {name.lower() for name in resolved.environment}
    return {k: v for k, v in engine.info.proxies.items() if k.lower() not in given}


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


def _workspace(
    resolved: ResolvedProject, transport: Transport, engine: Engine
) -> tuple[Mount, ...]:  # fmt: skip
    """The workspace; of a worktree also its repository, which is elsewhere on the machine."""
    workspace = transport.mount(resolved.project, str(resolved.workspace))
    found = resolved.worktree
    is_here = engine.info.shares_machine and transport is Transport.BIND
    if not (found and found.source and is_here):
        return (workspace,)
    return (workspace, Mount(MountType.BIND, found.source, found.target, read_only=True))


def _volumes(resolved: ResolvedProject, user: User | None) -> tuple[Mount, ...]:
    """The dependency volume, the package cache, and the home of the project's user.

    A type without dependencies has no tools whose files are worth keeping.
    """
    project, target = resolved.project, names.volume_target(resolved.type)
    volume = names.volume_name(project, resolved.type)
    if not (volume and target):
        return ()
    cache = names.cache_name(project)
    if resolved.settings.shared_cache:
        cache = names.shared_cache_name(user.uid if user else None)
    places = [(cache, names.CACHE_DIR), (names.home_name(project), names.HOME_DIR)]
    if resolved.mountpoint:
        places.insert(0, (volume, target))
    return tuple(Mount(MountType.VOLUME, name, place) for name, place in places)


def _config_hash(spec: ServiceSpec, resolved: ResolvedProject) -> str:
    """A digest of the whole specification. Values of variables are left out: a label can be read by
    everyone, and a short secret could be guessed back from its digest.
    """
    known = replace(spec, environment={}, labels={}, config_hash="")
    facts: dict[str, object] = to_builtins(known, enc_hook=str)
    facts.pop("network_id")
    facts.pop("own_network_id")
    # What is not set leaves the digest as it was before it could be set.
    for name in ("own_network", "links", "debug_port"):
        if not facts[name]:
            facts.pop(name)
    # A limit that is not set leaves the digest as it was before there was such a limit.
    facts["limits"] = {k: v for k, v in asdict(spec.limits).items() if v is not None}
    facts["environment"] = sorted(spec.environment)
    facts["launcher"] = hashlib.sha256(launcher()).hexdigest()
    facts["dependencies"] = to_builtins(resolved.dependencies, enc_hook=str)
    canonical = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()


def _hooks_hash(resolved: ResolvedProject) -> str:
    text = json.dumps(dict(resolved.settings.hooks), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest() if resolved.settings.hooks else ""


def _labels(spec: ServiceSpec, resolved: ResolvedProject, owner: OwnerProcess) -> dict[str, str]:
    return names.base_labels(__version__, datetime.now(UTC)) | {
        names.PROJECT: spec.project,
        names.ROLE: spec.role.value,
        names.TYPE: spec.type.value,
        names.WORKSPACE: spec.workspace,
        names.HOST: owner.host,
        names.PORT: str(spec.port),
        names.CONFIG_HASH: spec.config_hash,
        names.INSTALL: resolved.dependencies.manager if resolved.dependencies else "none",
        names.OWNER: str(owner),
        names.FLAGS: resolved.flags.to_label(),
    }
