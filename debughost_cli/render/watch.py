"""``status --watch``: a live table on a screen of its own, by rich."""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING

from msgspec import Struct

from debughost_cli.errors import DebughostError, Interrupted
from debughost_cli.models import Project
from debughost_cli.render import status
from debughost_cli.render.streams import Streams, inline, message_line
from debughost_cli.render.text import counted
from debughost_cli.services.status import Snapshot

if TYPE_CHECKING:
    from rich.console import Console, Group, RenderableType

MINUTE = 60.0
COLUMN = 2.0
"""Seconds that a column of the sparkline stands for at least, so that a minute fits a line."""

_HEAD = 3
"""Lines above the first project."""

Look = Callable[[], Snapshot]


class Watch:
    """Reads every ``interval`` seconds until the user presses q.

    A failure of the engine is shown in the last line, and reading goes on.
    """

    def __init__(self, streams: Streams, look: Look, interval: float) -> None:
        self._streams = streams
        self._look = look
        self._interval = interval
        self._snapshot = Snapshot(())
        self._trouble = ""
        self._history: dict[str, deque[float]] = {}
        self._column_began = float("-inf")

    def run(self) -> None:
        """Returns on q and on Ctrl-C. However it ends, the terminal is then as it was.

        Raises Interrupted on SIGTERM: the exit code reports it to the sender.
        """
        from rich.live import Live

        console = status.console_for(self._streams)
        with (
            _keys(self._streams) as pressed,
            Live(console=console, screen=True, auto_refresh=False, transient=True) as live,
        ):
            try:
                while True:
                    self._tick()
                    live.update(self._screen(console), refresh=True)
                    if _waits_for_quit(pressed, self._interval):
                        return
            except Interrupted as exc:
                if exc.signum != signal.SIGINT:
                    raise

    def _tick(self) -> None:
        try:
            self._snapshot = self._look()
            self._trouble = ""
        except DebughostError as exc:
            self._trouble = f"{exc.message}; trying again"
            return
        self._remember(self._snapshot.projects)

    def _remember(self, projects: tuple[Project, ...]) -> None:
        """Within a column the highest value counts: a short peak is seen."""
        length = max(2, round(MINUTE / max(self._interval, COLUMN)))
        known = self._history
        names = [status.label(p) for p in projects]
        self._history = {name: known.get(name, deque(maxlen=length)) for name in names}
        now = time.monotonic()
        # A tick is never quite on time: half of one decides.
        is_new = now - self._column_began >= COLUMN - self._interval / 2
        self._column_began = now if is_new else self._column_began
        for project in projects:
            share = project.stats.cpu_percent if project.stats else 0.0
            columns = self._history[status.label(project)]
            if is_new or not columns:
                columns.append(share)
            else:
                columns[-1] = max(columns[-1], share)

    def _screen(self, console: Console) -> Group:
        from rich.console import Group
        from rich.text import Text

        projects = self._snapshot.projects
        running = sum(p.ready for p in projects)
        count = counted(len(projects), "project")
        head = f"{count}, {running} ready   {time.strftime('%H:%M:%S')}   q quits"
        warnings = [message_line(w.message) for w in self._snapshot.warnings]
        room = console.height - _HEAD - (2 if self._trouble else 0)
        room -= sum(bool(engine.error) for engine in self._snapshot.engines)
        history = {name: list(shares) for name, shares in self._history.items()}
        view = fitting(projects, warnings, room, console.width)
        lines: list[RenderableType] = [
            Text(head, style="dim", no_wrap=True, overflow="ellipsis"),
            Text(""),
        ]
        engines = self._snapshot.engines
        lines.append(
            status.table(
                view.projects, width=console.width, pretty=True, history=history, engines=engines
            )
        )
        if view.more:
            lines.append(Text(f"{view.more} more", style="dim"))
        lines += [Text(line, style="red") for line in view.reasons]
        lines += [Text(line, style="yellow") for line in view.warnings]
        if self._trouble:
            lines += [Text(""), Text(inline(self._trouble), style="red")]
        return Group(*lines)


class View(Struct, frozen=True):
    """What of a snapshot has room on a screen; ``more``: how many projects have none."""

    projects: tuple[Project, ...]
    more: int
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


def fitting(projects: Sequence[Project], warnings: Sequence[str], room: int, width: int) -> View:
    """All of it, where ``room`` lines are enough; else projects with problems first.

    What is to be said of them gets at most half of the lines, unless the projects need fewer.
    """
    reasons = status.reasons(projects)
    talk = sum(_height(line, width) for line in [*reasons, *warnings])
    needed = sum(map(_rows, projects))
    if needed + talk <= room:
        return View(tuple(projects), 0, tuple(reasons), tuple(warnings))
    rows = max(1, room - min(talk, room // 2))
    if rows < needed:
        # One line says how many more there are.
        rows = max(1, rows - 1)
    urgent = sorted(projects, key=status.urgency)
    ends = accumulate(_rows(p) for p in urgent)
    # A project with many services is shown even where it alone has no room.
    first = urgent[: max(1, sum(end <= rows for end in ends))]
    more = len(projects) - len(first)
    left = room - sum(map(_rows, first)) - (1 if more else 0)
    kept: list[tuple[str, ...]] = []
    for lines in (status.reasons(first), warnings):
        shown = tuple(takewhile(_Room(left, width).has, lines))
        left -= sum(_height(line, width) for line in shown)
        kept.append(shown)
    return View(tuple(first), more, kept[0], kept[1])


def _rows(project: Project) -> int:
    """Its services have rows of their own."""
    return 1 + len(project.services)


class _Room:
    """Lines of the screen that are left."""

    def __init__(self, lines: int, width: int) -> None:
        self._lines = lines
        self._width = width

    def has(self, text: str) -> bool:
        """Takes the room for ``text``; False where there is not enough."""
        self._lines -= _height(text, self._width)
        return self._lines >= 0


def _height(text: str, width: int) -> int:
    return max(1, -(-len(text) // max(1, width)))


@contextmanager
def _keys(streams: Streams) -> Iterator[int | None]:
    """The descriptor to read single keys from, unechoed; None where stdin is no terminal."""
    if os.name != "posix" or not streams.stdin.isatty():
        yield None
        return
    import termios
    import tty

    descriptor = streams.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield descriptor
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _waits_for_quit(descriptor: int | None, seconds: float) -> bool:
    """True as soon as q is pressed; False after ``seconds``."""
    if descriptor is None:
        time.sleep(seconds)
        return False
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([descriptor], [], [], left)
        if ready and os.read(descriptor, 64).lower().find(b"q") >= 0:
            return True
    return False


def is_possible(streams: Streams) -> bool:
    """A live screen needs a terminal that can move its cursor."""
    return streams.stdout.isatty() and os.environ.get("TERM") != "dumb"
