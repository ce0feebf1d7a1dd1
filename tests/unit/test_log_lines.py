"""Whole lines from pieces, and the newest of them from the engine's tail."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.engine.docker.log_stream import ENTRY, bulk, entries, unchunked
from debughost_cli.planning.log_lines import ProjectLine, joined, within
from debughost_cli.planning.log_times import to_ns
from debughost_cli.resources import LogFragment, LogLine

from .test_log_positions import BASE, fragment, line, stamp


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


def test_the_newest_bytes() -> None:
    items = [ProjectLine("p", line(str(n), n)) for n in range(100)]
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
    runs: list[list[Any]] = []
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
