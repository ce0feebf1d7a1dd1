"""The table of projects in terminals that are too narrow for it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from debughost_cli.models import Project, State, Stats
from debughost_cli.render.status import table

LONG = "a-rather-long-project-name"
RUNS = Project(
    "shop",
    state=State.RUNNING,
    ready=True,
    url="http://127.0.0.1:3000",
    port=3000,
    uptime_seconds=4384,
    stats=Stats(12.3, 2.0, 312 * 2**20, 2**31, 15.0, 12, 0, 0),
)
DEAD = Project(LONG, state=State.RESTARTING, url="http://127.0.0.1:5173", port=5173)


def drawn(width: int, history: dict[str, list[float]] | None = None) -> list[str]:
    text = io.StringIO()
    console = Console(file=text, width=width, highlight=False)
    console.print(table([RUNS, DEAD], width=width, pretty=True, history=history))
    return text.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (40, "PROJECT STATE"),
        (44, "PROJECT STATE PORT"),
        (60, "PROJECT STATE CPU PORT"),
        (80, "PROJECT STATE CPU MEMORY PORT UPTIME"),
        (200, "PROJECT STATE CPU MEMORY URL UPTIME"),
    ],
)
@pytest.mark.parametrize("history", [None, {"shop": [10.0] * 30}])
def test_the_id_and_the_state_are_the_last_to_go(
    width: int, headings: str, history: dict[str, list[float]] | None
) -> None:
    lines = drawn(width, history)
    assert len(lines) == 3, "nothing is folded"
    assert lines[0].split() == headings.split()
    assert lines[1].split()[:2] == ["shop", "running"]
    assert lines[2].split()[:2] == [LONG, "restarting"]
    assert "…" not in "".join(lines)


def test_an_id_that_is_longer_than_the_line_is_folded() -> None:
    lines = drawn(24)
    assert "".join(line[:12].strip() for line in lines[2:]) == LONG
    assert "restarting" in lines[2]


@pytest.mark.parametrize(("width", "marks"), [(200, 30), (85, 7), (80, 0)])
def test_a_sparkline_shortens_before_a_column_goes(width: int, marks: int) -> None:
    lines = drawn(width, {"shop": [199.0] * 30})
    assert lines[1].count("█") == marks
    assert "UPTIME" in lines[0]
