"""``exec`` and ``shell``."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from types import FrameType
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from debughost_cli.cli.lifecycle import chosen
from debughost_cli.cli.options import Projects, command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import DebughostError, Interrupted, Usage
from debughost_cli.render import terminal

if TYPE_CHECKING:
    from debughost_cli.engine.port import ExecSpec
    from debughost_cli.services.exec import ProjectExec

Jobs = queue.SimpleQueue[Callable[[], None]]
H = TypeVar("H", bound=Callable[[int, FrameType | None], None])

_ENDING = ("SIGINT", "SIGTERM")
_SIGNALS = (*_ENDING, "SIGHUP", "SIGQUIT")
_BROKEN_PIPE = 141
"""128 + SIGPIPE, as a shell reports a program whose reader went away."""
_ENOUGH = 3
"""So many signals to end, and the command is killed; one more, and it is left behind."""

User = Annotated[
    str,
    typer.Option(
        "--user", "-u", metavar="USER", help="Another user: a name, UID or UID:GID.",
        show_default=False,
    ),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Adds the commands to the program."""
    app.command("exec")(command(exec_))
    app.command("shell")(command(shell))


def exec_(
    session: Session,
    command_: Annotated[
        list[str] | None, typer.Argument(metavar="-- CMD...", help="The command and its words.")
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
        typer.Option("--env", "-e", metavar="K=V", help="A variable; K alone takes yours."),
    ] = None,
    tty: Annotated[
        bool | None,
        typer.Option(
            "--tty/--no-tty",
            "-t/-T",
            show_default=False,
            help="With a terminal or without; as stdin and stdout are, if not given.",
        ),
    ] = None,
    user: User = "",
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", hidden=True, help="As docker's; always on.")
    ] = False,
) -> Output:
    """Run a command in the container: its input, its output, its exit code."""
    from debughost_cli.engine.port import ExecSpec
    from debughost_cli.project.variables import flag_environment

    if not command_:
        raise Usage("a command is needed", hint="For example: debughost exec -- ls -l")
    with_tty = _wants_tty(session, tty)
    spec = ExecSpec(
        tuple(command_),
        user=user,
        workdir=workdir,
        environment=_term(with_tty) | flag_environment(env or [], [], os.environ),
        stdin=_stdin(session) is not None,
        tty=with_tty,
    )
    return _run(session, _one(session, project), spec)


def shell(session: Session, project: Projects = None, user: User = "") -> Output:
    """Open a shell in the container: bash where there is one, else sh."""
    from debughost_cli.engine.port import ExecSpec
    from debughost_cli.services.exec import SHELL

    if session.options.json:
        raise Usage("a shell has no JSON output", hint="Use 'debughost exec --json -- CMD'")
    _need_terminal(session, "shell", "Use 'debughost exec -- CMD'")
    spec = ExecSpec(SHELL, user=user, environment=_term(True), stdin=True, tty=True)
    return _run(session, _one(session, project), spec)


def _one(session: Session, projects: list[str] | None) -> str:
    found = chosen(session, projects, everything=False)
    if len(set(found)) > 1:
        raise Usage("a command runs in one project", hint="Give --project once")
    return found[0]


def _wants_tty(session: Session, given: bool | None) -> bool:
    """What was asked for, else what the streams are. Raises Usage."""
    if given and session.options.json:
        raise Usage("--tty and --json exclude each other", hint="Give one of the two")
    if given:
        _need_terminal(session, "--tty", "Leave --tty out")
    if given is None:
        return not session.options.json and _has_terminal(session)
    return given


def _has_terminal(session: Session) -> bool:
    streams = session.streams
    both = terminal.is_terminal(streams.stdin) and terminal.is_terminal(streams.stdout)
    return both and os.name != "nt"


def _need_terminal(session: Session, what: str, hint: str) -> None:
    if os.name == "nt":
        raise Usage(f"{what} does not work on Windows yet", hint=hint)
    if not _has_terminal(session):
        raise Usage(f"{what} needs a terminal as stdin and stdout", hint=hint)


def _term(tty: bool) -> dict[str, str]:
    return {"TERM": os.environ.get("TERM") or "xterm"} if tty else {}


def _stdin(session: Session) -> int | None:
    """What the command reads; with --json nothing that somebody would have to type."""
    if session.options.json and terminal.is_terminal(session.streams.stdin):
        return None
    return terminal.descriptor(session.streams.stdin)


def _run(session: Session, project: str, spec: ExecSpec) -> Output:
    from debughost_cli.services.exec import ExecRefused, ExecService

    streams, is_json = session.streams, session.options.json
    service = ExecService(session.engine)
    size = terminal.size(streams.stdout) if spec.tty else None
    kept = {"stdout": bytearray(), "stderr": bytearray()}
    targets = {"stdout": streams.stdout, "stderr": streams.stderr}

    def take(name: str, data: memoryview) -> None:
        if is_json:
            kept[name].extend(data)
        else:
            terminal.write(targets[name], data)

    error: DebughostError | None = None
    with _handled(_SIGNALS, _Deferred()) as deferred:
        running = service.start(project, spec, size)
        session.progress.done()
        jobs = _jobs()
        handler = _HangUp(running, jobs) if spec.tty else _Forwarder(running, jobs)
        with _handled(_SIGNALS, handler):
            for number in deferred.numbers:
                handler(number, None)
            try:
                with _terminal(session, running, jobs) if spec.tty else nullcontext():
                    running.run(_stdin(session), take)
                code = running.finish()
            except ExecRefused as exc:
                error, code = exc, exc.status
            except BrokenPipeError:
                # Typer would make a 1 of it; the reader has what it wanted.
                code = _BROKEN_PIPE
    texts = {name: data.decode("utf-8", "replace") for name, data in kept.items()}
    return Output(data={"exit_code": code} | texts, error=error, exit_code=code)


@contextmanager
def _terminal(session: Session, running: ProjectExec, jobs: Jobs) -> Iterator[None]:
    """The terminal in raw mode, its size passed on whenever it changes."""

    def resize(number: int = 0, frame: FrameType | None = None) -> None:
        size = terminal.size(session.streams.stdout)
        if size:
            jobs.put(lambda: running.resize(*size))

    with _handled(("SIGWINCH",), resize), terminal.raw(session.streams.stdin):
        resize()
        yield


def _jobs() -> Jobs:
    """Takes what signal handlers want done: they must not wait for the engine."""
    made: Jobs = queue.SimpleQueue()
    threading.Thread(target=_work, args=(made,), daemon=True).start()
    return made


def _work(jobs: Jobs) -> None:
    while True:
        with suppress(DebughostError):
            jobs.get()()


@contextmanager
def _handled(names: Sequence[str], handler: H) -> Iterator[H]:
    """Has ``handler`` handle the signals that exist here and are not ignored (nohup)."""
    numbers = [getattr(signal, n) for n in names if hasattr(signal, n)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {n: signal.getsignal(n) for n in numbers}
    caught = {n: old for n, old in before.items() if old is not signal.SIG_IGN}
    try:
        for number in caught:
            signal.signal(number, handler)
        yield handler
    finally:
        for number, old in caught.items():
            # What an interrupt has silenced stays silent.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, old)


class _Deferred:
    """Keeps the first signal until the command can be told; the second means it."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        if self.numbers:
            _interrupt(number, frame)
        self.numbers.append(number)


class _Forwarder:
    """Sends each signal on to the command, so that it decides how it ends."""

    def __init__(self, running: ProjectExec, jobs: Jobs) -> None:
        self._running = running
        self._jobs = jobs
        self._endings = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        name = signal.Signals(number).name
        self._endings += name in _ENDING
        if self._endings > (_ENOUGH if self._running.is_begun else 1):
            _interrupt(number, frame)
        name = "SIGKILL" if self._endings == _ENOUGH else name
        self._jobs.put(lambda: self._running.signal(name.removeprefix("SIG")))


class _HangUp:
    """With a terminal, ^C is a byte like any other; a signal from elsewhere ends the client.

    It gives the terminal back and hangs up, for shells ignore SIGTERM.
    """

    def __init__(self, running: ProjectExec, jobs: Jobs) -> None:
        self._running = running
        self._jobs = jobs
        self._told = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        if self._told or self._running.is_begun:
            _interrupt(number, frame)
        self._told = True
        self._jobs.put(lambda: self._running.signal("HUP", "TERM"))


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ends the command, once: what follows is cleaning up."""
    for name in _SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise Interrupted(number)
