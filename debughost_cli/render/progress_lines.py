"""Progress as lines: for logs and pipes, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from debughost_cli.names import rfc3339
from debughost_cli.render.progress import HEARTBEAT, LONG, Running
from debughost_cli.render.streams import Streams, inline
from debughost_cli.render.text import duration, took
from debughost_cli.services.progress import (
    NoticeGiven,
    Phase,
    PhaseEnded,
    PhaseKind,
    PhaseOutput,
    PhaseStarted,
    ProgressEvent,
)

_TICK = 0.25
_ASIDE = (PhaseKind.ENGINE, PhaseKind.ROLLBACK)
"""Phases that are worth a line only where they take long: the result says what became of it."""
_AHEAD = 1.5
"""Seconds before the first heartbeat at which the output that it quotes is requested."""


class PlainLines:
    """A line where a phase begins, where a long one ends, and every 10 s in between.

    ``verbose``: also all output.
    """

    interval = _TICK

    def __init__(self, streams: Streams, *, verbose: bool = False) -> None:
        self.output_after = 0.0 if verbose else HEARTBEAT - _AHEAD
        self._streams = streams
        self._verbose = verbose

    def event(self, event: ProgressEvent, now: float) -> None:
        match event:
            case PhaseStarted(phase) if phase.kind not in _ASIDE:
                self._streams.talk(inline(phase.text), "dim")
            case PhaseOutput(_, line) if self._verbose:
                self._streams.talk(f"  {line}", "dim")
            case PhaseEnded(phase, seconds, ok) if seconds >= _worth_a_line(phase):
                end = "done" if ok else "failed"
                self._streams.talk(f"{inline(phase.text)}: {end} after {took(seconds)}", "dim")
            case NoticeGiven(text):
                self._streams.talk(inline(text), "yellow")
            case _:
                pass

    def tick(self, running: Sequence[Running], now: float) -> None:
        for item in running:
            if now - item.shown >= HEARTBEAT:
                item.shown = now
                line = f": {inline(item.line)}" if item.line else ""
                passed = duration(now - item.began)
                self._streams.talk(f"{inline(item.phase.text)} ({passed}){line}", "dim")

    def clear(self) -> None:
        """Nothing moves."""


def _worth_a_line(phase: Phase) -> float:
    """From how many seconds on."""
    return HEARTBEAT if phase.kind in _ASIDE else LONG


Type = Literal["phase_started", "phase_output", "phase_running", "phase_ended", "notice", "message"]


class ProgressLine(Struct, frozen=True):
    """A line of ``--progress json``; every key is always there, null where it says nothing.

    ``phase``: its number, from 1. ``message``: what the phase is about, or a line for people.
    ``line``: its output; of ``phase_running`` the last. ``duration_ms``: since it began.
    """

    type: Type
    ts: str
    schema_version: Literal[1] = 1
    phase: int | None = None
    kind: PhaseKind | None = None
    project: str | None = None
    message: str | None = None
    line: str | None = None
    duration_ms: int | None = None
    ok: bool | None = None


class JsonLines:
    """Every event as a line of JSON, see ``ProgressLine``; lines for people as well."""

    interval = _TICK
    output_after = 0.0

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        streams.messages = self._message

    def event(self, event: ProgressEvent, now: float) -> None:
        match event:
            case PhaseStarted(phase):
                self._write("phase_started", phase)
            case PhaseOutput(phase, line):
                self._write("phase_output", phase, line=line)
            case PhaseEnded(phase, seconds, ok):
                self._write("phase_ended", phase, duration_ms=_ms(seconds), ok=ok)
            case NoticeGiven(text):
                self._write("notice", message=text)

    def tick(self, running: Sequence[Running], now: float) -> None:
        for item in running:
            if now - item.shown >= HEARTBEAT and item.phase.number:
                item.shown = now
                passed = _ms(now - item.began)
                self._write("phase_running", item.phase, duration_ms=passed, line=item.line or None)

    def clear(self) -> None:
        """Nothing moves."""

    def _message(self, text: str) -> None:
        self._write("message", message=text)

    def _write(self, type_: Type, phase: Phase | None = None, **more: object) -> None:
        from debughost_cli.render.json import dumps

        line = ProgressLine(
            type_,
            rfc3339(datetime.now(UTC)),
            phase=phase.number if phase else None,
            kind=phase.kind if phase else None,
            project=(phase.project or None) if phase else None,
            message=phase.text if phase else None,
        )
        self._streams.stderr.write(dumps(to_builtins(replace(line, **more))) + "\n")
        self._streams.stderr.flush()


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
