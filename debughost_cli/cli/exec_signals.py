"""What signals do while a command runs in a container."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol

from debughost_cli.cli import signals
from debughost_cli.errors import DebughostError

_ENDING = ("SIGINT", "SIGTERM")
_FORWARDED = (*_ENDING, "SIGHUP", "SIGQUIT")
_KILLED_AFTER = 3
"""So many SIGINT or SIGTERM, and the command is killed; after one more it is no longer awaited."""


class Command(Protocol):
    """A command that can be signalled."""

    @property
    def is_begun(self) -> bool:
        """True from when it can be signalled, and where it never began."""
        ...

    def signal(self, *names: str) -> None:
        """Sends signals (``TERM``) to it."""
        ...


class Background:
    """Runs in a thread of its own what signal handlers start: they must not wait for the engine."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def run(self, job: Callable[[], None]) -> None:
        """Runs ``job`` after those before it; errors of ours are ignored."""
        self._jobs.put(job)

    def close(self) -> None:
        """Ends the thread, after the jobs that it has."""
        self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            with suppress(DebughostError):
                job()


class ExecSignals:
    """The one handler of all signals, from before the command is started until it has ended.

    Until ``attach`` the first signal is kept for the command; a second one ends this program.
    Without a terminal the command gets each signal and decides how it ends. With a terminal, Ctrl-C
    is a byte like any other; a signal from elsewhere hangs up, since shells ignore SIGTERM.
    """

    def __init__(self, background: Background, *, tty: bool) -> None:
        self._background = background
        self._tty = tty
        self._command: Command | None = None
        self._kept: int | None = None
        self._ending = 0
        self._hung_up = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        if self._command:
            self._pass_on(number, self._command)
        elif self._kept is None:
            self._kept = number
        else:
            _interrupt(number)

    def attach(self, command: Command) -> None:
        """From here on ``command`` gets the signals, and the one that was kept."""
        self._command = command
        if self._kept is not None:
            self._pass_on(self._kept, command)

    def _pass_on(self, number: int, command: Command) -> None:
        if self._tty:
            self._hang_up(number, command)
        else:
            self._forward(number, command)

    def _forward(self, number: int, command: Command) -> None:
        name = signal.Signals(number).name
        self._ending += name in _ENDING
        if self._ending > (_KILLED_AFTER if command.is_begun else 1):
            _interrupt(number)
        name = "SIGKILL" if self._ending == _KILLED_AFTER else name
        self._background.run(lambda: command.signal(name.removeprefix("SIG")))

    def _hang_up(self, number: int, command: Command) -> None:
        if self._hung_up or command.is_begun:
            _interrupt(number)
        self._hung_up = True
        self._background.run(lambda: command.signal("HUP", "TERM"))


def _interrupt(number: int) -> None:
    signals.interrupt(number, _FORWARDED)


@contextmanager
def forwarded_signals(background: Background, *, tty: bool) -> Iterator[ExecSignals]:
    """The signals go to the command that is attached."""
    handler = ExecSignals(background, tty=tty)
    with signals.handled_by(handler, _FORWARDED):
        yield handler
