"""What services report while they work, and the typed events that an observer gets of it.

Work is a sequence of phases: each lasts until the next of the same project begins, or until the
work on that project ends. So there is always one that says what is waited for, and their durations
add up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from debughost_cli.characters import clean, without_sequences

LONGEST_LINE = 1000
"""Characters of a line of output that are passed on."""


class PhaseKind(StrEnum):
    """What kind of work a phase is; programs may rely on these words."""

    ENGINE = "engine"
    """Waiting for the engine's first answers."""
    LOCK = "lock"
    """Waiting for another command on the same project."""
    PULL = "pull"
    BUILD = "build"
    NETWORK = "network"
    CREATE = "create"
    UPLOAD = "upload"
    """Sending files of the workspace to an engine that does not see them."""
    SERVICES = "services"
    """Waiting until services can be used."""
    INSTALL = "install"
    HOOK = "hook"
    WAIT = "wait"
    """Waiting until a program listens, or until another condition comes true."""
    STOP = "stop"
    REMOVE = "remove"
    ROLLBACK = "rollback"
    """Undoing what was done before a failure."""
    OTHER = "other"


class Phase(Struct, frozen=True):
    """``number``: counts the phases of one run, from 1; ``project``: empty where it is of none."""

    number: int
    kind: PhaseKind
    project: str
    text: str


class PhaseStarted(Struct, frozen=True):
    """A phase has begun."""

    phase: Phase


class PhaseOutput(Struct, frozen=True):
    """A line of what a phase prints: of a build, a pull, an install, a program that starts.

    It is without control characters, and without what moves a cursor.
    """

    phase: Phase
    line: str


class PhaseEnded(Struct, frozen=True):
    """``ok``: False where it ended with a failure or an interruption."""

    phase: Phase
    seconds: float
    ok: bool = True


class NoticeGiven(Struct, frozen=True):
    """What a user should see at once, such as that a call to the engine is tried again."""

    text: str


ProgressEvent = PhaseStarted | PhaseOutput | PhaseEnded | NoticeGiven


OnPhase = Callable[[PhaseKind, str], None]
"""Gets what begins, as ``Progress.phase`` does."""


class Progress(Protocol):
    """What services call; ``Phases`` makes events of it, ``NullProgress`` nothing."""

    output_after: float | None
    """Seconds of waiting after which a program's output is of use; None: it costs a request, which
    is not made.
    """

    def task(self, project: str) -> AbstractContextManager[None]:
        """The work on one project: what is reported within is of that project, and ends with it.

        It may be in a thread of its own. ``project``: empty for work on none.
        """
        ...

    def phase(self, kind: PhaseKind, text: str) -> None:
        """A phase begins, such as "Building image ..."; the one before is over."""
        ...

    def detail(self, text: str) -> None:
        """Output of the present phase: one line or more, as they came."""
        ...

    def notice(self, text: str) -> None:
        """Something that the user should see at once, such as that a call is tried again."""
        ...

    def warn(self, code: str, message: str) -> None:
        """Something the user should know; it also goes into the result's ``warnings``."""
        ...

    def trace(self, text: str) -> None:
        """A request to the engine is about to be sent."""
        ...


class NullProgress:
    """Ignores everything. A subclass that needs no more than the texts overrides ``step``."""

    output_after: float | None = None

    @contextmanager
    def task(self, project: str) -> Iterator[None]:
        """Nothing."""
        yield

    def phase(self, kind: PhaseKind, text: str) -> None:
        self.step(text)

    def step(self, text: str) -> None:
        """A phase of that text begins."""

    def detail(self, text: str) -> None:
        """Nothing."""

    def warn(self, code: str, message: str) -> None:
        """Nothing."""

    def notice(self, text: str) -> None:
        """Nothing."""

    def trace(self, text: str) -> None:
        """Nothing."""


NULL_PROGRESS = NullProgress()

_project: ContextVar[str] = ContextVar("project", default="")
"""The project that this thread works on."""


class Phases(NullProgress):
    """Calls ``on_event`` with typed events, one at a time, in the thread in which they happen.

    ``output_after``: seconds of waiting after which a program's output is read, which costs the
    engine a request; None: never. ``clock``: seconds that never go back.

    >>> from debughost_cli.api import DebugHost, Phases
    >>> host = DebugHost(progress=Phases(print))
    """

    def __init__(
        self,
        on_event: Callable[[ProgressEvent], None],
        *,
        output_after: float | None = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.output_after = output_after
        self._on_event = on_event
        self._clock = clock
        self._guard = threading.RLock()
        self._number = 0
        self._current: dict[str, tuple[Phase, float]] = {}

    @contextmanager
    def task(self, project: str) -> Iterator[None]:
        before = _project.set(project)
        ok = False
        try:
            if project:
                self.phase(PhaseKind.ENGINE, f"Reading {project} from the engine")
            yield
            ok = True
        finally:
            with self._guard:
                self._end(project, ok=ok)
            _project.reset(before)

    def phase(self, kind: PhaseKind, text: str) -> None:
        with self._guard:
            project = _project.get()
            self._end(project, ok=kind is not PhaseKind.ROLLBACK)
            self._number += 1
            phase = Phase(self._number, kind, project, clean(text))
            self._current[project] = phase, self._clock()
            self._on_event(PhaseStarted(phase))

    def detail(self, text: str) -> None:
        with self._guard:
            current = self._current.get(_project.get())
            if current:
                for line in _lines(text):
                    self._on_event(PhaseOutput(current[0], line))

    def notice(self, text: str) -> None:
        with self._guard:
            self._on_event(NoticeGiven(clean(text)))

    def close(self, *, ok: bool = True) -> None:
        """Ends what goes on; may be called again."""
        with self._guard:
            for project in list(self._current):
                self._end(project, ok=ok)

    def _end(self, project: str, *, ok: bool) -> None:
        current = self._current.pop(project, None)
        if current:
            phase, began = current
            # The failure that goes on after a rollback is not the rollback's.
            ok = ok or phase.kind is PhaseKind.ROLLBACK
            self._on_event(PhaseEnded(phase, self._clock() - began, ok))


def _lines(text: str) -> Iterator[str]:
    """A progress bar of a tool comes as one line that it rewrites: its last state counts."""
    for line in without_sequences(text).split("\n"):
        last = line.rstrip("\r").rpartition("\r")[2].strip()
        if last:
            yield clean(last[:LONGEST_LINE])
