"""``doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.options import command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.render import human


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("doctor")(command(doctor))


def doctor(
    session: Session,
    registries: Annotated[
        bool,
        typer.Option("--registries", help="Also reach the package registries from a container."),
    ] = False,
) -> Output:
    """Find out what is wrong with this machine, and how to fix it."""
    checks = []
    for check in session.host.doctor(registries=registries):
        checks.append(check)
        if not session.options.json:
            session.progress.done()
            human.check(session.streams, check)
    return Output(
        data={
            "checks": [
                {
                    "name": c.name,
                    "status": c.status,
                    "message": c.message,
                    "hint": c.hint,
                    "duration_ms": c.duration_ms,
                }
                for c in checks
            ]
        },
        error=next((c.error for c in checks if c.error), None),
    )
