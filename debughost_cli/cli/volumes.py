"""``volumes ls`` and ``prune``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from debughost_cli.cli.options import Projects, command, group
from debughost_cli.cli.output import Output
from debughost_cli.cli.projects import confirm
from debughost_cli.cli.session import Session
from debughost_cli.render import human
from debughost_cli.render.json import volumes_json
from debughost_cli.render.text import counted, size

if TYPE_CHECKING:
    from debughost_cli.api import VolumesResult


def register(app: typer.Typer) -> None:
    """Adds the group to the program."""
    made = group(app, "volumes", "The volumes that hold installed packages.")
    made.command("ls")(command(ls))
    made.command("prune")(command(prune))


def ls(session: Session) -> Output:
    """List the dependency volumes with their sizes."""
    result = session.host.volumes.list_all()
    return Output(data=volumes_json(result), show=lambda: human.volumes(session.streams, result))


def prune(
    session: Session,
    project: Projects = None,
    all_: Annotated[
        bool, typer.Option("--all", "-a", help="The shared package caches as well.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> Output:
    """Remove the volumes of projects that have no container."""
    found = session.host.volumes.candidates(project or [], caches=all_)
    if dry_run or not found.volumes:
        return _output(session, found, "would be freed")
    if not yes:
        confirm(
            session,
            f"Remove {counted(len(found.volumes), 'volume')} ({size(found.reclaimed_bytes)})?",
        )
    return _output(session, session.host.volumes.prune(found), "freed")


def _output(session: Session, result: VolumesResult, done: str) -> Output:
    def show() -> None:
        human.volumes(session.streams, result)
        if result.volumes:
            session.streams.out(f"{size(result.reclaimed_bytes)} {done}")

    return Output(data=volumes_json(result), changed=result.changed, show=show)
