"""``sync``, and what ``up --watch`` does after ``up``."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from debughost_cli.cli.forward import port_json, show_event
from debughost_cli.cli.options import Projects, command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Failure, Interrupted, Usage
from debughost_cli.render.json import dumps
from debughost_cli.render.streams import inline
from debughost_cli.render.text import size

if TYPE_CHECKING:
    from debughost_cli.api import Forwarding, SyncEvent


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("sync")(command(sync))


def sync(
    session: Session,
    project: Projects = None,
    once: Annotated[
        bool, typer.Option("--once", help="Send what differs now, and end; forward nothing.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also files that the program has changed as well.")
    ] = False,
) -> Output:
    """Bring each change of the files to the project on another machine, until Ctrl-C."""
    session.is_stream = True
    chosen = session.host.chosen(project or None)
    if len(set(chosen)) > 1:
        raise Usage("one project is kept in step", hint="Run it once for each project")
    return keep_in_step(session, chosen[0], once=once, overwrite=overwrite)


class _Sums(Struct):
    """What was sent so far."""

    files: int = 0
    bytes: int = 0
    deleted: int = 0
    batches: int = 0

    def add(self, event: SyncEvent) -> None:
        """Counts what a batch sent."""
        self.files += event.files
        self.bytes += event.size
        self.deleted += event.deleted
        self.batches += bool(event.files or event.deleted)


def keep_in_step(
    session: Session, project: str, *, once: bool = False, overwrite: bool = False
) -> Output:
    """Sends changes and forwards the ports until it is interrupted."""
    sums, error = _Sums(), None
    forwarding: Forwarding | None = None
    is_needed = True
    try:
        with ExitStack() as stack:
            syncing = stack.enter_context(session.host.sync(project, overwrite=overwrite))
            is_needed = syncing.is_needed
            if not is_needed:
                session.progress.notice(f"the engine of {project} sees the files themselves")
            elif once:
                _show(session, syncing.once(), sums)
            else:
                forwarding = stack.enter_context(session.host.forward(project, skip_taken=True))
                for event in syncing:
                    if event:
                        _show(session, event, sums)
                    for other in forwarding.pending():
                        show_event(session, other)
    except Failure as exc:
        error = exc
    if isinstance(error, Interrupted) and not session.options.json:
        session.progress.notice(f"{project} goes on running; 'debughost stop {project}' ends it")
    ports = [port_json(p) for p in forwarding.ports] if forwarding else []
    data = {
        "project": project, "needed": is_needed, "files": sums.files, "bytes": sums.bytes,
        "deleted": sums.deleted, "batches": sums.batches, "ports": ports,
    }  # fmt: skip
    return Output(data=data, changed=sums.batches > 0, error=error)


def _show(session: Session, event: SyncEvent, sums: _Sums) -> None:
    sums.add(event)
    line = dumps(_json(event)) if session.options.json else _text(event)
    if line:
        session.streams.out(line)
        session.streams.stdout.flush()


def _json(event: SyncEvent) -> dict[str, object]:
    return {
        "type": "sync",
        "event": event.kind.value,
        "project": event.project,
        "files": event.files,
        "bytes": event.size,
        "deleted": event.deleted,
        "paths": list(event.paths),
        "duration_ms": round(event.seconds * 1000),
        "message": event.message,
    }


def _text(event: SyncEvent) -> str:
    name = event.project
    if event.kind == "watching":
        return f"{name} follows the files of this machine; Ctrl-C ends it"
    if event.kind == "away":
        return f"{name} is away, trying again: {inline(event.message)}"
    if event.kind == "back":
        return f"{name} is back"
    if not (event.files or event.deleted or event.paths):
        return f"{name} has the files of this machine already"
    count = len(event.paths)
    what = inline(", ".join(event.paths[:3])) + (f" and {count - 3} more" if count > 3 else "")
    total = event.files + event.deleted
    if total > count:
        what = f"{event.files} files sent, {event.deleted} deleted"
    return f"{name} has {what} ({size(event.size)}, {event.seconds:.2f} s)"
