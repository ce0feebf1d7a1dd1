"""Progress on stderr: lines where nobody watches, one moving line where somebody does."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from debughost_cli.characters import without_sequences
from debughost_cli.models import Warn
from debughost_cli.render.streams import Streams, clean, inline
from debughost_cli.services.progress import NullProgress, PhaseKind

if TYPE_CHECKING:
    from rich.status import Status


class TalkingProgress(NullProgress):
    """Writes steps to stderr and gathers warnings for the result.

    ``lines``: every step as a line of its own. Otherwise a spinner by rich, which shows the step
    and the last detail, and is removed at the end. ``started``: when the program began, by the
    monotonic clock.
    """

    def __init__(
        self,
        streams: Streams,
        *,
        quiet: bool,
        verbose: bool,
        lines: bool,
        started: float | None = None,
    ) -> None:
        self._streams = streams
        self._quiet = quiet
        self._verbose = verbose
        self._started = time.monotonic() if started is None else started
        self._lines = lines or verbose
        self._status: Status | None = None
        self._step = ""
        self._guard = threading.Lock()
        self.warnings: list[Warn] = []

    def phase(self, kind: PhaseKind, text: str) -> None:
        """Waiting for the engine is not worth a line."""
        if kind is not PhaseKind.ENGINE:
            self.step(text)

    def step(self, text: str) -> None:
        """Something begins."""
        with self._guard:
            self._step = inline(text)
            if self._quiet:
                return
            if self._lines:
                self._streams.talk(self._step, "dim")
            else:
                self._spin(self._step)

    def detail(self, text: str) -> None:
        """A line of a long step."""
        with self._guard:
            if self._quiet:
                return
            if self._verbose:
                self._streams.talk(f"  {clean(without_sequences(text))}", "dim")
            elif not self._lines:
                # A progress bar of a tool comes as one line that it rewrites.
                last = without_sequences(text).strip().splitlines()[-1:]
                self._spin(": ".join([self._step, *map(clean, last)]))

    def notice(self, text: str) -> None:
        """A line that must be seen, such as that something is tried again."""
        with self._guard:
            if not self._quiet:
                self._pause()
                self._streams.talk(inline(text), "yellow")

    def trace(self, text: str) -> None:
        """A request to the engine, with the time since the program began."""
        if self._verbose:
            elapsed = (time.monotonic() - self._started) * 1000
            self._streams.talk(f"[{elapsed:7.0f} ms] {text}", "dim")

    def warn(self, code: str, message: str) -> None:
        """Kept for the result; people see it when the command is done."""
        with self._guard:
            self.warnings.append(Warn(code, message))

    def mute(self) -> None:
        """Says no more: somebody else has the screen."""
        with self._guard:
            self._pause()
            self._quiet = True

    def done(self) -> None:
        """Takes the moving line away."""
        with self._guard:
            self._pause()

    def _pause(self) -> None:
        if self._status:
            self._status.stop()
            self._status = None

    def _spin(self, text: str) -> None:
        from rich.text import Text

        if self._status is None:
            from rich.console import Console

            console = Console(
                file=self._streams.stderr,
                no_color=not self._streams.has_color(self._streams.stderr),
            )
            self._status = console.status(Text(text))
            self._status.start()
        self._status.update(Text(text, overflow="ellipsis", no_wrap=True))
