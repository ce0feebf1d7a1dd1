"""Progress on stderr: as lines, as lines of JSON, or live at a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from debughost_cli.characters import clean
from debughost_cli.models import Warn
from debughost_cli.render.streams import Streams
from debughost_cli.services.progress import (
    NoticeGiven,
    Phase,
    PhaseEnded,
    PhaseKind,
    PhaseOutput,
    Phases,
    PhaseStarted,
    ProgressEvent,
)

LONG = 1.0
"""Seconds of a phase that is worth a line at its end."""
HEARTBEAT = 9.5
"""Seconds without a line after which there is one: with a busy machine's delay, within 10 s."""


class Running(Struct):
    """A phase that goes on. ``began``, ``shown``: when, and when a line of it was last printed."""

    phase: Phase
    began: float
    shown: float
    line: str = ""


class Display(Protocol):
    """One way to show it. ``now`` is of the clock that ``Running`` has its times from."""

    interval: float
    """Seconds between two ticks."""
    output_after: float
    """Seconds of a phase after which its output is shown."""

    def event(self, event: ProgressEvent, now: float) -> None:
        """Something happens."""
        ...

    def tick(self, running: Sequence[Running], now: float) -> None:
        """Time has passed; ``running``: what goes on, the oldest first."""
        ...

    def clear(self) -> None:
        """Takes away whatever moves."""
        ...


class TalkingProgress(Phases):
    """Shows phases on a display, and gathers warnings for the result.

    ``started``: when the program began, by ``clock``. ``fills_gaps``: also between two phases the
    engine is being waited for; not so in a command that prints as it goes.
    """

    def __init__(
        self,
        streams: Streams,
        display: Display | None,
        *,
        quiet: bool = False,
        verbose: bool = False,
        fills_gaps: bool = True,
        started: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            self._show, output_after=display.output_after if display else None, clock=clock
        )
        self._streams = streams
        self._display = display
        self._quiet = quiet
        self._verbose = verbose
        self._started = clock() if started is None else started
        self._running: dict[int, Running] = {}
        self._gap = Running(
            Phase(0, PhaseKind.ENGINE, "", "Waiting for the engine"), clock(), clock()
        )
        self._fills_gaps = fills_gaps
        self._ticking: threading.Event | None = None
        self.warnings: list[Warn] = []

    def notice(self, text: str) -> None:
        with self._guard:
            if self._display:
                super().notice(text)
            elif not self._quiet:
                self._streams.talk(clean(text), "yellow")

    def trace(self, text: str) -> None:
        """A request to the engine, with the time since the program began."""
        if self._verbose:
            elapsed = (self._clock() - self._started) * 1000
            self._streams.talk(f"[{elapsed:7.0f} ms] {text}", "dim")

    def warn(self, code: str, message: str) -> None:
        """Kept for the result; people see it when the command is done."""
        with self._guard:
            self.warnings.append(Warn(code, message))

    def mute(self) -> None:
        """Says no more: somebody else has the screen."""
        with self._guard:
            self.done()
            self._display, self._quiet = None, True

    def done(self, *, ok: bool = True) -> None:
        """Ends the phases, and takes away whatever moves; what follows may begin others."""
        with self._guard:
            self.close(ok=ok)
            if self._ticking:
                self._ticking.set()
                self._ticking = None
            if self._display:
                self._display.clear()

    def tick(self) -> None:
        """Shows that time has passed."""
        with self._guard:
            running = list(self._running.values())
            if self._display and (running or self._fills_gaps):
                self._display.tick(running or [self._gap], self._clock())

    def _show(self, event: ProgressEvent) -> None:
        now = self._clock()
        match event:
            case PhaseStarted(phase):
                self._running[phase.number] = Running(phase, now, now)
                self._start_ticking()
            case PhaseOutput(phase, line):
                self._running[phase.number].line = line
            case PhaseEnded(phase):
                self._running.pop(phase.number, None)
                self._gap.began = self._gap.shown = now
                if self._display and not self._running and not self._fills_gaps:
                    self._display.clear()
            case NoticeGiven():
                pass
        if self._display:
            self._display.event(event, now)

    def _start_ticking(self) -> None:
        if self._display and self._ticking is None:
            self._ticking = threading.Event()
            arguments = (self._ticking, self._display.interval)
            threading.Thread(target=self._tick_until, args=arguments, daemon=True).start()

    def _tick_until(self, over: threading.Event, interval: float) -> None:
        while not over.wait(interval):
            with self._guard:
                if over.is_set():
                    return
                try:
                    self.tick()
                except (OSError, ValueError):
                    # Nobody reads it any more; who writes next finds out.
                    return
