"""``move``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.lifecycle import stop_seconds
from debughost_cli.cli.options import StopTimeout, command
from debughost_cli.cli.output import Output, projects_output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Usage


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("move")(command(move))


def move(
    session: Session,
    to: Annotated[
        str | None, typer.Option("--to", metavar="NAME", help="The engine to bring it to.")
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", "-p", metavar="ID", help="The project to move.")
    ] = None,
    data: Annotated[
        bool, typer.Option("--data", help="With the data of its services, and its home.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Leave behind what cannot be brought along.")
    ] = False,
    timeout: StopTimeout = "10",
) -> Output:
    """Bring a project to another engine; the old one is removed when the new one is ready."""
    from debughost_cli.api import ProjectsResult

    if not to:
        raise Usage("the engine is missing", hint="Name it with --to: debughost move --to NAME")
    seconds = stop_seconds(timeout)
    item = session.host.move(to, project, data=data, force=force, timeout=seconds)
    return projects_output(session, ProjectsResult((item,)))
