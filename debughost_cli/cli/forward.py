"""``forward``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from debughost_cli.cli.options import Projects, command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Failure
from debughost_cli.render.json import dumps
from debughost_cli.render.streams import inline

if TYPE_CHECKING:
    from debughost_cli.api import ForwardedPort, ForwardEvent, Forwarding


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("forward")(command(forward))


def forward(session: Session, project: Projects = None) -> Output:
    """Forward a remote project's ports to the same ports of this machine, until Ctrl-C."""
    session.is_stream = True
    error = None
    with session.host.forward(project or None) as forwarding:
        try:
            for event in forwarding:
                show_event(session, event)
        except Failure as exc:
            error = exc
        return Output(data=forward_json(forwarding), error=error)


def show_event(session: Session, event: ForwardEvent) -> None:
    """A line about a forwarded port."""
    if session.options.json:
        session.streams.out(dumps(event_json(event)))
    else:
        session.streams.out(_text_line(event))
    session.streams.stdout.flush()


def event_json(event: ForwardEvent) -> dict[str, object]:
    """The same as an object of the stream."""
    made: dict[str, object] = {"type": "forward", "event": event.kind.value}
    return made | port_json(event.port) | {"message": event.message}


def forward_json(forwarding: Forwarding) -> dict[str, object]:
    """What the result says of it."""
    return {
        "ports": [port_json(p) for p in forwarding.ports],
        "connections": forwarding.connections,
    }


def port_json(port: ForwardedPort) -> dict[str, object]:
    """A forwarded port."""
    return {
        "project": port.project,
        "name": port.name,
        "service": port.service or None,
        "port": port.port,
        "url": port.url,
        "host": port.host,
    }


def _text_line(event: ForwardEvent) -> str:
    port = event.port
    name = port.project if port.name == "http" else f"{port.project}/{port.name}"
    if event.kind == "listening":
        return f"{name} of {inline(port.host)} is at {port.url}; Ctrl-C ends it"
    return f"{name}: {inline(event.message) or 'connected again'}"
