"""``engines``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from debughost_cli.cli.options import command, group
from debughost_cli.cli.output import Output, warn_of_silent
from debughost_cli.cli.session import Session
from debughost_cli.render import human
from debughost_cli.render.json import engine_states_json

if TYPE_CHECKING:
    from debughost_cli.api import EngineState


def register(app: typer.Typer) -> None:
    """Adds the group to the program."""
    made = group(app, "engines", "The engines that this user works with.")
    made.command("ls")(command(ls))
    made.command("forget")(command(forget))


def ls(session: Session) -> Output:
    """List those of your own file: which answer, and how much memory they have left."""
    found = session.host.engines()
    warn_of_silent(session, [e.report for e in found])
    return Output(
        data={"engines": engine_states_json(found)},
        show=lambda: _show(session, found),
    )


def _show(session: Session, found: list[EngineState]) -> None:
    if found:
        human.engines(session.streams, found)
        return
    from debughost_cli.project.user import user_file

    session.streams.talk(f"No engines. Name some in {user_file()}, below [engines]")


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
