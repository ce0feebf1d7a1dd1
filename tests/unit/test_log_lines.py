"""Whole lines from pieces, and the newest of them from the engine's tail."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.engine.docker.log_stream import ENTRY, bulk, entries, unchunked
from debughost_cli.planning import log_lines
from debughost_cli.planning.log_cursor import ALL, Position
from debughost_cli.planning.log_lines import ProjectLine, Window, joined, within
from debughost_cli.planning.log_times import to_ns
from debughost_cli.resources import LogFragment, LogLine

from .test_log_cursor import BASE, fragment, line, stamp


def everything(_: Any) -> Any:
    return True


# Lines
def test_pieces_of_one_stamp_are_one_line() -> None:
    assert list(joined([fragment("a"), fragment("b"), line("c"), line("d")])) == [
        line("abc"),
        line("d"),
    ]


def test_the_other_stream_is_not_in_the_way() -> None:
    items = [fragment("a"), line("e", 1, "stderr"), line("b")]
    assert list(joined(items)) == [line("e", 1, "stderr"), line("ab")]


def test_a_line_without_an_end_is_a_piece() -> None:
    assert list(joined([line("a"), fragment("b", 1), fragment("c", 1)])) == [
        line("a"),
        fragment("bc", 1),
    ]


def test_what_a_dead_run_left_is_not_the_next_runs_line() -> None:
    assert list(joined([fragment("half", 1), line("begin", 2)])) == [
        fragment("half", 1),
        line("begin", 2),
    ]


def test_an_engine_that_stamps_each_part_of_a_line() -> None:
    block = "x" * ENTRY
    (whole,) = joined([fragment(block, 1), fragment(block, 2), line("end", 3)])
    assert whole == line(block * 2 + "end", 1)


def test_a_line_that_is_too_long_comes_in_pieces() -> None:
    items = [fragment("abc", 1)] * 5 + [line("end", 1)]
    assert list(joined(items, longest=6)) == [
        fragment("abcabc", 1), fragment("abcabc", 1), line("abcend", 1)
    ]  # fmt: skip


# The newest
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
    monkeypatch.setattr(log_lines, "MOST", 7)
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


def test_the_newest_bytes() -> None:
    items = [ProjectLine("p", item) for item in LOG]
    assert within(items, 10_000) == (items, False)
    assert within(items, 8) == (items[-2:], True)
    assert within(items, 2) == ([ProjectLine("p", line("9", 99))], True)
    assert within(items, 1) == ([ProjectLine("p", line("", 99))], True)
    assert within([], 1) == ([], False)


# The engine's stream
def frame(stream: Any, data: Any) -> Any:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4) + data


PLAIN = [(1, b"one\n"), (1, b"two\n"), (2, b"oops\n"), (1, b"no end"), (2, b"\xff\n")]


@given(st.lists(st.integers(0, 70), max_size=6))
def test_bulk_keeps_every_byte_in_its_order(cuts: Any) -> None:
    raw = b"".join(frame(*item) for item in PLAIN)
    edges = [0, *sorted(cuts), len(raw)]
    chunks = [raw[a:b] for a, b in pairwise(edges)]
    runs = []
    for found in bulk(chunks):
        assert isinstance(found, LogFragment)
        if runs and runs[-1][0] == found.stream:
            runs[-1][1] += found.data
        else:
            runs.append([found.stream, found.data])
    assert runs == [
        ["stdout", b"one\ntwo\n"], ["stderr", b"oops\n"], ["stdout", b"no end"],
        ["stderr", b"\xff\n"],
    ]  # fmt: skip


CHUNKED = b"3\r\nabc\r\n1A\r\n" + b"x\r\n" * 8 + b"yz" + b"\r\n0\r\n\r\n"


@given(st.lists(st.integers(0, len(CHUNKED)), max_size=10))
def test_an_answer_in_chunks(cuts: Any) -> None:
    edges = [0, *sorted(cuts), len(CHUNKED)]
    found = b"".join(unchunked(CHUNKED[a:b] for a, b in pairwise(edges)))
    assert found == b"abc" + b"x\r\n" * 8 + b"yz"


@pytest.mark.parametrize("end", range(len(CHUNKED) - 4))
def test_an_answer_that_breaks_off(end: Any) -> None:
    with pytest.raises(ConnectionError):
        list(unchunked([CHUNKED[:end]]))


def tty(text: bytes, at: int) -> bytes:
    return f"{stamp(at)} ".encode() + text


TERMINAL = b"".join(
    [
        tty(b"one\r\n", 1),
        tty(b"\n", 2),
        *[tty(b"x" * ENTRY, 3)] * 2,
        tty(b"end\r\n", 3),
        tty(b"y" * ENTRY, 4),
        tty(b"\n", 4),
        tty(b"z" * ENTRY, 5),
        tty(b"no end", 5),
    ]
)


@pytest.mark.parametrize("width", [1, 7, 31, 64, 4096, 16384, 16415, 10**6])
def test_long_lines_of_a_terminal(width: int) -> None:
    chunks = [TERMINAL[a : a + width] for a in range(0, len(TERMINAL), width)]
    found = list(joined(entries(chunks, tty=True, stamps=True)))
    assert [(item.data, to_ns(item.ts) - BASE) for item in found] == [
        (b"one\r", 1),
        (b"", 2),
        (b"x" * ENTRY * 2 + b"end\r", 3),
        (b"y" * ENTRY, 4),
        (b"z" * ENTRY + b"no end", 5),
    ]
    assert isinstance(found[-1], LogFragment)


def test_a_terminal_without_stamps() -> None:
    chunks = [b"one\r\ntw", b"o\n" + b"x" * 40000, b"y"]
    found = list(joined(entries(chunks, tty=True, stamps=False)))
    assert [item.data for item in found] == [b"one\r", b"two", b"x" * 40000 + b"y"]


def test_the_engines_own_words_have_no_stamp() -> None:
    chunks = [frame(2, b"Error grabbing logs: unexpected EOF\n")]
    (found,) = entries(chunks, tty=False, stamps=True)
    assert found == LogLine("stderr", b"Error grabbing logs: unexpected EOF", "")
