"""``events``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from debughost_cli.cli.options import Projects, command, moment
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.names import rfc3339
from debughost_cli.planning.events import ProjectEvent
from debughost_cli.render.json import dumps, plain
from debughost_cli.render.streams import inline


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("events")(command(events))


def events(
    session: Session,
    project: Projects = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Events since then: RFC 3339, or 10m (ago)."),
    ] = None,
) -> Output:
    """Print state changes as they happen, with their reason, until Ctrl-C."""
    session.is_stream = True
    since_ns = moment(since, "--since", time.time_ns())
    start = None if since_ns is None else since_ns / 1e9
    to_line = _json_line if session.options.json else _text_line
    for event in session.host.events(project, start):
        session.streams.out(to_line(event))
        session.streams.stdout.flush()
    return Output()


def _json_line(event: ProjectEvent) -> str:
    return dumps({"type": "event", "ts": rfc3339(event.at)} | _facts(event))


def _facts(event: ProjectEvent) -> dict[str, object]:
    return {
        "project": event.project,
        "event": event.event,
        "exit": plain(event.exit),
        "missed": event.missed,
        "service": event.service,
    }


def _text_line(event: ProjectEvent) -> str:
    why = f": {inline(event.exit.message)}" if event.exit else ""
    missed = " (while the engine was away)" if event.missed else ""
    name = f"{event.project}/{event.service}" if event.service else event.project
    return f"{rfc3339(event.at)}  {name}  {event.event}{why}{missed}"
