"""The program: one place where the command line comes in and an exit code goes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from debughost_cli import __version__
from debughost_cli.cli import signals
from debughost_cli.cli.commands import ALIASES, COMMANDS, SIMILAR, Program
from debughost_cli.cli.epilog import epilog
from debughost_cli.cli.options import (
    OutputClosed,
    apply_common_options,
    command_index,
    show_help,
    with_common_options,
)
from debughost_cli.cli.output import Output, defect, emit
from debughost_cli.cli.session import Session, check_output, check_progress, wants_json
from debughost_cli.errors import Failure, Internal, Interrupted, Usage
from debughost_cli.render.streams import Streams, clean

_BROKEN_PIPE = 141
"""128 + SIGPIPE, as a shell reports a program whose reader went away."""


def make_app(args: Sequence[str] = ()) -> typer.Typer:
    """The program.

    Rich makes help pretty and costs 80 ms: it is used only where somebody looks.
    """
    tty = sys.stdout.isatty()
    colour = not os.environ.get("NO_COLOR") and "--no-color" not in args
    pretty = tty and colour and os.environ.get("TERM") != "dumb"
    settings: dict[str, object] = {"help_option_names": ["--help", "-h"]}
    app = typer.Typer(
        name="debughost",
        cls=Program,
        help="One development container for a project, on a Docker Engine.",
        epilog=epilog("", pretty=pretty),
        rich_markup_mode="rich" if pretty else None,
        pretty_exceptions_enable=False,
        add_completion=False,
        # Piped, as wide as it needs to be, so that nothing is cut.
        context_settings=settings if tty else settings | {"terminal_width": 1000},
    )
    app.callback(invoke_without_command=True)(with_common_options(_root))
    return app


def _root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
    **values: object,
) -> None:
    session: Session = ctx.obj
    apply_common_options(session, values)
    if version:
        session.streams.out(f"debughost {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        show_help(ctx)


def main(argv: list[str] | None = None, session: Session | None = None) -> int:
    """Runs one command and returns its exit code; the console script exits with it."""
    args = sys.argv[1:] if argv is None else argv
    session = session or Session(Streams.of_process())
    try:
        return _run_and_print(_canonical(args), session)
    except (BrokenPipeError, OutputClosed):
        # The reader is gone. Python would complain again when it closes stdout.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - closed by the exit
        return _BROKEN_PIPE


def _run_and_print(args: list[str], session: Session) -> int:
    """A signal that comes when the work is done does not take its result away."""
    output: Output | int | None = None
    try:
        output = _run(args, session)
        return output if isinstance(output, int) else emit(session, output)
    except Interrupted as exc:
        # From here on signals are ignored.
        done = Output(error=exc) if output is None else output
        if isinstance(done, int) or session.is_printing:
            return exc.status
        return emit(session, done)


def _run(args: list[str], session: Session) -> Output | int:
    """A command's output; the plain exit code after --help and --version."""
    try:
        signals.release()
        session.options.json = check_output(session.environ.get("DEBUGHOST_OUTPUT"))
        progress = session.environ.get("DEBUGHOST_PROGRESS")
        session.options.progress = check_progress(progress, "DEBUGHOST_PROGRESS")
        returned = make_app(args)(args, standalone_mode=False, obj=session, prog_name="debughost")
    except Failure as exc:
        _guess_output(args, session)
        return Output(error=exc)
    except typer.TyperException as exc:
        _guess_output(args, session)
        return Output(error=_usage(exc, session, args))
    except (BrokenPipeError, OutputClosed):
        raise
    except Exception as exc:
        _guess_output(args, session)
        return Output(error=_defect(exc, session))
    return returned if isinstance(returned, Output) else int(returned or 0)


def _guess_output(args: list[str], session: Session) -> None:
    """An error that came before the options were parsed is JSON where they look like it."""
    if not session.is_parsed:
        session.options.json = session.options.json or wants_json(args, session.environ)


def _canonical(args: list[str]) -> list[str]:
    """The same command line without aliases."""
    index = command_index(args)
    before, word, rest = args[:index], args[index : index + 1], args[index + 1 :]
    if word == ["help"]:
        return [*before, *(ALIASES.get(a, a) for a in rest[:1]), *rest[1:], "--help"]
    return [*before, *(ALIASES.get(a, a) for a in word), *rest]


def _word(args: Sequence[str]) -> str:
    return next(iter(args[command_index(args) :]), "")


def _usage(exc: typer.TyperException, session: Session, args: list[str]) -> Usage:
    """Typer's own complaint in our words, with the command that it is about."""
    ctx = getattr(exc, "ctx", None)
    path = ctx.command_path if ctx else f"debughost {session.command or _word(args)}".strip()
    session.command = path.removeprefix("debughost").strip()
    word = _word(args)
    if path == "debughost" and word in SIMILAR and word not in COMMANDS:
        return Usage(f"there is no command {word!r}", hint=f"Use 'debughost {SIMILAR[word]}'")
    return Usage(exc.format_message().rstrip("."), hint=f"See '{path} --help'")


def _defect(exc: Exception, session: Session) -> Internal:
    import traceback

    if session.options.verbose:
        session.streams.talk(clean("".join(traceback.format_exception(exc))))
    return defect(exc)
