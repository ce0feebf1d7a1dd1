"""What ``exec``, ``shell`` and ``run`` have in common: their options, and how a command is run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from debughost_cli.cli.exec_signals import Background, forwarded_signals
from debughost_cli.cli.exec_terminal import raw_terminal, term_variable, wants_terminal
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import DebughostError, WaitTimeout
from debughost_cli.render import terminal

if TYPE_CHECKING:
    from debughost_cli.api import ExecSpec, OutputBuffer, ProjectExec

    Start = Callable[[ExecSpec, tuple[int, int] | None], ProjectExec]

_BROKEN_PIPE = 141
"""128 + SIGPIPE, as a shell reports a program whose reader is gone."""

CommandWords = Annotated[
    list[str] | None, typer.Argument(metavar="CMD...", help="The command and its arguments.")
]
Workdir = Annotated[
    str,
    typer.Option(
        "--workdir", "-w", metavar="DIR", help="The folder to run in (/app).", show_default=False
    ),
]
Env = Annotated[
    list[str] | None,
    typer.Option(
        "--env", "-e", metavar="K=V", help="A variable; K alone passes on the current value."
    ),
]
Tty = Annotated[
    bool | None,
    typer.Option(
        "--tty/--no-tty", "-t/-T", show_default=False,
        help="Allocate a terminal or not; by default if stdin and stdout are one.",
    ),
]  # fmt: skip
User = Annotated[
    str,
    typer.Option(
        "--user", "-u", metavar="USER", help="Another user: a name, UID or UID:GID.",
        show_default=False,
    ),
]  # fmt: skip
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="S", help="End it after S seconds: exit code 6."),
]
MaxBytes = Annotated[
    str,
    typer.Option("--max-bytes", metavar="SIZE", help="With --json: what is kept of each stream."),
]
Interactive = Annotated[
    bool, typer.Option("--interactive", "-i", hidden=True, help="As in docker; always on.")
]


def exec_spec(
    session: Session,
    command: tuple[str, ...],
    *,
    workdir: str,
    env: list[str] | None,
    tty: bool | None,
    user: str,
) -> ExecSpec:
    """What is to be run, from the options. Raises Usage."""
    from debughost_cli.api import ExecSpec
    from debughost_cli.project.variables import flag_environment

    with_tty = wants_terminal(session.streams, tty, json=session.options.json)
    return ExecSpec(
        command,
        user=user,
        workdir=workdir,
        environment=term_variable(with_tty) | flag_environment(env or [], [], session.environ),
        stdin=_stdin(session) is not None,
        tty=with_tty,
    )


def _stdin(session: Session) -> int | None:
    """What the command reads; with --json, nothing from a terminal."""
    if session.options.json and terminal.is_terminal(session.streams.stdin):
        return None
    return terminal.descriptor(session.streams.stdin)


def run_command(
    session: Session, start: Start, spec: ExecSpec, kept: OutputBuffer, limit: float | None = None
) -> Output:
    """Starts the command, passes its streams and signals through, and ends as it does.

    ``limit``: seconds after which it is ended.
    """
    from debughost_cli.api import ExecRefused

    streams, is_json = session.streams, session.options.json
    session.host.connect()
    rows = terminal.size(streams.stdout) if spec.tty else None
    targets = {"stdout": streams.stdout, "stderr": streams.stderr}

    def write(name: str, data: memoryview) -> None:
        terminal.write(targets[name], data)

    error: DebughostError | None = None
    with (
        closing(Background()) as background,
        forwarded_signals(background, tty=spec.tty) as handler,
    ):
        running = start(spec, rows)
        session.progress.done()
        handler.attach(running)
        try:
            with raw_terminal(streams, running, background) if spec.tty else nullcontext():
                running.run(_stdin(session), kept if is_json else write, limit)
            code = running.finish()
        except ExecRefused as exc:
            error, code = exc, exc.status
        except WaitTimeout as exc:
            error, code = exc, running.exit_code or 0
        except BrokenPipeError:
            # Typer would turn it into exit code 1.
            code = _BROKEN_PIPE
    return Output(data=_data(kept, code), error=error, exit_code=code)


def _data(kept: OutputBuffer, code: int) -> dict[str, object]:
    return {
        "exit_code": code,
        "stdout": kept.text("stdout"),
        "stderr": kept.text("stderr"),
        "truncated": kept.truncated,
        "stdout_bytes": kept.size("stdout"),
        "stderr_bytes": kept.size("stderr"),
    }
