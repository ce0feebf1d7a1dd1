"""What a command returns, and how it leaves the program: as JSON or as text, with an exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from debughost_cli.cli import signals
from debughost_cli.cli.session import Session
from debughost_cli.errors import Failure, Internal
from debughost_cli.render.streams import message_line

if TYPE_CHECKING:
    from debughost_cli.api import EngineReport, ProjectsResult


Document = dict[str, object]
"""What ``--json`` prints."""


class Output(Struct, frozen=True):
    """``show`` prints for people; ``data`` is what JSON gets."""

    data: Mapping[str, object] = field(default_factory=dict)
    changed: bool = False
    show: Callable[[], None] | None = None
    error: Failure | None = None
    next: Sequence[str] = ()
    exit_code: int = 0


def emit(session: Session, output: Output) -> int:
    """Prints the result and returns the exit code; signals have no effect from then on."""
    with signals.printing():
        session.is_printing = True
        session.progress.done(ok=output.error is None)
        if session.options.json:
            _emit_json(session, output)
        else:
            _emit_text(session, output)
        return exit_code(output)


def _emit_json(session: Session, output: Output) -> None:
    from debughost_cli.render.json import dumps

    made = document(session, output)
    session.streams.out(dumps({"type": "result"} | made if session.is_stream else made))
    session.streams.stdout.flush()


def document(session: Session, output: Output) -> Document:
    """The one document of a command, as the contract has it."""
    from debughost_cli.render.json import envelope, plain

    return envelope(
        command=session.command,
        changed=output.changed,
        data=output.data,
        warnings=session.progress.warnings,
        error=plain(output.error.to_json()) if output.error else None,
        next_=output.next,
        engine=session.engine_info,
        duration_ms=session.elapsed_ms(),
    )


def exit_code(output: Output) -> int:
    """What the process of the command ends with."""
    return output.error.status if output.error else output.exit_code


def _emit_text(session: Session, output: Output) -> None:
    if output.show:
        output.show()
        session.streams.stdout.flush()
    for warning in session.progress.warnings:
        session.streams.talk(f"Warning: {message_line(warning.message)} [{warning.code}]", "yellow")
    if output.error:
        from debughost_cli.render import human

        human.error(session.streams, output.error)


def defect(exc: Exception) -> Internal:
    """The error for what no command is meant to raise."""
    return Internal(
        f"a defect in debughost: {type(exc).__name__}: {exc}",
        hint="Please report it, with what --verbose prints",
        details={"exception": type(exc).__name__},
    )


def warn_of_silent(session: Session, engines: Sequence[EngineReport]) -> None:
    """A warning for each engine that did not answer."""
    for engine in engines:
        if engine.error:
            text = f"engine {engine.name} did not answer: {engine.error.message}"
            session.progress.warn("ENGINE_NOT_ANSWERING", text)


def projects_output(session: Session, result: ProjectsResult) -> Output:
    """The result of a command on projects: one's failure is the command's, of several PARTIAL."""
    from debughost_cli.cli.next import after
    from debughost_cli.render import human
    from debughost_cli.render.json import projects_json

    warn_of_silent(session, result.engines)
    return Output(
        data=projects_json(result),
        changed=result.changed,
        show=lambda: human.projects(session.streams, result),
        error=result.error,
        next=after(result),
    )
