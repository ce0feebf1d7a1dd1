"""``logs``: the projects' output, as it is and as it comes."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable, Iterator, Sequence

from debughost_cli.engine.port import Engine, OnText
from debughost_cli.errors import (
    Usage,
)
from debughost_cli.models import Exit
from debughost_cli.planning.log_cursor import (
    Bookmark,
    Position,
    Positions,
    encode,
    later,
)
from debughost_cli.planning.log_lines import ProjectLine, within
from debughost_cli.planning.log_times import to_ns
from debughost_cli.resources import LogLine
from debughost_cli.services.log_tap import End, Funnel, Tap, Wish
from debughost_cli.services.projects import OURS, by_project, not_found

_TICK = 0.25
_ID = 16


class LogService:
    """Reads, and changes nothing."""

    def __init__(self, engine: Engine, notice: OnText) -> None:
        self._engine = engine
        self._notice = notice

    def open(self, projects: Sequence[str], wish: Wish) -> LogReading:
        """Finds the projects; nothing is read yet.

        Raises ProjectNotFound, and Usage for a cursor that is not of these projects.
        """
        groups = by_project(self._engine.list_containers([OURS]))
        for project in projects:
            if project not in groups:
                raise not_found(project, list(groups))
        taps = [
            Tap(self._engine, project, ref, _start(project, ref, wish), wish)
            for project, ref in ((p, groups[p][0].id) for p in dict.fromkeys(projects))
        ]
        return LogReading(taps, wish, self._notice)


def _start(project: str, ref: str, wish: Wish) -> Positions:
    start: Positions = {}
    if wish.since is not None:
        start = {s: Position(wish.since) for s in ("stdout", "stderr")}
    if wish.after is None:
        return start
    mark = wish.after.get(project)
    fresh = f"Leave --after out to begin anew: debughost logs -p {project}"
    if mark is None:
        raise Usage(
            f"the cursor is not of project {project} but of {', '.join(wish.after)}", hint=fresh
        )
    if not ref.startswith(mark.container):
        raise Usage(
            f"the cursor is of an earlier container of {project}, which was recreated since",
            hint=fresh,
            details={"project": project, "container": ref[:_ID], "cursor": mark.container},
        )
    return later(start, mark.positions)


class LogReading:
    """One reading of one or more projects: iterate over it, then ask what it came to."""

    def __init__(self, taps: Sequence[Tap], wish: Wish, notice: OnText) -> None:
        self._taps = taps
        self._wish = wish
        self._notice = notice
        self._caught_up = False
        self._cut = False
        self.exits: dict[str, Exit | None] = {}
        """Following: why each project ended, None where it is gone."""

    def __iter__(self) -> Iterator[ProjectLine | None]:
        """The lines of one project in the engine's order, of several merged by time.

        Followed, several come as they come. None: there is nothing more for the moment.
        """
        yield from self._present()
        self._caught_up = True
        if self._wish.follow:
            yield None
            yield from self._follow()

    @property
    def truncated(self) -> bool:
        """Whether older lines were left out for their size."""
        return self._cut or any(tap.truncated for tap in self._taps)

    @property
    def is_caught_up(self) -> bool:
        """Whether all that was there at the beginning has been read."""
        return self._caught_up

    @property
    def is_followed(self) -> bool:
        """Whether it goes on until the projects end."""
        return self._wish.follow

    @property
    def cursor(self) -> str | None:
        """Where the next reading goes on; None before all that there was has been read."""
        if not self._caught_up or self._wish.is_plain:
            return None
        places = {t.project: Bookmark(t.ref[:_ID], t.progress.positions()) for t in self._taps}
        return encode(places)

    def _present(self) -> Iterable[ProjectLine]:
        merged = _merged([tap.present() for tap in self._taps])
        if self._wish.max_bytes is None:
            return merged
        kept, self._cut = within(merged, self._wish.max_bytes)
        return kept

    def _follow(self) -> Iterator[ProjectLine | None]:
        funnel = Funnel()
        for tap in self._taps:
            threading.Thread(target=tap.follow, args=(funnel, self._notice), daemon=True).start()
        while len(self.exits) < len(self._taps):
            for tap, event in funnel.drain(_TICK):
                if isinstance(event, LogLine):
                    tap.progress.note(event)
                    if self._wish.matches(event):
                        yield ProjectLine(tap.project, event)
                else:
                    yield None
                    self._ended(tap, event)
            yield None

    def _ended(self, tap: Tap, end: End) -> None:
        if end.error:
            raise end.error
        self.exits[tap.project] = end.exit
        if end.why:
            self._notice(f"{tap.project}: {end.why}")


def _merged(sources: Sequence[Iterator[ProjectLine]]) -> Iterator[ProjectLine]:
    if len(sources) == 1:
        return sources[0]
    return heapq.merge(*sources, key=lambda p: to_ns(p.line.ts) if p.line.ts else 0)
