"""What a call reports while it works, for the client's progress notifications."""

from __future__ import annotations

import threading
from collections.abc import Callable

from debughost_cli.api import (
    CancelToken,
    NoticeGiven,
    PhaseEnded,
    PhaseKind,
    PhaseOutput,
    Phases,
    PhaseStarted,
    ProgressEvent,
)
from debughost_cli.errors import Interrupted
from debughost_cli.models import Warn

_STREAMS = (PhaseKind.BUILD, PhaseKind.PULL)
"""Phases that wait for nothing but their output, and see no cancellation otherwise."""


class CallProgress(Phases):
    """Keeps what was not sent yet, and the warnings for the document.

    ``wake`` is called, in a thread of the call, whenever there is something to send. Of a phase's
    lines only the last one is kept: a build writes hundreds a second.
    """

    def __init__(
        self, wake: Callable[[], None], cancel: CancelToken, *, wants_output: bool
    ) -> None:
        super().__init__(self._add, output_after=0.0 if wants_output else None)
        self._wake = wake
        self._cancel = cancel
        self._pending: list[str] = []
        self._has_line = False
        self._was_stopped = False
        self._sent = 0
        self._keeping = threading.Lock()
        self.warnings: list[Warn] = []

    def take(self) -> list[tuple[int, str]]:
        """What is to be sent, counted."""
        with self._keeping:
            found, self._pending, self._has_line = self._pending, [], False
            first = self._sent + 1
            self._sent += len(found)
        return list(enumerate(found, first))

    def warn(self, code: str, message: str) -> None:
        with self._keeping:
            self.warnings.append(Warn(code, message))

    def mute(self) -> None:
        """There is no screen."""

    def done(self, *, ok: bool = True) -> None:
        """There is no moving line."""

    def _add(self, event: ProgressEvent) -> None:
        match event:
            case PhaseStarted(phase) if phase.kind is not PhaseKind.ENGINE:
                self._keep(phase.text)
            case PhaseOutput(phase, line):
                self._keep(f"{phase.text}: {line}", is_line=True)
                self._stop(phase.kind)
            case NoticeGiven(text):
                self._keep(text)
            case PhaseStarted() | PhaseEnded():
                """The next phase says it as well."""

    def _keep(self, text: str, *, is_line: bool = False) -> None:
        with self._keeping:
            if is_line and self._has_line:
                self._pending[-1] = text
            else:
                self._pending.append(text)
            self._has_line = is_line
        self._wake()

    def _stop(self, kind: PhaseKind) -> None:
        """Raises Interrupted once the call is cancelled; once, since a rollback may follow."""
        if kind in _STREAMS and self._cancel.is_set() and not self._was_stopped:
            self._was_stopped = True
            raise Interrupted
