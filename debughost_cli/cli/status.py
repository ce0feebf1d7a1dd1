"""``status`` and ``logs``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.lifecycle import chosen
from debughost_cli.cli.options import Projects, command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import ExitCode, Usage
from debughost_cli.models import State
from debughost_cli.names import check_project
from debughost_cli.render import human
from debughost_cli.render.json import dumps, project_json
from debughost_cli.services.logs import ProjectLine


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("status")(command(status))
    app.command("logs")(command(logs))


def status(
    session: Session,
    project: Projects = None,
    no_stats: Annotated[
        bool, typer.Option("--no-stats", help="Leave CPU and memory out; faster.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit code 7 unless all run and are ready.")
    ] = False,
) -> Output:
    """State, CPU, memory, port and uptime of every project, and why it ended."""
    from debughost_cli.services.status import StatusService

    names = [check_project(p) for p in project or []]
    found = StatusService(session.engine).run(names, stats=not no_stats)
    well = all(p.state is State.RUNNING and p.ready for p in found)
    ended = [p.project for p in found if p.exit and not p.exit.expected]
    return Output(
        data={"projects": [project_json(p) for p in found]},
        show=lambda: human.status(session.streams, found),
        exit_code=ExitCode.PROJECT_FAILED if check and not well else 0,
        next=[f"debughost logs -p {p}" for p in ended[:3]],
    )


def logs(
    session: Session,
    project: Projects = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until it ends.")
    ] = False,
    tail: Annotated[
        str, typer.Option("--tail", "-n", metavar="N|all", help="How many of the last lines.")
    ] = "100",
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Show when each line came.")
    ] = False,
) -> Output:
    """Print a project's output, as it wrote it: stdout to stdout, stderr to stderr."""
    from debughost_cli.engine.port import LogQuery
    from debughost_cli.services.logs import LogService

    session.is_stream = True
    projects = chosen(session, project, everything=False)
    query = LogQuery(tail=_tail(tail), follow=follow)
    show = _json_line if session.options.json else _text_line
    for line in LogService(session.engine).run(projects, query):
        show(session, line, timestamps, len(projects) > 1)
    return Output(data={"projects": projects})


def _tail(text: str) -> int | None:
    if text == "all":
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    raise Usage(f"--tail {text!r} is not a number of lines", hint="Use a number, or all")


def _json_line(session: Session, item: ProjectLine, stamps: bool, several: bool) -> None:
    line = item.line
    session.streams.out(
        dumps(
            {
                "type": "log",
                "project": item.project,
                "ts": line.ts,
                "stream": line.stream,
                "line": line.data.decode("utf-8", "replace"),
            }
        )
    )
    session.streams.stdout.flush()


def _text_line(session: Session, item: ProjectLine, stamps: bool, several: bool) -> None:
    line = item.line
    streams = session.streams
    stream = streams.stdout if line.stream == "stdout" else streams.stderr
    prefix = f"{item.project} | " if several else ""
    stamp = f"{line.ts} " if stamps else ""
    raw = f"{prefix}{stamp}".encode() + line.data + b"\n"
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(raw.decode("utf-8", "replace"))
    else:
        buffer.write(raw)
    stream.flush()
