"""``images ls``, ``build``, ``pull``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from debughost_cli.cli.options import command, group, here
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.models import ProjectType
from debughost_cli.project.certificates import ca_bundle_of
from debughost_cli.project.configuration import load_settings
from debughost_cli.project.parsers import parse_type
from debughost_cli.project.settings import Flags
from debughost_cli.render import human
from debughost_cli.render.json import images_json
from debughost_cli.services.images import ImageService
from debughost_cli.services.results import ImagesResult

Types = Annotated[
    list[str] | None, typer.Argument(metavar="[TYPE]...", help="node, python, php, static; all.")
]


def register(app: typer.Typer) -> None:
    """Adds the group to the program."""
    made = group(app, "images", "The base images, one a type.")
    made.command("ls")(command(ls))
    made.command("build")(command(build))
    made.command("pull")(command(pull))


def ls(session: Session) -> Output:
    """List the base images: which are here, how big."""
    return _output(session, ImageService(session.engine, session.progress).list_all())


def build(
    session: Session,
    types: Types = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="REF", help="Build on this image.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every step again.")] = False,
) -> Output:
    """Make the base images."""
    chosen = _types(types)
    service = ImageService(session.engine, session.progress)
    result = service.build(chosen, base=base, no_cache=no_cache, ca_bundle=_ca_bundle())
    return _output(session, result)


def pull(session: Session, types: Types = None) -> Output:
    """Fetch what the base images are made from, and make them."""
    service = ImageService(session.engine, session.progress)
    return _output(session, service.refresh(_types(types), _ca_bundle()))


def _types(given: list[str] | None) -> list[ProjectType]:
    return [parse_type(t) for t in dict.fromkeys(given or [])]


def _ca_bundle() -> Path | None:
    """The CA bundle in force in this folder; builds fetch packages too."""
    return ca_bundle_of(load_settings(here(), Flags(), os.environ), here())


def _output(session: Session, result: ImagesResult) -> Output:
    return Output(
        data=images_json(result),
        changed=result.changed,
        show=lambda: human.images(session.streams, result),
    )
