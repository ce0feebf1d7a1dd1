"""``status``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from msgspec.structs import replace

from debughost_cli.characters import clean_all, message
from debughost_cli.cli.next import for_projects, remedies
from debughost_cli.cli.options import AllEngines, Projects, check_all_engines, command, seconds
from debughost_cli.cli.output import Output, warn_of_silent
from debughost_cli.cli.session import Session
from debughost_cli.errors import DebughostError, ExitCode, Usage
from debughost_cli.models import Project, State
from debughost_cli.render import status as screen
from debughost_cli.render.json import dumps, engines_json, project_json

if TYPE_CHECKING:
    from debughost_cli.api import Snapshot

_ORDERS: dict[str, Callable[[Project], tuple[float | str, ...]]] = {
    "name": lambda p: (p.project,),
    "cpu": lambda p: (-p.stats.cpu_percent if p.stats else 1.0, p.project),
    "memory": lambda p: (-p.stats.memory_bytes if p.stats else 1.0, p.project),
}


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("status")(command(status))


def status(
    session: Session,
    project: Projects = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Read it again and again; q quits.")
    ] = False,
    interval: Annotated[
        str, typer.Option("--interval", metavar="S", help="Seconds between two readings.")
    ] = "2",
    sort: Annotated[
        str, typer.Option("--sort", metavar="name|cpu|memory", help="The order.")
    ] = "name",
    no_stats: Annotated[
        bool, typer.Option("--no-stats", help="Leave CPU and memory out; faster.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit code 7 unless all run and are ready.")
    ] = False,
    all_engines: AllEngines = False,
) -> Output:
    """Show state, CPU, memory, port and uptime, and why something ended."""
    session.is_stream = watch and session.options.json
    if sort not in _ORDERS:
        raise Usage(f"--sort cannot be {sort[:40]!r}", hint=f"Use {', '.join(_ORDERS)}")
    check_all_engines(session, all_engines=all_engines)
    pause = seconds(interval, "--interval") or 2.0
    if not watch:
        found = session.host.status(project, stats=not no_stats, all_engines=all_engines)
        return _once(session, _ordered(found, sort), check)
    read = session.host.status_reader(project, stats=not no_stats, all_engines=all_engines)
    return _watch(session, lambda: _ordered(read(), sort), pause)


def _ordered(found: Snapshot, key: str) -> Snapshot:
    return replace(found, projects=tuple(sorted(found.projects, key=_ORDERS[key])))


def _once(session: Session, found: Snapshot, check: bool) -> Output:
    for warning in found.warnings:
        session.progress.warn(warning.code, warning.message)
    warn_of_silent(session, found.engines)
    projects = found.projects
    return Output(
        data={"projects": [project_json(p) for p in projects]} | engines_json(found.engines),
        show=lambda: screen.show(session.streams, projects, remedies, found.engines),
        error=found.error,
        exit_code=ExitCode.PROJECT_FAILED if check and not _are_well(projects) else 0,
        next=for_projects(projects),
    )


def _are_well(projects: Sequence[Project]) -> bool:
    return all(
        p.state is State.RUNNING and p.ready and all(s.state is State.RUNNING for s in p.services)
        for p in projects
    )


def _watch(session: Session, look: Callable[[], Snapshot], pause: float) -> Output:
    from debughost_cli.render.watch import Watch, is_possible

    if session.options.json:
        _watch_json(session, look, pause)
    if not is_possible(session.streams):
        raise Usage("--watch needs a terminal", hint="Use --watch --json, or no --watch")
    session.progress.mute()
    Watch(session.streams, look, pause).run()
    return Output()


def _watch_json(session: Session, look: Callable[[], Snapshot], pause: float) -> NoReturn:
    """A line a tick until it is interrupted; an engine that is away is reported each time."""
    while True:
        session.streams.out(dumps(_tick_json(look)))
        session.streams.stdout.flush()
        time.sleep(pause)


def _tick_json(look: Callable[[], Snapshot]) -> dict[str, object]:
    try:
        found = look()
    except DebughostError as exc:
        return {"type": "status", "projects": [], "warnings": [], "error": clean_all(exc.to_json())}
    return {
        "type": "status",
        "projects": [project_json(p) for p in found.projects],
        **engines_json(found.engines),
        "warnings": [{"code": w.code, "message": message(w.message)} for w in found.warnings],
        "error": None,
    }
