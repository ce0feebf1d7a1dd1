"""``engines``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.options import command, group
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session


def register(app: typer.Typer) -> None:
    """Adds the group to the program."""
    made = group(app, "engines", "The engines that this user works with.")
    made.command("forget")(command(forget))


def forget(
    session: Session,
    name: Annotated[
        str, typer.Argument(metavar="ENGINE", help="A context, an engine of yours, or an address.")
    ],
) -> Output:
    """Accept that a context or an address leads to another engine than before."""
    gone = session.host.forget_engine(name)
    text = f"Forgotten: {', '.join(gone)}"
    return Output(
        data={"forgotten": list(gone)}, changed=True, show=lambda: session.streams.out(text)
    )
