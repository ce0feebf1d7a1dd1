"""``stop``, ``restart``, ``rm``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import typer

from debughost_cli.cli.options import (
    All,
    AllEngines,
    Projects,
    StopTimeout,
    Wait,
    WaitTimeout,
    command,
    seconds,
)
from debughost_cli.cli.output import Output, projects_output
from debughost_cli.cli.projects import chosen, confirm
from debughost_cli.cli.session import Session
from debughost_cli.errors import Usage
from debughost_cli.render.text import counted


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("start")(command(start))
    app.command("stop")(command(stop))
    app.command("restart")(command(restart))
    app.command("rm")(command(rm))


def start(
    session: Session,
    project: Projects = None,
    all_: All = False,
    wait: Wait = True,
    wait_timeout: WaitTimeout = None,
) -> Output:
    """Bring existing projects up again, with their flags; here alone it is up."""
    ready_timeout = seconds(wait_timeout, "--wait-timeout")
    if not project and not all_:
        from debughost_cli.api import ProjectsResult
        from debughost_cli.project.settings import Flags

        flags = Flags(wait_timeout=ready_timeout)
        return projects_output(
            session, ProjectsResult((session.host.up(flags=flags, wait=wait, check=False),))
        )
    result = session.host.start(
        chosen(session, project, everything=all_),
        wait=wait,
        wait_timeout=ready_timeout,
        check=False,
    )
    return projects_output(session, result)


def stop(
    session: Session,
    project: Projects = None,
    timeout: StopTimeout = "10",
    all_: All = False,
    all_engines: AllEngines = False,
) -> Output:
    """Send SIGTERM, then SIGKILL after a timeout; print which of the two ended it."""
    stop_timeout = stop_seconds(timeout)
    projects = chosen(session, project, everything=all_, all_engines=all_engines)
    result = session.host.stop(
        projects,
        timeout=stop_timeout,
        group=session.is_group,
        all_engines=all_engines,
        check=False,
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
    """Stop, then start with the current configuration."""
    stop_timeout, ready_timeout = stop_seconds(timeout), seconds(wait_timeout, "--wait-timeout")
    result = session.host.restart(
        chosen(session, project, everything=all_),
        timeout=stop_timeout,
        wait=wait,
        wait_timeout=ready_timeout,
        check=False,
    )
    return projects_output(session, result)


def rm(
    session: Session,
    project: Projects = None,
    timeout: StopTimeout = "10",
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Also remove what was installed.")
    ] = False,
    data: Annotated[
        bool, typer.Option("--data", help="With --volumes: also the data of its services.")
    ] = False,
    all_: All = False,
    all_engines: AllEngines = False,
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Every project whose workspace is gone.")
    ] = False,
    if_exists: Annotated[
        bool, typer.Option("--if-exists", help="A project that does not exist is no error.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, for --all.")] = False,
) -> Output:
    """Stop gracefully, then remove the container; volumes only when requested."""
    stop_timeout = stop_seconds(timeout)
    if data and not volumes:
        raise Usage("--data needs --volumes", hint="Databases are removed by 'rm --volumes --data'")
    if orphans:
        if project or all_ or all_engines:
            raise Usage("--orphans chooses the projects itself", hint="Leave --project and --all")
        projects: Sequence[str] | None = session.host.orphans()
    else:
        projects = chosen(session, project, everything=all_, all_engines=all_engines)
    if all_ and projects and not (yes or dry_run):
        where = " from all engines" if all_engines else ""
        ids = f"{counted(len(projects), 'project')}{where}: {', '.join(projects)}"
        confirm(session, f"Remove {ids}?")
    if dry_run:
        result = session.host.plan_removal(
            projects,
            volumes=volumes,
            data=data,
            if_exists=if_exists,
            all_engines=all_engines,
            check=False,
        )
    else:
        result = session.host.remove(
            projects,
            volumes=volumes,
            data=data,
            timeout=stop_timeout,
            if_exists=if_exists,
            group=session.is_group,
            all_engines=all_engines,
            check=False,
        )
    return projects_output(session, result)


def stop_seconds(text: str) -> int:
    """As of ``docker stop``, 0 sends SIGKILL at once."""
    from debughost_cli.project.parsers import parse_pause

    return math.ceil(seconds(text, "--timeout", parse_pause) or 0)
