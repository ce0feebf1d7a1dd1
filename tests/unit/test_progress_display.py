"""How progress is shown: live at a terminal, as lines, as JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pyte
import pytest
from fake_clock import FakeClock

from debughost_cli.models import Warn
from debughost_cli.render import terminal
from debughost_cli.render.live import Live
from debughost_cli.render.progress import Display, TalkingProgress
from debughost_cli.render.progress_lines import JsonLines, PlainLines
from debughost_cli.render.streams import Streams
from debughost_cli.services.progress import PhaseKind


class Screen(io.StringIO):
    """A terminal in memory."""

    encoding = "utf-8"

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(columns, rows)
        # What the terminal driver makes of a newline.
        self.screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self.screen)

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return super().write(text)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    @property
    def size(self) -> tuple[int, int]:
        return self.screen.lines, self.screen.columns


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


class Shown:
    """Progress on a display, with a clock that a test moves."""

    def __init__(self, stderr: Any, display: type[Any] | None = None, **how: Any) -> None:
        self.clock = FakeClock()
        self.stderr = stderr
        self.streams = Streams(io.StringIO(), io.StringIO(), stderr)
        made: Display = display(self.streams) if display else Live(self.streams, 0.0)
        self.progress = TalkingProgress(self.streams, made, clock=self.clock.monotonic, **how)
        # A test's own clock ticks.
        self.progress._start_ticking = lambda: None  # type: ignore[method-assign]

    def passes(self, seconds: float, every: float = 0.125) -> None:
        for _ in range(round(seconds / every)):
            self.clock.sleep(every)
            self.progress.tick()


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def make(columns: int = 80, rows: int = 24, **how: Any) -> Shown:
        shown = Shown(Screen(columns, rows), **how)
        monkeypatch.setattr(terminal, "size", lambda stream: stream.size)
        return shown

    return make  # type: ignore[return-value]


def text_of(lines: list[str]) -> list[str]:
    """Without the spinner, which turns."""
    return [f"*{line[1:]}" if line[:1] in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" else line for line in lines]


def test_what_is_over_in_a_moment_is_not_shown(live: Any) -> None:
    shown = live()
    shown.progress.phase(PhaseKind.CREATE, "Creating")
    shown.passes(0.4)
    shown.progress.phase(PhaseKind.WAIT, "Waiting")
    shown.progress.done()
    assert shown.stderr.getvalue() == ""


def test_a_phase_is_shown_with_its_time_and_its_last_line(live: Any) -> None:
    shown = live()
    shown.progress.phase(PhaseKind.INSTALL, "Installing the dependencies of shop")
    shown.passes(1.5)
    assert text_of(shown.stderr.lines) == ["* Installing the dependencies of shop  1s"]
    shown.progress.detail("npm http fetch\nadded 57 packages in 3s\n")
    shown.passes(62)
    assert text_of(shown.stderr.lines) == [
        "* Installing the dependencies of shop  1m 3s",
        "  added 57 packages in 3s",
    ]


def test_what_stays_is_a_record_of_what_took_time(live: Any) -> None:
    shown = live()
    for text, seconds in (("Creating", 0.875), ("Installing", 12.25), ("Waiting", 0.25)):
        shown.progress.phase(PhaseKind.OTHER, text)
        shown.progress.detail(f"output of {text}")
        shown.passes(seconds)
    shown.progress.done()
    assert shown.stderr.lines == ["✓ Installing  12.2s"]
    assert shown.stderr.screen.cursor.x == 0
    assert not shown.stderr.screen.cursor.hidden


def test_a_failure_is_in_the_record(live: Any) -> None:
    shown = live()
    shown.progress.phase(PhaseKind.INSTALL, "Installing")
    shown.passes(2)
    shown.progress.done(ok=False)
    assert shown.stderr.lines == ["✗ Installing  2.0s"]


@pytest.mark.parametrize("columns", [200, 80, 40, 20, 10])
@pytest.mark.parametrize(
    "words",
    ["x" * 300, "日本語のパッケージ" * 30, "e\u0301" * 300, "👩💻🚀" * 60, "tab\tand\ttab" * 30],
)
def test_nothing_is_wider_than_the_terminal(live: Any, columns: int, words: str) -> None:
    """The time stays, the text is cut, and nothing is left on the screen."""
    shown = live(columns)
    for kind in (PhaseKind.BUILD, PhaseKind.INSTALL):
        shown.progress.phase(kind, f"Working on {words}")
        shown.progress.detail(words)
        shown.passes(3)
        assert len(shown.stderr.lines) == 2 + (kind is PhaseKind.INSTALL)
    assert shown.stderr.lines[1].endswith("  3s")
    shown.progress.done()
    assert len(shown.stderr.lines) == 2
    shown.progress.phase(PhaseKind.OTHER, "Short")
    shown.progress.done()


def test_a_wide_terminal_shows_more_of_a_line(live: Any) -> None:
    for columns in (80, 200):
        shown = live(columns)
        shown.progress.phase(PhaseKind.BUILD, "b" * 300)
        shown.passes(1)
        (line,) = shown.stderr.lines
        assert len(line) == columns - 1
        assert line.endswith("…  1s")


@pytest.mark.parametrize(
    "words",
    [
        "\x1b[32madded\x1b[0m 3 packages",
        "old\r\x1b[2K\x1b[1Gadded 3 packages",
        "\x1b]8;;http://x\x07added\x1b]8;;\x07 3 packages\x1b[?25l",
        "old\radded 3 packages\r\n",
    ],
)
def test_it_has_no_codes_of_a_tool(live: Any, words: str) -> None:
    shown = live()
    shown.progress.phase(PhaseKind.BUILD, "Building\x1b[2J")
    shown.progress.detail(words)
    shown.passes(1)
    assert text_of(shown.stderr.lines) == ["* Building\\x1b[2J  1s", "  added 3 packages"]


def test_a_notice_stays_above(live: Any) -> None:
    shown = live()
    shown.progress.phase(PhaseKind.ENGINE, "Waiting for the engine")
    shown.passes(1)
    shown.progress.notice("no answer\x1b[2J; trying again")
    shown.passes(1)
    assert text_of(shown.stderr.lines) == [
        "no answer\\x1b[2J; trying again",
        "* Waiting for the engine  2s",
    ]
    shown.progress.done()
    assert shown.stderr.lines == ["no answer\\x1b[2J; trying again"]


def test_a_long_notice_is_shown_to_its_end(live: Any) -> None:
    shown = live(40)
    shown.progress.notice(f"{'n' * 70} end")
    assert shown.stderr.lines == ["n" * 40, "n" * 30 + " end"]


def test_what_was_not_found_is_no_failure_of_the_engine(live: Any) -> None:
    shown = live()
    shown.progress.phase(PhaseKind.ENGINE, "Reading shop from the engine")
    shown.passes(2)
    shown.progress.done(ok=False)
    assert shown.stderr.lines == []


def test_between_two_phases_the_engine_is_waited_for(live: Any) -> None:
    for fills_gaps in (True, False):
        shown = live(fills_gaps=fills_gaps)
        with shown.progress.task("shop"):
            shown.passes(2)
        shown.passes(2)
        found = text_of(shown.stderr.lines)
        assert found == (["* Waiting for the engine  2s"] if fills_gaps else [])


def test_several_projects_have_a_line_each(live: Any) -> None:
    shown = live(rows=6)
    progress = shown.progress
    with progress.task("a"), progress.task("b"):
        progress.phase(PhaseKind.INSTALL, "Installing b")
        progress.detail("from b")
        shown.passes(1)
        assert text_of(shown.stderr.lines) == [
            "* Reading a from the engine  1s",
            "* Installing b  1s",
            "  from b",
        ]
        with progress.task("c"), progress.task("d"), progress.task("e"):
            shown.passes(1)
            assert text_of(shown.stderr.lines) == [
                "* Reading a from the engine  2s",
                "* Installing b  2s",
                "* Reading c from the engine  1s",
                "  and 2 more",
            ]


def test_a_terminal_that_is_made_narrower_has_wrapped_the_lines(live: Any) -> None:
    shown = live()
    shown.stderr.write("$ debughost up\n")
    shown.progress.phase(PhaseKind.BUILD, "b" * 70)
    shown.passes(1)
    (line,) = [line for line in shown.stderr.lines if "b" * 70 in line]
    # Most terminals do so themselves.
    shown.stderr.screen.reset()
    shown.stderr.screen.resize(24, 40)
    shown.stderr.screen.set_mode(pyte.modes.LNM)
    shown.stderr.write(f"$ debughost up\n{line}")
    shown.passes(1)
    assert text_of(shown.stderr.lines) == ["$ debughost up", "* " + "b" * 32 + "…  2s"]


def test_no_color_moves_without_colours(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = live()
    shown.progress.phase(PhaseKind.BUILD, "Building")
    shown.passes(1)
    assert text_of(shown.stderr.lines) == ["* Building  1s"]
    assert "\x1b[3" not in shown.stderr.getvalue()


def test_an_encoding_without_the_signs_gets_others(live: Any) -> None:
    stderr = Screen()
    stderr.encoding = "ascii"
    shown = Shown(stderr)
    shown.progress.phase(PhaseKind.BUILD, "b" * 100)
    shown.passes(1)
    shown.progress.done()
    assert shown.stderr.getvalue().isascii()
    assert shown.stderr.lines == [f"* {'b' * 70}.  1.0s"]


# Lines


def test_phases_are_lines_where_nobody_watches() -> None:
    shown = Shown(io.StringIO(), PlainLines)
    shown.progress.phase(PhaseKind.ENGINE, "Waiting for the engine")
    shown.progress.phase(PhaseKind.BUILD, "Building\x1b[2J\nx")
    shown.progress.detail("layer 1")
    shown.progress.done()
    assert shown.stderr.getvalue() == "Building\\x1b[2J\\nx\n"
    assert shown.streams.stdout.getvalue() == ""  # type: ignore[attr-defined]


def test_a_long_phase_has_a_line_every_ten_seconds() -> None:
    shown = Shown(io.StringIO(), PlainLines)
    shown.progress.phase(PhaseKind.INSTALL, "Installing")
    shown.passes(8, every=0.25)
    shown.progress.detail("fetching express\n")
    shown.passes(14, every=0.25)
    shown.progress.phase(PhaseKind.WAIT, "Waiting")
    shown.passes(0.5)
    shown.progress.done(ok=False)
    assert shown.stderr.getvalue().splitlines() == [
        "Installing",
        "Installing (9s): fetching express",
        "Installing (19s): fetching express",
        "Installing: done after 22.0s",
        "Waiting",
    ]


def test_a_slow_engine_is_worth_a_line_after_ten_seconds() -> None:
    shown = Shown(io.StringIO(), PlainLines)
    with shown.progress.task("shop"):
        shown.passes(8)
    shown.passes(10)
    assert shown.stderr.getvalue().splitlines() == ["Waiting for the engine (9s)"]


def test_what_is_undone_is_no_line_of_its_own() -> None:
    shown = Shown(io.StringIO(), PlainLines)
    shown.progress.phase(PhaseKind.CREATE, "Creating")
    shown.progress.phase(PhaseKind.ROLLBACK, "Undoing")
    shown.passes(3)
    shown.progress.done()
    assert shown.stderr.getvalue() == "Creating\n"


def test_a_failed_phase_is_said_to_have_failed() -> None:
    shown = Shown(io.StringIO(), PlainLines)
    shown.progress.phase(PhaseKind.INSTALL, "Installing")
    shown.passes(2)
    shown.progress.done(ok=False)
    assert shown.stderr.getvalue().splitlines() == ["Installing", "Installing: failed after 2.0s"]


def test_verbose_shows_all_output() -> None:
    streams = Streams(io.StringIO(), io.StringIO(), io.StringIO())
    progress = TalkingProgress(streams, PlainLines(streams, verbose=True), verbose=True)
    progress.phase(PhaseKind.BUILD, "Building")
    progress.detail("layer 1\nlayer 2")
    progress.trace("GET /info")
    progress.done()
    lines = streams.stderr.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[:3] == ["Building", "  layer 1", "  layer 2"]
    assert lines[3].endswith("ms] GET /info")


# JSON


def documents(shown: Shown) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shown.stderr.getvalue().splitlines()]


def test_each_event_is_a_line_of_json() -> None:
    shown = Shown(io.StringIO(), JsonLines)
    with shown.progress.task("shop"):
        shown.progress.phase(PhaseKind.INSTALL, "Installing")
        shown.progress.detail("added 57 packages")
        shown.passes(12, every=0.25)
        shown.progress.notice("trying again")
    shown.streams.talk("Warning: w", "yellow")
    found = documents(shown)
    assert [d["type"] for d in found] == [
        "phase_started", "phase_ended", "phase_started", "phase_output", "phase_running", "notice",
        "phase_ended", "message",
    ]  # fmt: skip
    assert {d["schema_version"] for d in found} == {1}
    keys = {
        "type", "schema_version", "ts", "phase", "kind", "project", "message", "line",
        "duration_ms", "ok",
    }  # fmt: skip
    assert all(d.keys() == keys for d in found)
    assert found[3] | {"ts": ""} == {
        "type": "phase_output", "schema_version": 1, "ts": "", "phase": 2, "kind": "install",
        "project": "shop", "message": "Installing", "line": "added 57 packages",
        "duration_ms": None, "ok": None,
    }  # fmt: skip
    assert found[4]["duration_ms"] == 9500
    assert (found[6]["duration_ms"], found[6]["ok"]) == (12000, True)
    assert found[7]["message"] == "Warning: w"
    assert found[7]["phase"] is None


# What is shown to nobody


def test_quiet_is_quiet() -> None:
    streams = Streams(io.StringIO(), io.StringIO(), io.StringIO())
    for quiet in (True, False):
        progress = TalkingProgress(streams, None, quiet=quiet)
        progress.phase(PhaseKind.BUILD, "a")
        progress.detail("b")
        progress.notice("c")
        progress.done()
        assert progress.output_after is None
        said = streams.stderr.getvalue()  # type: ignore[attr-defined]
        assert said == ("" if quiet else "c\n"), "without progress a notice is still one"


def test_who_is_muted_says_no_more(live: Any) -> None:
    shown = live()
    shown.progress.phase(PhaseKind.BUILD, "a")
    shown.passes(1)
    shown.progress.mute()
    before = shown.stderr.getvalue()
    shown.progress.phase(PhaseKind.BUILD, "b")
    shown.progress.notice("c")
    shown.passes(1)
    assert shown.stderr.getvalue() == before
    assert shown.stderr.lines == ["✓ a  1.0s"]


def test_warnings_are_kept_for_the_result() -> None:
    streams = Streams(io.StringIO(), io.StringIO(), io.StringIO())
    progress = TalkingProgress(streams, None)
    progress.warn("CODE", "words")
    assert progress.warnings == [Warn("CODE", "words")]
