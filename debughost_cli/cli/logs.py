"""``logs``."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from debughost_cli.cli import signals
from debughost_cli.cli.options import (
    AllEngines,
    Projects,
    Service,
    check_all_engines,
    command,
    moment,
)
from debughost_cli.cli.output import Output, warn_of_silent
from debughost_cli.cli.session import Session
from debughost_cli.errors import Failure, Usage

if TYPE_CHECKING:
    from debughost_cli.api import LogReading
    from debughost_cli.planning.log_cursor import Bookmark
    from debughost_cli.planning.log_lines import ProjectLine
    from debughost_cli.planning.log_options import LogOptions
    from debughost_cli.render.logs import LogWriter

_TAIL = 100


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("logs")(command(logs))


def logs(
    session: Session,
    project: Projects = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Follow the output until the project ends.")
    ] = False,
    tail: Annotated[
        str | None,
        typer.Option(
            "--tail", "-n", metavar="N|all",
            help="Number of last lines (100; with --after, all). With --grep, of those that "
            "match.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Lines since RFC 3339, Unix, or 1h30m ago."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Lines until then; as --since.")
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Show the time of each line.")
    ] = False,
    grep: Annotated[
        str | None,
        typer.Option("--grep", metavar="REGEX", help="Only lines whose first 16 KiB match."),
    ] = None,
    service: Service = None,
    stream: Annotated[
        str | None,
        typer.Option(
            "--stream", metavar="stdout|stderr", help="Only what it wrote there, on stdout."
        ),
    ] = None,
    max_bytes: Annotated[
        str | None,
        typer.Option("--max-bytes", metavar="N", help="At most N bytes, the newest."),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            "--after", metavar="CURSOR", help="Only output after this cursor of a --json result."
        ),
    ] = None,
    all_engines: AllEngines = False,
) -> Output:  # fmt: skip
    """Print a project's output, as it wrote it: stdout to stdout, stderr to stderr."""
    from debughost_cli.planning.log_options import LogOptions

    session.is_stream = True
    _check(follow, max_bytes)
    now = time.time_ns()
    json = session.options.json
    options = LogOptions(
        tail=_tail(tail, None if after else _TAIL),
        since=moment(since, "--since", now),
        until=moment(until, "--until", now),
        follow=follow,
        grep=_pattern(grep),
        stream=_stream(stream),
        service=service,
        max_bytes=_number(max_bytes, "--max-bytes"),
        after=_bookmarks(after),
        whole=json or len(set(project or ())) > 1 or grep is not None,
        stamps=json or timestamps,
    )
    _check_span(options, now)
    check_all_engines(session, all_engines=all_engines)
    chosen = project if all_engines else session.host.chosen(project or None)
    reading = session.host.logs(chosen or None, options, all_engines=all_engines)
    projects = reading.projects
    output = _print(session, projects, reading, options, timestamps)
    if options.grep and not (json or follow or options.until or output.error):
        for name in reading.running():
            session.progress.notice(f"{name} is still running; 'logs -f' waits for more")
    return output


def _print(
    session: Session,
    projects: list[str],
    reading: LogReading,
    options: LogOptions,
    timestamps: bool,
) -> Output:
    """Prints everything that is read. Also has a result if it is ended early."""
    from debughost_cli.render.logs import LogWriter

    json = session.options.json
    on = "stdout" if options.stream else None
    writer = LogWriter(session.streams, projects, json=json, stamps=timestamps, on=on)
    error = None
    try:
        _copy(reading, writer)
    except BrokenPipeError:
        # With its errno, Typer would handle it and exit with 1; main has the right code.
        raise BrokenPipeError from None
    except Failure as exc:
        error = exc
        # Text may end anywhere after Ctrl-C; JSON must not end within a line.
        if json:
            writer.finish()
    if reading.truncated:
        session.progress.warn("TRUNCATED", "older lines were left out for their size")
    for gap in reading.gaps:
        session.progress.warn("LOGS_ROTATED", gap.message)
    warn_of_silent(session, reading.engines)
    data = _data(projects, reading, writer)
    return Output(data=data, error=error or reading.error, next=_next(projects, reading))


def _copy(reading: LogReading, writer: LogWriter) -> None:
    """Every line that the cursor counts has been written, whenever a signal comes."""
    items = iter(reading)
    has_more = True
    while has_more:
        with signals.held() if reading.is_caught_up else nullcontext():
            has_more = _copy_one(items, writer)
    writer.flush()


def _copy_one(items: Iterator[ProjectLine | None], writer: LogWriter) -> bool:
    """False at the end."""
    for item in items:
        if item is None:
            writer.flush()
            writer.check_reader()
        else:
            writer.write(item)
        return True
    return False


def _data(projects: list[str], reading: LogReading, writer: LogWriter) -> dict[str, object]:
    from debughost_cli.render.json import engines_json, plain

    data: dict[str, object] = {
        "projects": projects,
        "lines": writer.lines,
        "cursor": reading.cursor,
        "truncated": reading.truncated,
    }
    data |= {"exit": plain(reading.exits)} if reading.is_followed else {}
    return data | engines_json(reading.engines)


def _next(projects: list[str], reading: LogReading) -> list[str]:
    # None: followed until its container was removed.
    left = " ".join(f"-p {p}" for p in projects if reading.exits.get(p, p) is not None)
    cursor = reading.cursor
    return [f"debughost logs {left} --json --after {cursor}"] if left and cursor else []


def _check(follow: bool, max_bytes: str | None) -> None:
    if follow and max_bytes is not None:
        raise Usage(
            "--max-bytes cannot be used with --follow",
            hint="Leave one of the two out",
        )


def _check_span(options: LogOptions, now: int) -> None:
    if options.since is not None and options.since > (options.until or now) and not options.follow:
        raise Usage(
            "--since is later than " + ("now" if options.until is None else "--until"),
            hint="Between the two there is no output",
        )


def _tail(text: str | None, default: int | None) -> int | None:
    if text is None:
        return default
    if text == "all":
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    raise Usage(f"--tail {text!r} is not a number of lines", hint="Use a number, or all")


def _number(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 16 and int(text) > 0:
        return int(text)
    raise Usage(f"{option} {text!r} is not a number above 0", hint=f"For example {option} 20000")


def _stream(text: str | None) -> str | None:
    from debughost_cli.planning.log_positions import STREAMS

    if text not in (None, *STREAMS):
        raise Usage(f"--stream cannot be {text[:40]!r}", hint=f"Use {' or '.join(STREAMS)}")
    return text


def _pattern(text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(text)
    except re.error as exc:
        place = "" if exc.pos is None else f" at character {exc.pos + 1}"
        raise Usage(
            f"--grep {text!r} is not a regular expression: {exc.msg}{place}",
            hint=r"Escape a special character with a backslash: \( \[ \* \.",
            details={"pattern": text, "position": exc.pos},
        ) from None
    except (OverflowError, RecursionError) as exc:
        raise Usage(f"--grep cannot be used: {exc}", hint="Use a simpler expression") from None


def _bookmarks(text: str | None) -> dict[str, Bookmark] | None:
    from debughost_cli.planning.log_cursor import BadCursor, decode

    try:
        return None if text is None else decode(text)
    except BadCursor as exc:
        raise Usage(
            f"--after does not hold a cursor of 'debughost logs --json': {exc}",
            hint="Take it from data.cursor of the result, or leave --after out to start again",
        ) from None
