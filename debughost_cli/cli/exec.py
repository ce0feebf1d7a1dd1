"""``exec``, ``shell`` and ``run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from debughost_cli.cli.exec_command import (
    CommandWords,
    Env,
    Interactive,
    MaxBytes,
    Timeout,
    Tty,
    User,
    Workdir,
    exec_spec,
    run_command,
)
from debughost_cli.cli.exec_terminal import require_terminal, term_variable
from debughost_cli.cli.options import COMMAND_LINE, Projects, Service, command, seconds, size
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Usage

if TYPE_CHECKING:
    from debughost_cli.cli.exec_command import Start


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("exec", context_settings=COMMAND_LINE)(command(exec_))
    app.command("run", context_settings=COMMAND_LINE)(command(run))
    app.command("shell")(command(shell))


def exec_(
    session: Session,
    command_: CommandWords = None,
    project: Projects = None,
    workdir: Workdir = "",
    env: Env = None,
    tty: Tty = None,
    user: User = "",
    timeout: Timeout = None,
    max_bytes: MaxBytes = "1m",
    service: Service = None,
    interactive: Interactive = False,
) -> Output:
    """Run a command in the container: its input, its output, its exit code."""
    from debughost_cli.api import OutputBuffer

    if not command_:
        raise Usage("a command is needed", hint="For example: debughost exec ls -l")
    kept, limit = OutputBuffer(size(max_bytes, "--max-bytes")), seconds(timeout, "--timeout")
    spec = exec_spec(session, tuple(command_), workdir=workdir, env=env, tty=tty, user=user)
    start = _in(session, _one(session, project), service)
    return run_command(session, start, spec, kept, limit)


def run(
    session: Session,
    command_: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CMD...]", help="The command; a shell on a terminal."),
    ] = None,
    project: Projects = None,
    workdir: Workdir = "",
    env: Env = None,
    tty: Tty = None,
    user: User = "",
    timeout: Timeout = None,
    max_bytes: MaxBytes = "1m",
    interactive: Interactive = False,
) -> Output:
    """Run a command in a container of its own, removed afterwards; the project need not run."""
    from debughost_cli.api import SHELL, OutputBuffer

    kept, limit = OutputBuffer(size(max_bytes, "--max-bytes")), seconds(timeout, "--timeout")
    words = tuple(command_ or SHELL)
    spec = exec_spec(session, words, workdir=workdir, env=env, tty=tty, user=user)
    if not (command_ or spec.tty):
        raise Usage("a command is needed", hint="For example: debughost run npm test")
    with session.host.one_off(_only(project) if project else None) as container:
        return run_command(session, container.start, spec, kept, limit)


def shell(
    session: Session, project: Projects = None, user: User = "", service: Service = None
) -> Output:
    """Open a shell in the container: bash where there is one, else sh."""
    from debughost_cli.api import SHELL, ExecSpec, OutputBuffer

    if session.options.json:
        raise Usage("a shell has no JSON output", hint="Use 'debughost exec --json -- CMD'")
    require_terminal(session.streams, "shell", "Use 'debughost exec -- CMD'")
    spec = ExecSpec(SHELL, user=user, environment=term_variable(True), stdin=True, tty=True)
    start = _in(session, _one(session, project), service)
    return run_command(session, start, spec, OutputBuffer())


def _in(session: Session, project: str, service: str | None) -> Start:
    return lambda spec, rows: session.host.start_exec(spec, project, rows, service=service)


def _one(session: Session, projects: list[str] | None) -> str:
    return _only(session.host.chosen(projects or None))


def _only(projects: list[str]) -> str:
    if len(set(projects)) > 1:
        raise Usage("a command runs in one project", hint="Give --project once")
    return projects[0]
