"""``open`` and ``rename``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.options import Projects, command
from debughost_cli.cli.output import Output, projects_output
from debughost_cli.cli.session import Session
from debughost_cli.errors import ProjectNotFound, Usage
from debughost_cli.models import State


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("open")(command(open_))
    app.command("rename")(command(rename))


def open_(
    session: Session,
    project: Projects = None,
    print_: Annotated[
        bool, typer.Option("--print", help="Print the URL, and open nothing.")
    ] = False,
) -> Output:
    """Open a project's page in the browser, and print its URL."""
    chosen = session.host.chosen(project or None)
    if len(set(chosen)) > 1:
        raise Usage("one page is opened", hint="Name one project")
    (found,) = session.host.status(chosen, stats=False).projects
    if found.url is None:
        raise Usage(f"{found.project} has no port", hint="It is a program without a page")
    if found.state is not State.RUNNING:
        raise ProjectNotFound(
            f"project {found.project} is not running ({found.state})",
            hint=f"Start it with 'debughost start {found.project}'",
            details={"project": found.project, "state": found.state},
        )
    url = found.url
    is_opened = not (print_ or session.options.json) and session.streams.is_interactive()
    if is_opened:
        import webbrowser

        is_opened = webbrowser.open(url)
    return Output(
        data={"project": found.project, "url": url, "opened": is_opened},
        show=lambda: session.streams.out(url),
    )


def rename(
    session: Session,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new id.")],
    project: Annotated[
        str | None, typer.Option("--project", "-p", metavar="ID", help="The project to rename.")
    ] = None,
) -> Output:
    """Give a project another id, and keep its data, packages, port, flags and state."""
    from debughost_cli.api import ProjectsResult

    return projects_output(session, ProjectsResult((session.host.rename(new, project),)))
