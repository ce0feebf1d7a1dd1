"""``images ls``, ``build``, ``pull``, ``prune``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from debughost_cli.cli.options import TYPES, command, group
from debughost_cli.cli.output import Output
from debughost_cli.cli.projects import confirm
from debughost_cli.cli.session import Session
from debughost_cli.models import ProjectType
from debughost_cli.project.parsers import parse_type
from debughost_cli.render import human
from debughost_cli.render.json import images_json
from debughost_cli.render.text import counted

if TYPE_CHECKING:
    from debughost_cli.api import ImagesResult

Types = Annotated[
    list[str] | None, typer.Argument(metavar=f"[{TYPES}]...", help="Which ones; all.")
]


def register(app: typer.Typer) -> None:
    """Adds the group to the program."""
    made = group(app, "images", "The base images, one for each type.")
    made.command("ls")(command(ls))
    made.command("build")(command(build))
    made.command("pull")(command(pull))
    made.command("prune")(command(prune))


def ls(session: Session) -> Output:
    """List the base images: which are present, and their sizes."""
    return _output(session, session.host.images.list_all())


def build(
    session: Session,
    types: Types = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="REF", help="Build on this image.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every step again.")] = False,
) -> Output:
    """Build the base images."""
    result = session.host.images.build(_types(types), base=base, no_cache=no_cache)
    return _output(session, result)


def pull(session: Session, types: Types = None) -> Output:
    """Pull what the base images are built on, and build them."""
    return _output(session, session.host.images.pull(_types(types)))


def prune(
    session: Session,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> Output:
    """Remove old images of ours that no container uses."""
    found = session.host.images.candidates()
    if not found.images:
        return Output(
            data=images_json(found), show=lambda: session.streams.talk("No images to remove")
        )
    if dry_run:
        return _output(session, found)
    if not yes:
        confirm(session, f"Remove {counted(len(found.images), 'image')}?")
    return _output(session, session.host.images.prune(found))


def _types(given: list[str] | None) -> list[ProjectType]:
    return [parse_type(t) for t in dict.fromkeys(given or [])]


def _output(session: Session, result: ImagesResult) -> Output:
    return Output(
        data=images_json(result),
        changed=result.changed,
        show=lambda: human.images(session.streams, result),
    )
