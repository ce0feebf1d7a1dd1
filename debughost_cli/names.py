"""The names, labels and numbers of the contract, in one place."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from debughost_cli.errors import InvalidPort, InvalidProject
from debughost_cli.models import ProjectType

NETWORK = "debug-host-network"
OVERLAY = "debug-host-overlay"
SUBNET = "172.28.0.0/16"
GATEWAY = "172.28.0.1"

MANAGED = "debug-host.managed"
"""``true``: made by debughost, which may change and remove it."""
PROJECT = "debug-host.project"
TYPE = "debug-host.type"
CREATED = "debug-host.created"
"""RFC 3339, in UTC."""
VERSION = "debug-host.version"
"""That of debughost, which created it."""
WORKSPACE = "debug-host.workspace"
"""The path of the folder on the host."""
PORT = "debug-host.port"
"""On containers: the port on the engine's machine. On volumes: the port that is kept for later."""
PORTS = "debug-host.ports"
"""On containers: the ports besides the project's own, as ``NAME=HOST:CONTAINER``."""
DEBUG = "debug-host.debug"
"""On containers whose program has a debugger: its port, see ``ServiceSpec.debug_port``."""
CONFIG_HASH = "debug-host.config-hash"
"""On containers: of all that would make another container necessary."""
MOUNTPOINT = "debug-host.mountpoint"
"""On containers: ``made`` where ``up`` created the dependency folder in the workspace."""
INSTALL = "debug-host.install"
"""On containers: the package manager that installs dependencies at start, or ``none``."""
OWNER = "debug-host.owner"
"""On containers: the process that created it, which may still be at work on it."""
FLAGS = "debug-host.flags"
"""On containers: the options of ``up``, as JSON, for ``restart`` to keep; of variables only the
names, for everyone can read a label."""
CA_BUNDLE = "debug-host.ca-bundle"
"""On containers: the SHA-256 of the root certificates in it."""
WORKSPACE_INODE = "debug-host.workspace-inode"
"""On containers: the inode of the workspace's folder, where engine and client share a kernel."""
VOLUME_USER = "debug-host.user"
"""On volumes that a project's user fills: its ``UID:GID``."""
HOST = "debug-host.host"
"""The identity of the machine on which the path in ``debug-host.workspace`` is."""
ENGINE = "debug-host.engine"
"""On containers and workspace volumes: the ID of the engine for which they were made."""
TRANSPORT = "debug-host.transport"
"""On containers: how the workspace gets to them, ``bind`` (a mount) or ``volume`` (an upload)."""
NODE = "debug-host.node"
"""On services of a swarm and their containers: the ID of the node with the project's volumes."""
SWARM_SERVICE = "com.docker.swarm.service.id"
"""On containers of a swarm's tasks, by the engine: the service."""
ROLE = "debug-host.role"
"""On containers: ``main``, ``service`` or ``run``. On volumes that are not dependency volumes:
``cache``, ``port`` or ``workspace``."""
SERVICE = "debug-host.service"
"""On containers and volumes of companion services: the service's name."""
SOURCES = "debug-host.sources"
"""On images: a hash of the Dockerfile and the files beside it."""
BASE = "debug-host.base"
"""On images: the image that they are built on."""
PACKAGES = "debug-host.packages"
"""On images: the Debian packages that a project asked for, with spaces between them."""

GIVEN_UP = "debug-host.given-up"
"""On containers: the version that a file asks for and whose image was not to be had."""
HOOKS_HASH = "debug-host.hooks"
"""On containers: the SHA-256 of the project's hooks; empty for none."""

HOOKS = ("after_install", "before_start")
"""What a project may have run in its container: after an install, and before each start."""

WORKDIR = "/app"
SYNC_DIR = f"{WORKDIR}/.debughost"
"""In a workspace volume: what was uploaded, and that the upload was complete."""
CACHE_DIR = "/var/cache/debughost"
CONTROL_DIR = "/.debughost"
STATE_DIR = f"{CONTROL_DIR}/run"
STATE_LINK = f"{STATE_DIR}/state"
NEWS_FILE = f"{STATE_DIR}/news"
LAUNCHER = f"{CONTROL_DIR}/launch"
HOME_DIR = f"{CONTROL_DIR}/home"
DEBUG_DIR = f"{CONTROL_DIR}/debug"
DEBUG_RUN = f"{DEBUG_DIR}/run"
"""Runs the program so that it can be debugged."""
PHP_PRIVATE = f"{CONTROL_DIR}/private.php"
"""What keeps files private from PHP's own web server."""
SECRET_DIR = f"{CONTROL_DIR}/secret"
SECRET_FILE = f"{SECRET_DIR}/password"
GIT_FILE = f"{CONTROL_DIR}/gitconfig"
CA_FILE = f"{CONTROL_DIR}/ca-bundle.pem"

DEPENDENCY_FOLDERS = {
    ProjectType.NODE: ("node_modules", "node_modules"),
    ProjectType.PYTHON: ("venv", ".venv"),
    ProjectType.PHP: ("vendor", "vendor"),
}
"""Type to (suffix of the volume's name, folder in the workspace)."""

PORT_RANGES = {
    ProjectType.NODE: range(3000, 4000),
    ProjectType.STATIC: range(4000, 5000),
    ProjectType.PYTHON: range(5000, 6000),
    ProjectType.PHP: range(8080, 8981),
}
RESERVED_PORTS = range(2601, 2700)
USER_PORTS = range(1024, 65536)
REFUSED_PORTS = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080}
    | set(range(6665, 6670))
)
"""Browsers open no page there: "bad ports" of the Fetch standard, those above 1023."""

ALIAS_PREFIX = "project-"
"""What comes before the id in the second alias of a project; no id begins like that."""

_PROJECT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)


def is_project(text: str) -> bool:
    """True for the contract's pattern."""
    return _PROJECT_ID.fullmatch(text) is not None


def check_project(project: str) -> str:
    """The id itself; raises InvalidProject where it does not match the contract's pattern."""
    if is_project(project):
        return project
    shown = project if len(project) <= 80 else project[:77] + "..."
    suggestion = project_id_from(project)
    hint = "Use lower-case letters, digits, '_' and '-', at most 63, a letter or digit first"
    hint += f": --project {suggestion}" if suggestion else ""
    raise InvalidProject(
        f"{shown!r} is not a project id", hint=hint, details={"suggestion": suggestion or None}
    )


def check_new_project(project: str) -> str:
    """As ``check_project``, for a project that is to be created.

    Every project ``web`` has the alias ``project-web``: no other one may be called that.
    """
    if not check_project(project).startswith(ALIAS_PREFIX):
        return project
    suggestion = project_id_from(project)
    raise InvalidProject(
        f"{project!r} is not a project id: it is an alias of {suggestion!r} on the network",
        hint=f"Use an id that does not begin with {ALIAS_PREFIX!r}: --project {suggestion}",
        details={"suggestion": suggestion},
    )


def check_port(port: int) -> int:
    """The port itself. Raises InvalidPort out of 1024-65535 and in the reserved range."""
    if port not in USER_PORTS:
        raise InvalidPort(f"port {port} is out of range", hint="Use 1024 to 65535, or --port auto")
    if port in RESERVED_PORTS:
        raise InvalidPort(
            f"port {port} is reserved (2601-2699)", hint="Use another one, or --port auto"
        )
    return port


def project_id_from(text: str) -> str:
    """A folder's name turned into a project id; empty where nothing of it can be used.

    A folder called ``project-web`` gives ``web``, of which ``project-web`` is an alias.
    """
    made = re.sub(r"[^a-z0-9_-]+", "-", text.lower(), flags=re.ASCII)
    made = made.lstrip("-_")[:1024]
    while made.startswith(ALIAS_PREFIX):
        made = made.removeprefix(ALIAS_PREFIX).lstrip("-_") or "project"
    return made[:63].rstrip("-")


def aliases(project: str) -> tuple[str, str]:
    """The names under which other projects on the network reach a project."""
    return project, f"{ALIAS_PREFIX}{project}"


def container_name(project: str, now: datetime) -> str:
    """``debug-host-{project}-{timestamp}``, the timestamp as ``YYYYMMDDTHHMMSSmmmZ`` in UTC."""
    stamp = now.astimezone(UTC)
    return f"debug-host-{project}-{stamp:%Y%m%dT%H%M%S}{stamp.microsecond // 1000:03d}Z"


def service_container_name(project: str, service: str, now: datetime) -> str:
    """``debug-host-{project}-{service}-{timestamp}``."""
    return container_name(f"{project}-{service}", now)


def service_alias(project: str, service: str) -> str:
    """The name of a companion service that no other project's has."""
    return f"{service}.{project}"


def service_data_name(project: str, service: str) -> str:
    """The volume with the data of a companion service."""
    return f"debug-host-{project}-{service}-data"


def service_secret_name(project: str, service: str) -> str:
    """The volume with the generated password of a companion service."""
    return f"debug-host-{project}-{service}-secret"


def one_off_name(project: str, now: datetime, pid: int) -> str:
    """``debug-host-{project}-run-{timestamp}-{pid}``: several may be created at once."""
    return f"{container_name(f'{project}-run', now)}-{pid}"


def volume_name(project: str, type_: ProjectType) -> str | None:
    """The name of the project's dependency volume, None for types without one."""
    folder = DEPENDENCY_FOLDERS.get(type_)
    return f"debug-host-{project}-{folder[0]}" if folder else None


def volume_target(type_: ProjectType) -> str | None:
    """Where the dependency volume is mounted, None for types without one."""
    folder = DEPENDENCY_FOLDERS.get(type_)
    return f"{WORKDIR}/{folder[1]}" if folder else None


def cache_name(project: str) -> str:
    """The volume with the packages that a project downloaded."""
    return f"debug-host-{project}-cache"


def home_name(project: str) -> str:
    """The volume with the home of a project's user: shell history, settings and caches of tools."""
    return f"debug-host-{project}-home"


def workspace_volume_name(project: str) -> str:
    """The volume with the workspace, on an engine that does not see this machine's files."""
    return f"debug-host-{project}-app"


def swarm_service_name(project: str) -> str:
    """Of a project's service in a swarm: a DNS label, which may not be as long as an id."""
    name = f"debug-host-{project}"
    if len(name) <= 63 and name[-1].isalnum():
        return name
    digest = hashlib.sha256(project.encode()).hexdigest()[:8]
    return f"{name[:54].rstrip('-_')}-{digest}"


def task_image(project: str) -> str:
    """The image that is made on a node for the tasks of a project."""
    return f"debug-host-task:{project}"


def shared_cache_name(uid: int | None) -> str:
    """The package cache that projects share whose user wants that; one for each user id.

    ``uid``: None where the container runs as the image's own user.
    """
    return "debug-host-cache" if uid is None else f"debug-host-cache-{uid}"


def is_shared_cache(volume: str) -> bool:
    """True for a name that ``shared_cache_name`` gives; no project's volume ends like that."""
    return volume == "debug-host-cache" or volume.removeprefix("debug-host-cache-").isdigit()


def network_name(project: str) -> str:
    """The network of a project that is isolated, or has companion services."""
    return f"debug-host-{project}-network"


def port_note_name(project: str) -> str:
    """The volume whose label remembers a chosen port while the project has no container."""
    return f"debug-host-{project}-port"


def probe_name(project: str, token: str) -> str:
    """The container that tells whether an engine sees a workspace."""
    return f"debug-host-{project}-probe-{token}"


def base_labels(version: str, now: datetime) -> dict[str, str]:
    """The labels that everything of ours carries."""
    return {MANAGED: "true", CREATED: rfc3339(now), VERSION: version}


def rfc3339(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
