"""``status --watch`` in a terminal: what it shows, and how it ends."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import signal
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

import pytest
from msgspec.structs import replace

from debughost_cli.errors import EngineUnavailable, Interrupted
from debughost_cli.models import (
    Companion,
    ContainerRef,
    Exit,
    ExitReason,
    Freshness,
    Project,
    State,
    Stats,
    Warn,
)
from debughost_cli.render.streams import Streams
from debughost_cli.render.watch import Watch, fitting, is_possible
from debughost_cli.services.status import Snapshot

SHOP = Project("shop", state=State.RUNNING, ready=True)


def using(percent: float) -> Snapshot:
    stats = Stats(percent, 2.0, 1, 2, 50.0, 3, 4, 5)
    return Snapshot((Project("shop", state=State.RUNNING, ready=True, stats=stats),))


@dataclass
class Screen:
    """A terminal: ``keyboard`` is what is typed, ``text`` what it shows in the end."""

    keyboard: int
    terminal: TextIO
    text: io.StringIO

    def press(self, keys: bytes) -> None:
        os.write(self.keyboard, keys)

    def watch(self, look: Callable[[], Snapshot], interval: float = 0.01) -> str:
        streams = Streams(self.terminal, self.text, io.StringIO())
        Watch(streams, look, interval).run()
        return self.text.getvalue()


class TerminalText(io.StringIO):
    """Keeps what a terminal is sent."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")
    keyboard, terminal = pty.openpty()
    with os.fdopen(terminal, "r") as stream:
        yield Screen(keyboard, stream, TerminalText())
    os.close(keyboard)


def in_turn(screen: Screen, *snapshots: Snapshot | BaseException) -> Callable[[], Snapshot]:
    """A look that returns or raises each, and has q pressed with the last."""
    left = list(snapshots)

    def look() -> Snapshot:
        found = left.pop(0)
        if not left:
            screen.press(b"q")
        if isinstance(found, BaseException):
            raise found
        return found

    return look


@pytest.mark.parametrize("key", [b"q", b"Q", b"xyzq"])
def test_q_ends_it(screen: Screen, key: bytes) -> None:
    def look() -> Snapshot:
        screen.press(key)
        return Snapshot((SHOP,))

    shown = screen.watch(look)
    assert "1 project, 1 ready" in shown
    assert "shop" in shown


def test_another_key_does_not_end_it(screen: Screen) -> None:
    looks = []

    def look() -> Snapshot:
        looks.append(1)
        screen.press(b"q" if len(looks) == 3 else b"x")
        return Snapshot((SHOP,))

    screen.watch(look)
    assert len(looks) == 3


def test_it_goes_on_while_the_engine_is_away(screen: Screen) -> None:
    gone = EngineUnavailable("no engine answers")
    shown = screen.watch(in_turn(screen, Snapshot((SHOP,)), gone, Snapshot((SHOP,))))
    assert "no engine answers; trying again" in shown


def test_warnings_are_shown(screen: Screen) -> None:
    warned = Snapshot((SHOP,), (Warn("NEAR_PROCESS_LIMIT", "shop has\nmany processes"),))
    assert "shop has\\nmany processes" in screen.watch(in_turn(screen, warned))


def test_the_highest_share_of_a_column_counts() -> None:
    streams = Streams(io.StringIO(), io.StringIO(), io.StringIO())
    shares = [using(10.0), using(90.0), using(20.0)]
    watch = Watch(streams, lambda: shares.pop(0), 0.01)
    for _ in range(3):
        watch._tick()
    assert [*watch._history["shop"]] == [90.0]


def test_ctrl_c_ends_it_as_q_does(screen: Screen) -> None:
    screen.watch(in_turn(screen, Interrupted(signal.SIGINT)))


def test_sigterm_is_reported(screen: Screen) -> None:
    with pytest.raises(Interrupted):
        screen.watch(in_turn(screen, Interrupted(signal.SIGTERM)))


@pytest.mark.parametrize("end", [Snapshot(()), Interrupted(signal.SIGTERM)])
def test_the_terminal_is_then_as_it_was(screen: Screen, end: Snapshot | BaseException) -> None:
    before = termios.tcgetattr(screen.terminal)
    during = []

    def look() -> Snapshot:
        during.append(termios.tcgetattr(screen.terminal))
        return in_turn(screen, end)()

    with contextlib.suppress(Interrupted):
        screen.watch(look)
    assert during[0] != before
    assert termios.tcgetattr(screen.terminal) == before


def test_without_a_keyboard_only_a_signal_ends_it(screen: Screen) -> None:
    streams = Streams(io.StringIO(), screen.text, io.StringIO())
    left: list[Snapshot | BaseException] = [Snapshot((SHOP,)), Interrupted(signal.SIGINT)]

    def look() -> Snapshot:
        found = left.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found

    Watch(streams, look, 0.01).run()
    assert left == []


@pytest.mark.parametrize(("term", "possible"), [("xterm", True), ("dumb", False)])
def test_a_live_screen_needs_a_terminal_with_a_cursor(
    monkeypatch: pytest.MonkeyPatch, term: str, possible: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    streams = Streams(io.StringIO(), TerminalText(), io.StringIO())
    assert is_possible(streams) is possible
    assert not is_possible(Streams(io.StringIO(), io.StringIO(), io.StringIO()))


def test_more_projects_than_rows_shows_those_with_problems_and_counts_the_others(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINES", "10")
    well = [Project(f"shop-{n}", state=State.RUNNING, ready=True) for n in range(9)]
    shown = screen.watch(in_turn(screen, Snapshot((*well, CRASHED))))
    assert re.search(r"last-of-all +\S*crashed", shown)
    assert "last-of-all: ended by itself" in shown
    assert "shop-3" in shown
    assert "5 more" in shown
    assert "shop-4" not in shown


CRASHED = Project(
    "last-of-all",
    state=State.CRASHED,
    exit=Exit(1, None, ExitReason.CRASHED, False, "ended by itself with exit code 1", None),
)


@pytest.mark.parametrize("room", range(2, 30))
@pytest.mark.parametrize("warnings", [(), ("w" * 100,), ("short",) * 12])
def test_no_view_is_longer_than_the_screen(room: int, warnings: tuple[str, ...]) -> None:
    projects = (*(replace(CRASHED, project=f"p{n}") for n in range(8)), SHOP)
    view = fitting(projects, warnings, room, 40)
    reasons = sum(-(-len(line) // 40) for line in (*view.reasons, *view.warnings))
    used = len(view.projects) + bool(view.more) + reasons
    assert used <= room
    assert len(view.projects) + view.more == len(projects)
    assert SHOP not in view.projects[: len(view.projects) - 1]


def test_what_has_failed_comes_before_what_is_out_of_date() -> None:
    old = tuple(replace(SHOP, project=f"old-{n}", dependencies=Freshness.STALE) for n in range(3))
    starting = replace(SHOP, project="starting", ready=False)
    view = fitting((SHOP, *old, starting, CRASHED), (), 6, 80)
    assert [p.project for p in view.projects] == ["last-of-all", "starting"]
    assert view.more == 4
    assert view.reasons == ("last-of-all: ended by itself with exit code 1",)


def test_what_fits_is_left_in_its_order() -> None:
    view = fitting((SHOP, CRASHED), ("careful",), 4, 60)
    assert (view.projects, view.more) == ((SHOP, CRASHED), 0)
    assert (len(view.reasons), view.warnings) == (1, ("careful",))


def test_the_rows_of_services_take_room_as_well() -> None:
    db = Companion("db", State.RUNNING, ContainerRef("1", "c", "postgres"))
    big = replace(SHOP, project="big", services=(db, db))
    others = (replace(SHOP, project="a"), replace(SHOP, project="b"))
    view = fitting((big, SHOP, *others), (), 5, 80)
    assert ([p.project for p in view.projects], view.more) == (["big", "shop"], 2)
    assert fitting((big, SHOP), (), 4, 80).more == 0
    assert [p.project for p in fitting((big, SHOP), (), 2, 80).projects] == ["big"]
