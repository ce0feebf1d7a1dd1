"""``completion SHELL``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.options import command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.completion import SCRIPTS, script
from debughost_cli.errors import Usage


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("completion")(command(completion))


def completion(
    session: Session,
    shell: Annotated[
        str, typer.Argument(metavar="bash|zsh|fish|powershell|pwsh", help="The shell.")
    ],
) -> Output:
    """Print the completion script for a shell."""
    if shell not in SCRIPTS:
        raise Usage(f"no completion for {shell[:40]!r}", hint=f"Use one of {', '.join(SCRIPTS)}")
    text = script(shell)
    return Output(
        data={"shell": shell, "script": text}, show=lambda: session.streams.out(text.rstrip())
    )
