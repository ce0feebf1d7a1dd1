"""``status``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.options import Projects, command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import ExitCode
from debughost_cli.models import State
from debughost_cli.names import check_project
from debughost_cli.render import human
from debughost_cli.render.json import project_json


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("status")(command(status))


def status(
    session: Session,
    project: Projects = None,
    no_stats: Annotated[
        bool, typer.Option("--no-stats", help="Leave CPU and memory out; faster.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit code 7 unless all run and are ready.")
    ] = False,
) -> Output:
    """State, CPU, memory, port and uptime of every project, and why it ended."""
    from debughost_cli.services.status import StatusService

    names = [check_project(p) for p in project or []]
    found = StatusService(session.engine).run(names, stats=not no_stats)
    well = all(p.state is State.RUNNING and p.ready for p in found)
    ended = [p.project for p in found if p.exit and not p.exit.expected]
    return Output(
        data={"projects": [project_json(p) for p in found]},
        show=lambda: human.status(session.streams, found),
        exit_code=ExitCode.PROJECT_FAILED if check and not well else 0,
        next=[f"debughost logs -p {p}" for p in ended[:3]],
    )
