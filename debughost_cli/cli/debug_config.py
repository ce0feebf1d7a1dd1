"""``debug-config``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.options import command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("debug-config")(command(debug_config))


def debug_config(
    session: Session,
    editor: Annotated[
        str, typer.Argument(metavar="[vscode|jetbrains|neovim]", help="The editor.")
    ] = "vscode",
    project: Annotated[
        str | None, typer.Option("--project", "-p", metavar="ID", help="The project's id.")
    ] = None,
) -> Output:
    """Print what an editor needs to debug a project that was started with --debug."""
    from debughost_cli.render.json import plain

    found = session.host.debug_config(editor, project)

    def show() -> None:
        session.streams.out(found.content)
        if found.file:
            session.streams.talk(f"That is for {found.file}")

    return Output(data={"config": plain(found)}, show=show)
