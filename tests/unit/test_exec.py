"""The engine's frames, and the wrapper's first line."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.engine.docker.demultiplex import Demultiplexer, stream_name
from debughost_cli.engine.port import OnOutput
from debughost_cli.services.exec_header import Header

Pieces = list[tuple[str, bytes]]


def collector() -> tuple[Pieces, OnOutput]:
    found: Pieces = []
    return found, lambda stream, data: found.append((stream, bytes(data)))


def joined(fragments: Pieces, stream: str) -> bytes:
    return b"".join(data for name, data in fragments if name == stream)


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(p % (len(data) + 1) for p in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


frames = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=8)
places = st.lists(st.integers(0, 1000), max_size=12)


def fed(wire: Sequence[bytes], *, partial: bool) -> Pieces:
    demultiplexer = Demultiplexer(partial=partial)
    return [
        (stream_name(number), bytes(data))
        for fragment in wire
        for number, data in demultiplexer.feed(memoryview(fragment))
    ]


@given(frames, places, st.booleans())
def test_frames_survive_any_cut(
    sent: list[tuple[int, bytes]], where: list[int], partial: bool
) -> None:
    wire = b"".join(struct.pack(">BxxxL", number, len(data)) + data for number, data in sent)
    found = fed(cut(wire, where), partial=partial)
    for number, name in ((1, "stdout"), (2, "stderr")):
        assert joined(found, name) == b"".join(data for n, data in sent if n == number)
    if not partial:
        assert [data for _, data in found] == [data for _, data in sent]


@pytest.mark.parametrize(("partial", "found"), [(True, [("stderr", b"half")]), (False, [])])
def test_what_has_arrived_of_a_frame_is_returned_only_where_that_is_requested(
    partial: bool, found: Pieces
) -> None:
    assert fed([struct.pack(">BxxxL", 2, 9) + b"half"], partial=partial) == found


class Pids(list[int]):
    """Keeps what it is called with."""

    def __call__(self, pid: int) -> None:
        self.append(pid)


@given(st.binary(max_size=60), places, st.sampled_from([b"\n", b"\r\n"]))
def test_the_first_line_is_not_output(output: bytes, where: list[int], end: bytes) -> None:
    found, take = collector()
    pids = Pids()
    head = Header(take, pids)
    for fragment in cut(b"debughost 4711" + end + output, where):
        head("stdout", memoryview(fragment))
    assert pids == [4711]
    assert joined(found, "stdout") == output
    assert (head.refusal, head.text) == (0, "")


def test_stderr_does_not_wait_for_the_first_line() -> None:
    found, take = collector()
    head = Header(take, Pids())
    head("stderr", memoryview(b"early"))
    assert found == [("stderr", b"early")]


@pytest.mark.parametrize("code", [126, 127])
def test_the_wrapper_reports_that_there_is_no_command(code: int) -> None:
    found, take = collector()
    pids = Pids()
    head = Header(take, pids)
    head("stdout", memoryview(b"debughost -%d\n" % code))
    assert (head.refusal, pids, found) == (code, [], [])


@pytest.mark.parametrize(
    "text",
    [
        b"unable to find user nosuch: no matching entries in passwd file\r\n",
        b"OCI runtime exec failed",
        b"debughost is not here\n",
    ],
)
def test_an_engines_refusal_is_not_output(text: bytes) -> None:
    found, take = collector()
    head = Header(take, Pids())
    for byte in text:
        head("stdout", memoryview(bytes([byte])))
    assert head.text == text.decode().strip()
    assert found == []


def test_the_text_of_a_refusal_is_limited() -> None:
    head = Header(collector()[1], Pids())
    for _ in range(100):
        head("stdout", memoryview(b"x" * 10_000))
    assert len(head.text) == 65536


def test_what_the_receiver_raises_passes_through() -> None:
    def broken(stream: str, data: memoryview) -> None:
        raise BrokenPipeError

    take: Callable[[str, memoryview], None] = Header(broken, Pids())
    with pytest.raises(BrokenPipeError):
        take("stdout", memoryview(b"debughost 1\nmore"))
