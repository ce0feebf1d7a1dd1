"""The last lines, found in the engine's last entries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.engine.docker.log_stream import ENTRY
from debughost_cli.planning import log_window
from debughost_cli.planning.log_positions import ALL, Position
from debughost_cli.planning.log_window import Window
from debughost_cli.resources import LogFragment, LogLine

from .test_log_positions import BASE, fragment, line, stamp


def everything(_: Any) -> Any:
    return True


def look(log: Any, count: Any, requested: Any, start: Any = None, matches: Any = everything) -> Any:
    window = Window(count, requested, matches, start or {})
    window.read(log if count is None else log[-count:])
    return window.found()


LOG = [line(str(n), n) for n in range(100)]


def test_the_last_lines() -> None:
    found = look(LOG, 10, 3)
    assert list(found.lines) == LOG[-3:]
    assert found.positions == {
        "stdout": Position(BASE + 99, 3),
        "stderr": Position(BASE + 90, ALL),
    }


@pytest.mark.parametrize(("count", "requested"), [(10, 10), (10, 20), (1, 1), (1, 0)])
def test_a_window_that_is_too_small(count: int, requested: int) -> None:
    assert look(LOG, count, requested) is None


def test_a_window_that_holds_everything() -> None:
    assert list(look(LOG, 101, 200).lines) == LOG
    assert list(look(LOG, None, 200).lines) == LOG


def test_lines_of_one_stamp_fill_no_window() -> None:
    same = [line(str(n), 5) for n in range(50)]
    assert look(same, 20, 3) is None
    found = look(same, None, 3)
    assert list(found.lines) == same[-3:]
    assert found.positions["stdout"] == Position(BASE + 5, sum(len(str(n)) + 1 for n in range(50)))


def test_a_window_that_begins_within_a_line() -> None:
    log = [line("a", 1), *[fragment("x" * ENTRY, 2)] * 10, line("end", 2), line("b", 3)]
    assert look(log, 5, 2) is None
    assert [len(found.data) for found in look(log, 14, 2).lines] == [10 * ENTRY + 3, 1]


def test_a_window_that_reaches_back_to_the_start() -> None:
    start = {s: Position(BASE + 96) for s in ("stdout", "stderr")}
    assert list(look(LOG, 10, 50, start).lines) == LOG[96:]
    assert look(LOG, 4, 50, start) is None


def test_only_lines_that_match_count() -> None:
    found = look(LOG, 50, 2, matches=lambda item: item.data.endswith(b"7"))
    assert [item.data for item in found.lines] == [b"87", b"97"]
    assert look(LOG, 12, 2, matches=lambda item: item.data.endswith(b"7")) is None


def test_no_lines_but_a_place() -> None:
    found = look(LOG, 10, 0)
    assert not found.lines
    assert found.positions["stdout"] == Position(BASE + 99, 3)


def test_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_window, "MOST", 7)
    found = look(LOG, 50, 5)
    assert [item.data for item in found.lines] == [b"98", b"99"]
    assert found.truncated


@given(
    st.lists(
        st.tuples(st.sampled_from([LogLine, LogLine, LogFragment]), st.integers(0, 2)), max_size=40
    ),
    st.integers(1, 45),
    st.integers(0, 5),
)
def test_a_window_says_what_the_whole_log_says(steps: Any, count: Any, requested: Any) -> None:
    """Or that it cannot tell."""
    at, log = 0, []
    for kind, step in steps:
        at += step
        log.append(kind("stdout", b"x" * (at % 3), stamp(at)))
    found, whole = look(log, count, requested), look(log, None, requested)
    if found:
        assert found.lines == whole.lines
        assert found.positions["stdout"] == whole.positions["stdout"] if whole.positions else True
