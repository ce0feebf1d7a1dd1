"""``up``, ``stop``, ``restart``, ``rm``."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from debughost_cli.cli.options import Projects, command, here, seconds
from debughost_cli.cli.output import Output, projects_output
from debughost_cli.cli.session import Session
from debughost_cli.errors import ConfirmationRequired, DebughostError, Usage
from debughost_cli.models import PullPolicy
from debughost_cli.names import check_project

Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", metavar="DIR", help="The project's folder; this one if not given.",
        show_default=False,
    ),
]  # fmt: skip
StopTimeout = Annotated[
    str,
    typer.Option("--timeout", "-t", metavar="S", help="Seconds from SIGTERM to SIGKILL."),
]
All = Annotated[bool, typer.Option("--all", "-a", help="Every project on the engine.")]
WaitTimeout = Annotated[
    str | None,
    typer.Option("--wait-timeout", metavar="S", help="Seconds to wait for readiness (60)."),
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it listens.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("up")(command(up))
    app.command("stop")(command(stop))
    app.command("restart")(command(restart))
    app.command("rm")(command(rm))


def up(
    session: Session,
    command_: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- CMD...]", help="The command, in place of the detected one."),
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", "-p", metavar="ID", help="The project's id.")
    ] = None,
    workspace: Workspace = None,
    allow_workspace: Annotated[
        Path | None,
        typer.Option(
            "--allow-workspace",
            metavar="DIR",
            help="Use this folder although it exposes the host.",
            show_default=False,
        ),
    ] = None,
    type_: Annotated[
        str | None,
        typer.Option("--type", metavar="TYPE", help="node, python, php or static; else detected."),
    ] = None,
    image: Annotated[
        str | None, typer.Option("--image", metavar="REF", help="Any image that has a shell.")
    ] = None,
    port: Annotated[
        str | None, typer.Option("--port", metavar="N|auto", help="The port, inside and out.")
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", "-e", metavar="K=V", help="A variable; K alone takes yours."),
    ] = None,
    env_file: Annotated[
        list[Path] | None, typer.Option("--env-file", metavar="F", help="A file of variables.")
    ] = None,
    cpus: Annotated[str | None, typer.Option("--cpus", metavar="N", help="CPUs (2).")] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", "-m", metavar="SIZE", help="Memory, no swap (2g).")
    ] = None,
    pids: Annotated[
        str | None, typer.Option("--pids", metavar="N", help="Processes (512).")
    ] = None,
    shm_size: Annotated[
        str | None, typer.Option("--shm-size", metavar="SIZE", help="Size of /dev/shm (64m).")
    ] = None,
    restart_: Annotated[
        str | None,
        typer.Option(
            "--restart", metavar="POLICY", help="no, always, unless-stopped, on-failure[:N] (no)."
        ),
    ] = None,
    wait: Wait = True,
    wait_timeout: WaitTimeout = None,
    recreate: Annotated[
        bool, typer.Option("--recreate", help="A new container even if nothing changed.")
    ] = False,
    no_deps: Annotated[
        bool, typer.Option("--no-deps", help="Do not install dependencies.")
    ] = False,
    pull: Annotated[
        str, typer.Option("--pull", metavar="WHEN", help="missing, always or never.")
    ] = "missing",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, change nothing.")
    ] = False,
) -> Output:
    """Make what is missing, start it, wait until it listens, print the URL."""
    from debughost_cli.planning.up import ConvergeOptions
    from debughost_cli.project.resolve import resolve_project
    from debughost_cli.project.settings import Flags
    from debughost_cli.project.variables import flag_environment
    from debughost_cli.services.batch import failed
    from debughost_cli.services.results import ProjectsResult
    from debughost_cli.services.up import UpService
    from debughost_cli.services.up_state import UpOptions

    if pull not in set(PullPolicy):
        raise Usage(f"--pull cannot be {pull!r}", hint="Use missing, always or never")
    ready_timeout = seconds(wait_timeout, "--wait-timeout")
    folder = _folder(session, workspace, project, allow_workspace)
    flags = Flags(
        project=project, type=type_, image=image, port=port, cpus=cpus, memory=memory, pids=pids,
        shm_size=shm_size, restart=restart_, dependencies=False if no_deps else None,
        wait_timeout=ready_timeout, command=tuple(command_ or ()) or None,
        environment=flag_environment(env or [], env_file or [], os.environ),
    )  # fmt: skip
    resolved = resolve_project(folder, flags, os.environ)
    options = UpOptions(ConvergeOptions(recreate=recreate, wait=wait), PullPolicy(pull))
    service = UpService(session.engine, session.progress)
    try:
        run = service.dry_run if dry_run else service.run
        item = run(resolved, options)
    except DebughostError as exc:
        item = failed(session.engine, resolved.project, exc)
    return projects_output(session, ProjectsResult((item,)))


def _folder(session: Session, given: Path | None, project: str | None, allow: Path | None) -> Path:
    """The workspace: the one that was named, else this folder, else where the project lives.

    ``up -p ID`` away from any workspace means the one that the project was made with. ``allow``:
    a folder that is taken though it exposes the host; no configuration file can say so.
    """
    from debughost_cli.project.workspace import check_workspace, resolve_path

    allowed = resolve_path(allow) if allow else None
    variable = os.environ.get("DEBUGHOST_WORKSPACE")
    if given or variable:
        return check_workspace(given or Path(variable or ""), allowed)
    if project and not _looks_like_project(here()):
        from debughost_cli.services.projects import workspace_of

        known = workspace_of(session.engine, check_project(project))
        if known:
            return check_workspace(Path(known), allowed)
    return check_workspace(here(), allowed)


def _looks_like_project(folder: Path) -> bool:
    from debughost_cli.project.configuration import read_file
    from debughost_cli.project.detect import detect

    try:
        return bool(read_file(folder)[0] or detect(folder))
    except DebughostError:
        return False


def default_project(session: Session) -> str:
    """The id of the project that lives in the current folder. Raises InvalidProject."""
    from debughost_cli.project.configuration import load_settings
    from debughost_cli.project.resolve import default_project as from_folder
    from debughost_cli.project.settings import Flags

    folder = here()
    return load_settings(folder, Flags(), os.environ).project or from_folder(folder)


def chosen(session: Session, projects: Sequence[str] | None, everything: bool) -> list[str]:
    """The projects that a command is about. Raises Usage, InvalidProject."""
    if projects and everything:
        raise Usage("--all and --project exclude each other", hint="Give one of the two")
    if everything:
        from debughost_cli.services.lifecycle import LifecycleService

        return LifecycleService(session.engine, session.progress).all_projects()
    return [check_project(p) for p in projects or [default_project(session)]]


def _stop_timeout(text: str) -> int:
    value = seconds(text, "--timeout")
    return math.ceil(value or 0)


def stop(
    session: Session, project: Projects = None, timeout: StopTimeout = "10", all_: All = False
) -> Output:
    """SIGTERM, then SIGKILL after the grace; says which of the two ended it."""
    from debughost_cli.services.batch import run_each
    from debughost_cli.services.lifecycle import LifecycleService

    stop_timeout = _stop_timeout(timeout)
    projects = chosen(session, project, all_)
    service = LifecycleService(session.engine, session.progress)
    result = run_each(
        session.engine, projects, lambda p: service.stop(p, stop_timeout), session.cancel
    )
    return projects_output(session, result)


def restart(
    session: Session,
    project: Projects = None,
    timeout: StopTimeout = "10",
    all_: All = False,
    wait: Wait = True,
    wait_timeout: WaitTimeout = None,
) -> Output:
    """Stop, then up with today's configuration."""
    from debughost_cli.planning.up import ConvergeOptions
    from debughost_cli.services.batch import run_each
    from debughost_cli.services.lifecycle import LifecycleService
    from debughost_cli.services.up_state import UpOptions

    options = UpOptions(
        ConvergeOptions(restart=True, wait=wait),
        stop_timeout=_stop_timeout(timeout),
        cancelled=session.cancel.is_set,
    )
    ready_timeout = seconds(wait_timeout, "--wait-timeout")
    projects = chosen(session, project, all_)
    service = LifecycleService(session.engine, session.progress)
    result = run_each(
        session.engine,
        projects,
        lambda p: service.restart(p, options, ready_timeout, os.environ),
        session.cancel,
    )
    return projects_output(session, result)


def rm(
    session: Session,
    project: Projects = None,
    timeout: StopTimeout = "10",
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Also remove what was installed.")
    ] = False,
    all_: All = False,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Every project whose workspace is gone.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, for --all.")] = False,
) -> Output:
    """Stop gracefully, then remove the container; volumes only when asked."""
    from debughost_cli.services.batch import run_each
    from debughost_cli.services.lifecycle import LifecycleService

    stop_timeout = _stop_timeout(timeout)
    service = LifecycleService(session.engine, session.progress)
    if orphans:
        if project or all_:
            raise Usage("--orphans chooses the projects itself", hint="Leave --project and --all")
        projects = service.all_projects(orphans=True)
    else:
        projects = chosen(session, project, all_)
    if all_ and projects and not (yes or dry_run):
        confirm(session, f"Remove {len(projects)} projects: {', '.join(projects)}?")
    work = (
        service.plan_removal
        if dry_run
        else lambda p, volumes: service.remove(p, stop_timeout, volumes=volumes)
    )
    result = run_each(session.engine, projects, lambda p: work(p, volumes=volumes), session.cancel)
    return projects_output(session, result)


def confirm(session: Session, question: str) -> None:
    """Asks, where somebody can answer. Raises ConfirmationRequired otherwise, and on a no."""
    if not session.can_ask():
        raise ConfirmationRequired(
            f"this needs a yes: {question}", hint="Run it again with --yes, or look with --dry-run"
        )
    session.progress.done()
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise ConfirmationRequired(
            "not confirmed, nothing was removed", hint="Answer y, or use --yes"
        )
