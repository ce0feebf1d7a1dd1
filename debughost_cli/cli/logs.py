"""``logs``."""

from __future__ import annotations

from typing import Annotated

import typer

from debughost_cli.cli.lifecycle import chosen
from debughost_cli.cli.options import Projects, command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Usage
from debughost_cli.render.json import dumps
from debughost_cli.services.logs import ProjectLine


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("logs")(command(logs))


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
