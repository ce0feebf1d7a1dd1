"""The program: one place where the command line comes in and an exit code goes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from debughost_cli import __version__
from debughost_cli.cli import signals
from debughost_cli.cli.options import (
    OutputClosed,
    apply_common_options,
    show_help,
    with_common_options,
)
from debughost_cli.cli.output import Output, emit
from debughost_cli.cli.session import Session, check_output, wants_json
from debughost_cli.errors import Failure, Internal, Interrupted, Usage
from debughost_cli.render.streams import Streams, clean

_MODULES = {
    "up": ("up",),
    "lifecycle": ("stop", "restart", "rm"),
    "status": ("status",),
    "logs": ("logs",),
    "wait": ("wait",),
    "exec": ("exec", "shell"),
    "events": ("events",),
    "network": ("network",),
    "volumes": ("volumes",),
    "images": ("images",),
    "doctor": ("doctor",),
    "config": ("init", "config"),
    "schema": ("schema",),
    "guide": ("guide",),
    "completion": ("completion",),
}
"""Each module under ``cli`` with its commands, in the order in which --help lists them."""

_BROKEN_PIPE = 141
"""128 + SIGPIPE, as a shell reports a program whose reader went away."""


def make_app(args: Sequence[str] = ()) -> typer.Typer:
    """The program; where the first of ``args`` is a command, with that one's module alone.

    Loading the others would cost 50 ms. Rich makes help pretty and costs 80 ms: it is used only
    where somebody looks.
    """
    pretty = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    app = typer.Typer(
        name="debughost",
        help="One development container for a project, on a Docker Engine.",
        rich_markup_mode="rich" if pretty else None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback(invoke_without_command=True)(with_common_options(_root))
    chosen = [m for m, commands in _MODULES.items() if args and args[0] in commands]
    for name in chosen or _MODULES:
        import_module(f"debughost_cli.cli.{name}").register(app)
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
    session.options.json = wants_json(args, session.environ)
    try:
        output = _run(args, session)
        return output if isinstance(output, int) else emit(session, output)
    except Interrupted as exc:
        # It came while the result was being printed.
        return exc.status
    except (BrokenPipeError, OutputClosed):
        # The reader is gone. Python would complain again when it closes stdout.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - closed by the exit
        return _BROKEN_PIPE


def _run(args: list[str], session: Session) -> Output | int:
    """A command's output; the plain exit code after --help and --version."""
    try:
        signals.release()
        session.options.json = (
            check_output(session.environ.get("DEBUGHOST_OUTPUT")) or session.options.json
        )
        returned = make_app(args)(args, standalone_mode=False, obj=session, prog_name="debughost")
    except Failure as exc:
        return Output(error=exc)
    except typer.TyperException as exc:
        return Output(error=_usage(exc, session, args))
    except (BrokenPipeError, OutputClosed):
        raise
    except Exception as exc:
        return Output(error=_defect(exc, session))
    return returned if isinstance(returned, Output) else int(returned or 0)


def _first_word(args: list[str]) -> str:
    """The command, where Typer gave up before it knew it."""
    return next((a for a in args if not a.startswith("-")), "")


def _usage(exc: typer.TyperException, session: Session, args: list[str]) -> Usage:
    """Typer's own complaint in our words, with the command that it is about."""
    ctx = getattr(exc, "ctx", None)
    path = ctx.command_path if ctx else f"debughost {session.command or _first_word(args)}".strip()
    session.command = path.removeprefix("debughost").strip()
    return Usage(exc.format_message().rstrip("."), hint=f"See '{path} --help'")


def _defect(exc: Exception, session: Session) -> Internal:
    import traceback

    if session.options.verbose:
        session.streams.talk(clean("".join(traceback.format_exception(exc))))
    return Internal(
        f"a defect in debughost: {type(exc).__name__}: {exc}",
        hint="Please report it, with what --verbose prints",
        details={"exception": type(exc).__name__},
    )
