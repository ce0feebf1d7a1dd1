"""The projects that a command is about, and questions about them."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from debughost_cli.cli.options import check_all_engines
from debughost_cli.cli.session import Session
from debughost_cli.errors import ConfirmationRequired, Usage


def chosen(
    session: Session,
    projects: Sequence[str] | None,
    *,
    everything: bool,
    all_engines: bool = False,
) -> Sequence[str] | None:
    """The ids: all, those given, or that of the current folder; None for that on all engines.

    Raises Usage, InvalidProject, WorkspaceConflict.
    """
    if projects and everything:
        raise Usage("--all and --project exclude each other", hint="Give one of the two")
    check_all_engines(session, all_engines=all_engines)
    if everything:
        return session.host.projects(all_engines=all_engines)
    if all_engines:
        return projects or None
    return session.host.chosen(projects or None)


def confirm(session: Session, question: str) -> None:
    """Asks a user who can answer. Raises ConfirmationRequired without one, and on a no."""
    if not session.can_ask():
        raise ConfirmationRequired(
            f"this must be confirmed: {question}",
            hint="Run it again with --yes, or use --dry-run to see what would be removed",
        )
    session.progress.done()
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise ConfirmationRequired(
            "not confirmed, nothing was removed", hint="Answer y, or use --yes"
        )
