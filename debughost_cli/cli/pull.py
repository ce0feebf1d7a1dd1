"""``pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from debughost_cli.cli.options import command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.render.streams import inline
from debughost_cli.render.text import size

if TYPE_CHECKING:
    from debughost_cli.api import PullResult


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("pull")(command(pull))


def pull(
    session: Session,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...", help="Only these, also where an ignore rule leaves them out.",
            show_default=False,
        ),
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", "-p", metavar="ID", help="The project.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be fetched, change nothing.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also what changed here as well.")
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Also delete here what the program deleted.")
    ] = False,
) -> Output:  # fmt: skip
    """Fetch what the program wrote into its files on another machine."""
    result = session.host.pull(
        project, paths or (), dry_run=dry_run, overwrite=overwrite, deletes=delete
    )
    files = [{"path": f.path, "change": f.kind.value, "bytes": f.size} for f in result.files]
    data = {
        "project": result.project, "needed": result.is_needed, "dry_run": result.is_dry_run,
        "files": files,
    }  # fmt: skip
    changed = bool(files) and not result.is_dry_run
    return Output(data=data, changed=changed, show=lambda: _show(session, result))


def _show(session: Session, result: PullResult) -> None:
    if not result.is_needed:
        session.streams.talk(f"The engine of {result.project} sees the files themselves")
    elif not result.files:
        session.streams.talk(f"The program of {result.project} has changed nothing")
    for file in result.files:
        amount = f" ({size(file.size)})" if file.size else ""
        session.streams.out(f"{file.kind.value:8} {inline(file.path)}{amount}")
