"""Finding projects on the engine, and describing them as the contract's P."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.deployment.places import url_host
from debughost_cli.deployment.transport import Transport, transport_of
from debughost_cli.engine.port import Conflict, Engine, LogQuery, NotFound
from debughost_cli.errors import DebughostError, ProjectNotFound
from debughost_cli.failure import NotReadyReason
from debughost_cli.models import ContainerRef, Project, PublishedPort, State
from debughost_cli.planning.exit_reason import explain, state_of
from debughost_cli.planning.instance import instances
from debughost_cli.planning.launcher_status import (
    LauncherPhase,
    LauncherStatus,
    of_this_run,
    parse,
)
from debughost_cli.planning.listeners import known_obstacle
from debughost_cli.planning.log_tail import LINES, start_of_run, tail
from debughost_cli.project.flags import Flags
from debughost_cli.resources import (
    Container,
    ContainerStatus,
    ContainerSummary,
    Link,
    ProjectInstance,
)
from debughost_cli.services.progress import Progress
from debughost_cli.specs import HTTP, PortBinding, ServiceSpec
from debughost_cli.synced import Sync, SyncState

MANAGED_FILTER = f"{names.MANAGED}=true"


def list_instances(engine: Engine) -> dict[str, ProjectInstance]:
    """Every project on the engine, by its id."""
    return instances(engine.containers.list([MANAGED_FILTER]))


def find_instance(engine: Engine, project: str) -> ProjectInstance | None:
    """The project as it is on the engine, None where there is no such project."""
    listed = engine.containers.list([MANAGED_FILTER, f"{names.PROJECT}={project}"])
    return instances(listed).get(project)


def get_instance(engine: Engine, project: str) -> ProjectInstance:
    """The project as it is on the engine. Raises ProjectNotFound."""
    found = find_instance(engine, project)
    if found is None:
        raise not_found(project, list(list_instances(engine)))
    return found


def inspect_main(engine: Engine, project: str) -> Container:
    """The project's main container. Raises ProjectNotFound."""
    ref = get_instance(engine, project).main.id
    try:
        return engine.containers.inspect(ref)
    except NotFound:
        raise not_found(project, list(list_instances(engine))) from None


def member(instance: ProjectInstance, service: str | None) -> ContainerSummary:
    """The container of one of a project's services, None or empty for its own program.

    Raises ProjectNotFound.
    """
    found = [c for c in instance.companions if c.service == service] if service else [instance.main]
    if found:
        return max(found, key=lambda c: (c.is_running, c.created_at))
    known = sorted({c.service for c in instance.companions})
    raise ProjectNotFound(
        f"project {instance.project} has no service {service}",
        hint=f"Its services: {', '.join(known) or 'none'}; they are set in debughost.toml",
        details={"project": instance.project, "service": service, "services": known},
    )


def workspace_of(engine: Engine, project: str) -> str | None:
    """The workspace that a project was created with, None where there is no such project."""
    found = find_instance(engine, project)
    return found.main.labels.get(names.WORKSPACE) if found else None


def not_found(project: str, known: Sequence[str]) -> ProjectNotFound:
    """No container of that project; with the ids that do exist, similar ones first."""
    listed = ", ".join(sorted(known)[:10]) or "none"
    near = get_close_matches(project, sorted(known), cutoff=0.6)
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    return ProjectNotFound(
        f"there is no project {project} on this engine",
        hint=f"{meant}Known projects: {listed}. Create it with 'debughost up -p {project}'",
        details={"project": project, "known": sorted(known)},
    )


def read_launcher_status(engine: Engine, ref: str) -> LauncherStatus:
    """What the launcher of a container reported last."""
    return parse(engine.containers.read_link(ref, names.STATE_LINK))


def observe(engine: Engine, ref: str) -> tuple[Container, LauncherStatus]:
    """A container and what its launcher reported in this run. Raises NotFound.

    The status of one that has ended is read after its end: until then it may still change.
    """
    launcher = read_launcher_status(engine, ref)
    container = engine.containers.inspect(ref)
    if not container.is_running:
        launcher = read_launcher_status(engine, ref)
    elif launcher.phase is LauncherPhase.NONE and _is_orphan(container):
        launcher = _read_inside(engine, ref)
    return container, of_this_run(launcher, container)


def _is_orphan(container: Container) -> bool:
    workspace = container.labels.get(names.WORKSPACE)
    return workspace is not None and not Path(workspace).exists()


def _read_inside(engine: Engine, ref: str) -> LauncherStatus:
    """The same from within: an engine reads no file of a container whose mounted folder is gone."""
    with suppress(DebughostError, Conflict):
        found = engine.exec.run(ref, ("readlink", names.STATE_LINK))
        if found.exit_code == 0:
            return parse(Link(found.stdout.decode("utf-8", "replace").strip(), None))
    return LauncherStatus()


def describe(engine: Engine, container: Container, launcher: LauncherStatus) -> Project:
    """The project with its state, and with its last output where it has ended."""
    project = outline(container, launcher)
    ended = project.exit
    if ended and not ended.expected and not ended.log_tail:
        ended = replace(ended, log_tail=log_tail(engine, container))
    host = url_host(engine.info, container.labels) if project.ports or project.url else None
    if container.place and host:
        host = f"node {container.place.node}"
    return replace(project, exit=ended, url_host=host)


def log_tail(engine: Engine, container: Container, lines: int = LINES) -> tuple[str, ...]:
    """The last lines of this run as text, cut where they are long; empty where there are none.

    What an earlier run of the container wrote says nothing of this one.
    """
    with suppress(DebughostError):
        query = LogQuery(tail=lines, since=start_of_run(container))
        return tail(line.data for line in engine.containers.logs(container.id, query))
    return ()


def outline(container: Container, launcher: LauncherStatus) -> Project:
    """The project as ``container`` and ``launcher`` describe it, without a further request."""
    launcher = of_this_run(launcher, container)
    state = state_of(container, launcher)
    running = state in (State.RUNNING, State.PAUSED)
    is_uploaded = transport_of(container.labels) is Transport.VOLUME
    return Project(
        project=container.project,
        type=container.labels.get(names.TYPE),
        state=state,
        ready=state is State.RUNNING and launcher.ready,
        not_ready=_not_ready(container, launcher) if state is State.RUNNING else None,
        health=container.health,
        url=url_of(container.port),
        port=container.port or None,
        ports=published(container.ports),
        workspace=container.labels.get(names.WORKSPACE),
        command=container.command,
        container=ContainerRef(container.id, container.name, container.image),
        created_at=container.created_at,
        started_at=container.started_at,
        uptime_seconds=_uptime(container) if running else None,
        restart_count=container.restart_count,
        exit=explain(container, launcher),
        swarm=container.place,
        flags=_flags(container).words(),
        memory_limit_bytes=container.limits.memory_bytes or None,
        sync=Sync(SyncState.UNKNOWN) if is_uploaded else None,
    )


def _not_ready(container: Container, launcher: LauncherStatus) -> NotReadyReason | None:
    return known_obstacle(container, launcher, datetime.now(UTC))


def _flags(container: Container) -> Flags:
    return Flags.from_label(container.labels.get(names.FLAGS, "{}"), container.environment)


def planned(spec: ServiceSpec) -> Project:
    """A project that does not exist yet, as it would be."""
    return Project(
        project=spec.project,
        type=spec.type,
        url=url_of(spec.port),
        port=spec.port,
        ports=published(spec.ports),
        workspace=spec.workspace,
        command=spec.command,
        container=ContainerRef("", "", spec.image),
    )


class EarlierRun(Struct, frozen=True):
    """What earlier runs of ``up`` left of a project: its flags, and the project as listed."""

    flags: Flags = field(default_factory=Flags)
    instance: ProjectInstance | None = None


def earlier_run(engine: Engine, project: str, workspace: Path) -> EarlierRun:
    """The earlier runs of the project of this workspace; another workspace's do not count."""
    found = find_instance(engine, project)
    if found is None or found.main.labels.get(names.WORKSPACE) != str(workspace):
        return EarlierRun()
    return EarlierRun(_flags_of(engine, found.main), found)


def _flags_of(engine: Engine, main: ContainerSummary) -> Flags:
    # One that was never started is what an interrupted run left.
    if main.status is ContainerStatus.CREATED or not main.labels.get(names.FLAGS):
        return Flags()
    label = main.labels[names.FLAGS]
    if not Flags.has_variables(label):
        return Flags.from_label(label, {})
    try:
        return _flags(engine.containers.inspect(main.id))
    except NotFound:
        return Flags()


def mention(progress: Progress, project: str, flags: Sequence[str]) -> None:
    """Says which flags of earlier runs are in force."""
    if flags:
        progress.notice(
            f"{project} keeps {', '.join(flags)} of an earlier 'up'; 'up --reset' forgets them"
        )


def _uptime(container: Container) -> float | None:
    if container.started_at is None:
        return None
    return round(max(0.0, (datetime.now(UTC) - container.started_at).total_seconds()), 3)


def url_of(port: int) -> str | None:
    """Where a browser of the engine's machine finds the project."""
    return f"http://127.0.0.1:{port}" if port else None


def published(ports: Sequence[PortBinding]) -> tuple[PublishedPort, ...]:
    """The ports as users reach them; that of a database has no page."""
    return tuple(
        PublishedPort(p.name, p.container_port, p.host_port, _url_of_binding(p)) for p in ports
    )


def _url_of_binding(port: PortBinding) -> str:
    if port.name == HTTP:
        return url_of(port.host_port) or ""
    from debughost_cli.planning.known_services import scheme_of

    return f"{scheme_of(port.container_port)}://127.0.0.1:{port.host_port}"
