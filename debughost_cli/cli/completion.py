"""``completion SHELL``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.commands import COMPLETE_VARIABLE
from debughost_cli.cli.options import command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Usage

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("completion")(command(completion))


def completion(
    session: Session,
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh, fish or pwsh.")],
) -> Output:
    """Print the completion script for a shell."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # not re-exported

    if shell not in SHELLS:
        raise Usage(f"no completion for {shell[:40]!r}", hint=f"Use one of {', '.join(SHELLS)}")
    script = get_completion_script(
        prog_name="debughost", complete_var=COMPLETE_VARIABLE, shell=shell
    )
    return Output(data={"shell": shell, "script": script}, show=lambda: session.streams.out(script))
