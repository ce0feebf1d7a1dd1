"""``wait``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from debughost_cli.cli.options import Projects, command, seconds
from debughost_cli.cli.output import Output, projects_output
from debughost_cli.cli.session import Session
from debughost_cli.render import human
from debughost_cli.render.streams import inline

if TYPE_CHECKING:
    from debughost_cli.api import ProjectsResult


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("wait")(command(wait))


def wait(
    session: Session,
    project: Projects = None,
    for_: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="running|ready|healthy|exited|http[=PATH]|log=REGEX",
            help="The condition.",
        ),
    ] = "ready",
    timeout: Annotated[
        str, typer.Option("--timeout", "-t", metavar="S", help="Seconds to wait.")
    ] = "60",
) -> Output:
    """Wait for a condition; fail at once when it can no longer come true."""
    limit = seconds(timeout, "--timeout") or 60.0
    result = session.host.wait(project or None, for_, timeout=limit, check=False)
    output = projects_output(session, result)
    helps = output.next if output.error else ()
    return replace(output, show=lambda: _show(session, result, for_), next=helps)


def _show(session: Session, result: ProjectsResult, condition: str) -> None:
    for item in result.items:
        if item.error is None:
            session.streams.out(f"{item.project.project} is {inline(condition)}")
        elif len(result.items) > 1:
            human.error(session.streams, item.error)
