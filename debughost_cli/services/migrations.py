"""Migrations that were not applied: a page that needs their tables answers with an error."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from contextlib import suppress

from msgspec import Struct

from debughost_cli.engine.port import Engine, LogQuery
from debughost_cli.errors import DebughostError, InvalidConfig, NotReady
from debughost_cli.planning.log_tail import start_of_run
from debughost_cli.planning.missing_tables import missing_tables
from debughost_cli.project.detect.migrations import Migrations, find_migrations
from debughost_cli.project.detect.shell import join
from debughost_cli.project.reader import Folder
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Container
from debughost_cli.services.progress import Progress

_LINES = 100
"""How many of the last lines of a run are looked at."""
_CHARACTERS = 1000
"""How much of each."""


class Pending(Struct, frozen=True):
    """``command``: applies them in the container. ``is_certain``: they are known to be missing."""

    command: tuple[str, ...]
    text: str
    is_certain: bool = True

    def warn(self, progress: Progress) -> None:
        code = "MIGRATIONS_PENDING" if self.is_certain else "MIGRATIONS_UNKNOWN"
        progress.warn(code, self.text)


def find_pending(
    engine: Engine, resolved: ResolvedProject, container: Container, *, is_new: bool
) -> Pending | None:
    """From the workspace's files and from what the program has said in this run.

    ``is_new``: the project did not exist before, so its database may well be empty.
    """
    found = _migrations(resolved, container.command)
    if found is None:
        return None
    why = missing_tables(_output(engine, container))
    if not why and found.database and not Folder(resolved.workspace).source(found.database):
        why = f"its database {found.database} is empty"
    how = _how(resolved, found)
    if why:
        return Pending(found.command, f"{why}: {how}")
    text = f"{found.place}: where the database has no tables yet, create them with: {how}"
    return Pending(found.command, text, is_certain=False) if is_new else None


def with_migrations(error: DebughostError, resolved: ResolvedProject) -> DebughostError:
    """``error``, with the command where the last lines name a missing table."""
    lines = error.details.get("log_tail")
    why = missing_tables(map(str, lines)) if isinstance(lines, Iterable) else ""
    command = resolved.command or resolved.detection.command
    found = _migrations(resolved, command) if why else None
    if found is None:
        return error
    if isinstance(error, NotReady):
        # What is said about its port would only lead away from the reason.
        logs = f"see 'debughost logs -p {resolved.project}'"
        return error.with_context(hint=f"{why}: {_how(resolved, found)}; {logs}")
    # Nothing can be executed in a container that has ended.
    return error.with_context(hint=f"{why}: {_before(resolved, found, command)}; {error.hint}")


def _before(resolved: ResolvedProject, found: Migrations, command: tuple[str, ...]) -> str:
    """The ``up`` that applies them before the program starts."""
    words = ["debughost", "up", "-p", resolved.project, "-w", str(resolved.workspace), "--"]
    return shlex.join(
        [*words, "sh", "-c", f"{shlex.join(found.command)} && exec {join(command, '$PORT')}"]
    )


def _how(resolved: ResolvedProject, found: Migrations) -> str:
    return shlex.join(["debughost", "exec", "-p", resolved.project, *found.command])


def _migrations(resolved: ResolvedProject, command: tuple[str, ...]) -> Migrations | None:
    with suppress(InvalidConfig):
        return find_migrations(Folder(resolved.workspace), resolved.type, command)
    return None


def _output(engine: Engine, container: Container) -> tuple[str, ...]:
    query = LogQuery(tail=_LINES, since=start_of_run(container))
    with suppress(DebughostError):
        found = engine.containers.logs(container.id, query)
        return tuple(line.data[:_CHARACTERS].decode("utf-8", "replace") for line in found)
    return ()
