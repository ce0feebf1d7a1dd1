"""``network ensure``, ``inspect``, ``rm``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from debughost_cli.cli.options import command, group
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.names import SUBNET
from debughost_cli.render import human
from debughost_cli.render.json import network_json

if TYPE_CHECKING:
    from debughost_cli.api import NetworkResult


def register(app: typer.Typer) -> None:
    """Adds the group to the program."""
    made = group(app, "network", "The network that all projects share.")
    made.command("ensure")(command(ensure))
    made.command("inspect")(command(inspect))
    made.command("rm")(command(remove))


def ensure(
    session: Session,
    subnet: Annotated[
        str, typer.Option("--subnet", metavar="CIDR", help="The network's addresses.")
    ] = SUBNET,
    recreate: Annotated[
        bool, typer.Option("--recreate", help="Recreate it if it differs and nothing uses it.")
    ] = False,
) -> Output:
    """Create the network, or check that it is as requested."""
    result = session.host.network.ensure(subnet, recreate=recreate)
    return _output(session, result, "created" if result.changed else "exists")


def inspect(session: Session) -> Output:
    """Show the network and what is attached to it."""
    return _output(session, session.host.network.inspect(), "exists")


def remove(session: Session) -> Output:
    """Remove the network when nothing uses it."""
    return _output(session, session.host.network.remove(), "removed")


def _output(session: Session, result: NetworkResult, done: str) -> Output:
    found = result.network
    assert found is not None
    return Output(
        data=network_json(found),
        changed=result.changed,
        show=lambda: human.network(session.streams, found, done=done),
    )
