"""The options that every command takes, after its name or before it, and other shared ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from debughost_cli.cli.output import Output
from debughost_cli.cli.session import PROGRESS, Session, check_progress
from debughost_cli.errors import Usage

_PANEL = "Options of every command"

COMMON: dict[str, object] = {
    "json_": Annotated[
        bool, typer.Option("--json", help="Print one JSON document.", rich_help_panel=_PANEL)
    ],
    "host": Annotated[
        str | None,
        typer.Option(
            "--host", "-H", metavar="URL", help="The engine's address.", rich_help_panel=_PANEL
        ),
    ],
    "context": Annotated[
        str | None,
        typer.Option(
            "--context", "-c", metavar="NAME", help="A Docker context.", rich_help_panel=_PANEL
        ),
    ],
    "engine": Annotated[
        str | None,
        typer.Option(
            "--engine", metavar="NAME", rich_help_panel=_PANEL,
            help="An engine of your own file, or a Docker context; for up also auto.",
        ),
    ],
    "quiet": Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress on stderr.", rich_help_panel=_PANEL)
    ],
    "verbose": Annotated[
        bool, typer.Option("--verbose", "-v", help="Show each request.", rich_help_panel=_PANEL)
    ],
    "no_color": Annotated[
        bool, typer.Option("--no-color", help="No colour.", rich_help_panel=_PANEL)
    ],
    "progress": Annotated[
        str | None,
        typer.Option(
            "--progress", metavar="|".join(PROGRESS), help="How progress is shown on stderr.",
            rich_help_panel=_PANEL,
        ),
    ],
    "no_input": Annotated[
        bool, typer.Option("--no-input", help="Never ask anything.", rich_help_panel=_PANEL)
    ],
}  # fmt: skip

_WITH_VALUE = ("--host", "-H", "--context", "-c", "--engine", "--progress")
COMMAND_LINE = {"allow_interspersed_args": False}
"""For commands that take a command line: options end at its first word, as docker's do."""

Command = Callable[..., Output]


class OutputClosed(Exception):
    """Whoever read our output went away, as ``head`` does."""


Projects = Annotated[
    list[str] | None,
    typer.Option(
        "--project", "-p", metavar="ID", help="A project; may be given more than once.",
        show_default=False,
    ),
]  # fmt: skip

Service = Annotated[
    str | None,
    typer.Option(
        "--service", metavar="NAME", help="A service of the project, such as its database.",
        show_default=False,
    ),
]  # fmt: skip

TYPES = "node|python|php|static"
"""The metavar of a type."""

_Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Projects, as with --project.", show_default=False),
]
_Group = Annotated[bool, typer.Option("--group", help="The projects of the group of this folder.")]
Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", metavar="DIR", help="The project's folder (the current one).",
        show_default=False,
    ),
]  # fmt: skip
StopTimeout = Annotated[
    str,
    typer.Option("--timeout", "-t", metavar="S", help="Seconds from SIGTERM to SIGKILL."),
]
All = Annotated[bool, typer.Option("--all", "-a", help="Every project on the engine.")]
AllEngines = Annotated[
    bool, typer.Option("--all-engines", help="On every engine of your own file, all at once.")
]
WaitTimeout = Annotated[
    str | None,
    typer.Option("--wait-timeout", metavar="S", help="Seconds to wait for readiness (60)."),
]
InstallTimeout = Annotated[
    str | None,
    typer.Option("--install-timeout", metavar="S", help="Seconds for the install (600)."),
]
Stable = Annotated[
    str | None,
    typer.Option("--stable", metavar="S", help="Ready only after S seconds of being so (0)."),
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it listens.")]


def command_index(args: Sequence[str]) -> int:
    """Where the command's name is, after common options; the length where there is none."""
    index = 0
    while index < len(args) and args[index].startswith("-"):
        index += 2 if args[index] in _WITH_VALUE else 1
    return min(index, len(args))


def common_parameters() -> list[inspect.Parameter]:
    """The common options as parameters of a command."""
    with_value = ("host", "context", "engine", "progress")
    defaults = {name: None if name in with_value else False for name in COMMON}
    return [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=annotation
        )
        for name, annotation in COMMON.items()
    ]


def apply_common_options(session: Session, values: dict[str, object]) -> None:
    """Takes the common options out of ``values``; given in either place, they count."""
    options = session.options
    for name in COMMON:
        value = values.pop(name, None)
        if value:
            setattr(options, name.rstrip("_"), value)
    check_progress(options.progress, "--progress")


def command(function: Command) -> Callable[..., Output]:
    """Makes a Typer command of a function that takes the session first.

    The common options join the function's own in the signature that Typer reads. Where it takes
    projects and no other words, their ids may be given as words as well, or all of a group.
    """
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    context = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    ids = [inspect.Parameter("ids", context.kind, default=None, annotation=_Ids)]
    group = [inspect.Parameter("group", context.kind, default=False, annotation=_Group)]
    several = (ids, group) if takes_ids(own) else ([], [])
    parameters = [context, *several[0], *own, *several[1], *common_parameters()]

    def run(
        ctx: typer.Context, ids: list[str] | None = None, group: bool = False, **values: object
    ) -> Output:
        session: Session = ctx.obj
        session.command = ctx.command_path.removeprefix("debughost ")
        apply_common_options(session, values)
        session.is_parsed = True
        if ids:
            values["project"] = [*_list(values["project"]), *ids]
        if group:
            choose_group(session, values)
        try:
            return function(session, **values)
        except BrokenPipeError as exc:
            # Typer would make exit code 1 of it.
            raise OutputClosed from exc

    # Not functools.wraps: Typer would follow __wrapped__ to parameters that are not its business.
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def choose_group(session: Session, values: dict[str, object]) -> None:
    """Puts the projects of the group into the options of a command. Raises Usage."""
    if values.get("project") or values.get("all_"):
        raise Usage("--group chooses the projects itself", hint="Leave the others out")
    values["project"] = session.host.group()
    session.is_group = True


def check_all_engines(session: Session, *, all_engines: bool) -> None:
    """Raises Usage where one engine was chosen as well."""
    options = session.options
    if all_engines and (options.host or options.context or options.engine or session.is_group):
        raise Usage(
            "--all-engines excludes --host, --context, --engine and --group",
            hint="Leave either out",
        )


def takes_ids(parameters: Sequence[inspect.Parameter]) -> bool:
    """Whether a command is about projects that may also be given as words, or as a group."""
    annotations = {p.name: p.annotation for p in parameters}
    return annotations.get("project") == Projects and "command_" not in annotations


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def group(app: typer.Typer, name: str, text: str) -> typer.Typer:
    """A named group of commands; by itself it shows its help, as docker's groups do."""
    made = typer.Typer(help=text)
    made.callback(invoke_without_command=True)(with_common_options(_show_help))
    app.add_typer(made, name=name)
    return made


def _show_help(ctx: typer.Context, **values: object) -> None:
    session: Session = ctx.obj
    session.command = ctx.command_path.removeprefix("debughost ")
    apply_common_options(session, values)
    if ctx.invoked_subcommand is None:
        show_help(ctx)


def show_help(ctx: typer.Context) -> None:
    """Help on stdout and an end; under --json, where a document is expected, Usage."""
    session: Session = ctx.obj
    if session.options.json:
        raise Usage("a command is needed", hint=f"'{ctx.command_path} --help' lists them")
    session.streams.out(ctx.get_help())
    raise typer.Exit


def with_common_options(function: Callable[..., None]) -> Callable[..., None]:
    """A callback whose ``**values`` are the common options, spelled out for Typer."""
    own = inspect.signature(function, eval_str=True).parameters.values()
    named = [p for p in own if p.kind is not inspect.Parameter.VAR_KEYWORD]
    parameters = [*named, *common_parameters()]

    def run(**values: object) -> None:
        function(**values)

    run.__doc__ = function.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def seconds(
    text: str | float | None, option: str, parse: Callable[[object], float] | None = None
) -> float | None:
    """A time span from the command line, as ``parse`` reads it, or above 0. Raises Usage."""
    from debughost_cli.project.parsers import parse_seconds
    from debughost_cli.project.variables import BadValue

    if text is None:
        return None
    try:
        return (parse or parse_seconds)(text)
    except BadValue as exc:
        raise Usage(f"{option} {exc}", hint=f"For example {option} 30") from None


def size(text: str, option: str) -> int:
    """A number of bytes from the command line: ``64k``, ``2m``, ``4096``. Raises Usage."""
    from debughost_cli.project.parsers import parse_size
    from debughost_cli.project.variables import BadValue

    try:
        return parse_size(text)
    except BadValue as exc:
        raise Usage(f"{option} {exc}", hint=f"For example {option} 2m") from None


def moment(text: str | None, option: str, now: int) -> int | None:
    """A time from the command line; it and ``now`` in nanoseconds since the epoch. Raises Usage."""
    from debughost_cli.planning.log_times import parse_time

    try:
        return None if text is None else parse_time(text, now)
    except ValueError:
        raise Usage(
            f"{option} {text!r} is not a time",
            hint=f"For example {option} 10m, {option} 1h30m, {option} 2026-11-23T10:15:00Z",
        ) from None
