"""The engine's log stream, however it is cut."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.engine.docker.log_stream import lines
from debughost_cli.engine.port import LogQuery

STAMP = "2026-11-23T10:15:00.123456789Z"


class Body:
    """An HTTP body that arrives in the given chunks."""

    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self.chunks = [c for c in chunks if c]

    def stream(self, amt: int, decode_content: bool | None = None) -> Iterator[bytes]:
        yield from self.chunks

    def read(self, amt: int, decode_content: bool | None = None) -> bytes:
        """As urllib3's, but for chunks that are shorter than requested."""
        return self.chunks.pop(0) if self.chunks else b""


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def stamped(text: bytes) -> bytes:
    return f"{STAMP} ".encode() + text


def read(*chunks: bytes, tty: bool = False, **query: Any) -> list[tuple[str, bytes, str]]:
    both = [
        [
            (line.stream, line.data, line.ts)
            for line in lines(Body(chunks), LogQuery(follow=follow, **query), tty=tty)
        ]
        for follow in (True, False)
    ]
    assert both[0] == both[1]
    return both[0]


def out(data: bytes) -> tuple[str, bytes, str]:
    return ("stdout", data, STAMP)


def err(data: bytes) -> tuple[str, bytes, str]:
    return ("stderr", data, STAMP)


RAW = (
    frame(1, stamped(b"first\n"))
    + frame(2, stamped(b"oops\n"))
    + frame(1, stamped("zwölf € 文\n".encode()))
    + frame(1, stamped(b"\n"))
    + frame(2, stamped(b"last, without an end"))
)
EXPECTED = [
    out(b"first"),
    err(b"oops"),
    out("zwölf € 文".encode()),
    out(b""),
    err(b"last, without an end"),
]


def test_whole_frames() -> None:
    assert read(RAW) == EXPECTED


def test_a_cut_at_any_byte_changes_nothing() -> None:
    for cut in range(len(RAW) + 1):
        assert read(RAW[:cut], RAW[cut:]) == EXPECTED, cut


def test_byte_by_byte() -> None:
    assert read(*[bytes([b]) for b in RAW]) == EXPECTED


@given(st.lists(st.integers(0, len(RAW)), max_size=10))
def test_any_cuts_change_nothing(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(RAW)]
    assert read(*[RAW[a:b] for a, b in itertools.pairwise(edges)]) == EXPECTED


def test_a_line_over_several_frames_is_one_line() -> None:
    """The engine cuts lines at 16 KiB, and stamps each part as the first."""
    parts = [stamped(b"a" * 16384), stamped(b"b" * 16384), stamped(b"c\n")]
    (found,) = read(b"".join(frame(1, p) for p in parts))
    assert found == out(b"a" * 16384 + b"b" * 16384 + b"c")


def test_the_two_streams_do_not_cut_each_others_lines() -> None:
    raw = frame(1, stamped(b"half ")) + frame(2, stamped(b"whole\n"))
    raw += frame(1, stamped(b"line\n"))
    assert sorted(read(raw), key=lambda line: line[0]) == [err(b"whole"), out(b"half line")]


def test_several_lines_in_a_frame() -> None:
    raw = frame(1, stamped(b"one\ntwo\n"))
    assert read(raw) == [out(b"one"), out(b"two")]


def test_bytes_that_are_no_text_are_kept() -> None:
    assert read(frame(1, stamped(b"\xff\xfe\x00\n"))) == [out(b"\xff\xfe\x00")]


def test_a_terminal_has_no_frames() -> None:
    raw = stamped(b"one\r\n") + stamped(b"two")
    found = read(raw[:10], raw[10:], tty=True)
    assert found == [out(b"one\r"), out(b"two")]


@pytest.mark.parametrize("raw", [b"", b"\x01\x00\x00", RAW[:4], frame(1, b"")])
@pytest.mark.parametrize("tty", [True, False])
def test_a_stream_that_ends_in_the_middle_of_nothing(raw: bytes, tty: bool) -> None:
    read(raw, tty=tty)


@given(st.lists(st.binary(max_size=50)), st.booleans())
def test_garbage_is_no_reason_to_fail(chunks: list[bytes], tty: bool) -> None:
    for stream, _, _ in read(*chunks, tty=tty):
        assert stream in ("stdout", "stderr")


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=30))))
def test_no_byte_of_whole_lines_is_lost(items: list[tuple[int, bytes]]) -> None:
    items = [(s, data.replace(b"\n", b" ")) for s, data in items]
    raw = b"".join(frame(s, stamped(data + b"\n")) for s, data in items)
    names = {1: "stdout", 2: "stderr"}
    assert read(raw) == [(names[s], data, STAMP) for s, data in items]


def test_unknown_streams_are_not_lost() -> None:
    assert read(frame(3, stamped(b"systemerr\n"))) == [err(b"systemerr")]
