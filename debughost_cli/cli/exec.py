"""``exec`` and ``shell``."""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from debughost_cli.cli.exec_signals import Background, forwarded_signals
from debughost_cli.cli.exec_terminal import (
    raw_terminal,
    require_terminal,
    term_variable,
    wants_terminal,
)
from debughost_cli.cli.options import COMMAND_LINE, Projects, Service, command, size
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import DebughostError, Usage
from debughost_cli.render import terminal

if TYPE_CHECKING:
    from debughost_cli.api import ExecSpec, OutputBuffer

_BROKEN_PIPE = 141
"""128 + SIGPIPE, as a shell reports a program whose reader is gone."""

User = Annotated[
    str,
    typer.Option(
        "--user", "-u", metavar="USER", help="Another user: a name, UID or UID:GID.",
        show_default=False,
    ),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("exec", context_settings=COMMAND_LINE)(command(exec_))
    app.command("shell")(command(shell))


def exec_(
    session: Session,
    command_: Annotated[
        list[str] | None, typer.Argument(metavar="CMD...", help="The command and its arguments.")
    ] = None,
    project: Projects = None,
    workdir: Annotated[
        str,
        typer.Option(
            "--workdir",
            "-w",
            metavar="DIR",
            help="The folder to run in (/app).",
            show_default=False,
        ),
    ] = "",
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env", "-e", metavar="K=V", help="A variable; K alone passes on the current value."
        ),
    ] = None,
    tty: Annotated[
        bool | None,
        typer.Option(
            "--tty/--no-tty",
            "-t/-T",
            show_default=False,
            help="Allocate a terminal or not; by default if stdin and stdout are one.",
        ),
    ] = None,
    user: User = "",
    max_bytes: Annotated[
        str,
        typer.Option(
            "--max-bytes", metavar="SIZE", help="With --json: what is kept of each stream."
        ),
    ] = "1m",
    service: Service = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", hidden=True, help="As in docker exec; always on.")
    ] = False,
) -> Output:
    """Run a command in the container: its input, its output, its exit code."""
    from debughost_cli.api import ExecSpec, OutputBuffer
    from debughost_cli.project.variables import flag_environment

    if not command_:
        raise Usage("a command is needed", hint="For example: debughost exec ls -l")
    kept = OutputBuffer(size(max_bytes, "--max-bytes"))
    with_tty = wants_terminal(session.streams, tty, json=session.options.json)
    spec = ExecSpec(
        tuple(command_),
        user=user,
        workdir=workdir,
        environment=term_variable(with_tty) | flag_environment(env or [], [], session.environ),
        stdin=_stdin(session) is not None,
        tty=with_tty,
    )
    return _run(session, _one(session, project), spec, kept, service)


def shell(
    session: Session, project: Projects = None, user: User = "", service: Service = None
) -> Output:
    """Open a shell in the container: bash where there is one, else sh."""
    from debughost_cli.api import SHELL, ExecSpec, OutputBuffer

    if session.options.json:
        raise Usage("a shell has no JSON output", hint="Use 'debughost exec --json -- CMD'")
    require_terminal(session.streams, "shell", "Use 'debughost exec -- CMD'")
    spec = ExecSpec(SHELL, user=user, environment=term_variable(True), stdin=True, tty=True)
    return _run(session, _one(session, project), spec, OutputBuffer(), service)


def _one(session: Session, projects: list[str] | None) -> str:
    found = session.host.chosen(projects or None)
    if len(set(found)) > 1:
        raise Usage("a command runs in one project", hint="Give --project once")
    return found[0]


def _stdin(session: Session) -> int | None:
    """What the command reads; with --json, nothing from a terminal."""
    if session.options.json and terminal.is_terminal(session.streams.stdin):
        return None
    return terminal.descriptor(session.streams.stdin)


def _run(
    session: Session, project: str, spec: ExecSpec, kept: OutputBuffer, service: str | None
) -> Output:
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
        running = session.host.start_exec(spec, project, rows, service=service)
        session.progress.done()
        handler.attach(running)
        try:
            with raw_terminal(streams, running, background) if spec.tty else nullcontext():
                running.run(_stdin(session), kept if is_json else write)
            code = running.finish()
        except ExecRefused as exc:
            error, code = exc, exc.status
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
