"""The last lines of output: at most 20, 8 KiB, and 1 KiB of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes.specs import make_container

from debughost_cli.planning.log_tail import BYTES, LINE_BYTES, LINES, start_of_run, tail
from debughost_cli.resources import ContainerStatus


def test_short_lines_stay_as_they_are() -> None:
    assert tail([b"one\r", "größer".encode(), b""]) == ("one", "größer", "")


def test_the_newest_20_are_kept() -> None:
    assert tail([b"%d" % n for n in range(50)]) == tuple(map(str, range(30, 50)))


def test_a_long_line_is_cut_and_says_so() -> None:
    (line,) = tail([b"x" * 5000])
    assert line == "x" * LINE_BYTES + " [cut: 5000 bytes]"


def test_a_line_of_exactly_the_limit_is_whole() -> None:
    assert tail([b"x" * LINE_BYTES]) == ("x" * LINE_BYTES,)


def test_no_character_is_cut_in_the_middle() -> None:
    (line,) = tail(["x€".encode() * 1000])
    assert "\ufffd" not in line
    assert line.endswith("[cut: 4000 bytes]")


@pytest.mark.parametrize("line", [b"x" * 100_000, b"\xff" * 1024, "€".encode() * 340])
def test_all_together_stay_within_8_kib(line: bytes) -> None:
    found = tail([line] * LINES)
    assert 4 < len(found) < LINES
    assert sum(len(f.encode()) for f in found) <= BYTES


def test_where_it_is_cut_the_oldest_lines_go() -> None:
    found = tail([b"%02d" % n + b"x" * 700 for n in range(LINES)])
    assert [f[:2] for f in found] == [f"{n:02d}" for n in range(LINES - len(found), LINES)]
    assert len(found) == BYTES // 702


def test_colours_are_left_out_and_other_codes_are_shown() -> None:
    line = "\x1b[1;31mError\x1b[0m:\x1b[2K \u202ehidden\x00 \x1b[38;2;1;2;3mmore\x1b[m"
    assert tail([line.encode()]) == (r"Error:\x1b[2K \u202ehidden\x00 more",)


def test_escapes_stay_within_the_limits() -> None:
    found = tail([b"\x00" * 1000] * LINES)
    assert all(line.endswith(" [cut: 1000 bytes]") for line in found)
    assert sum(len(line.encode()) for line in found) <= BYTES


STARTED = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "ended", "begin"),
    [
        ("running", None, -0.25),
        ("running", -3600, -0.25),
        ("running", -0.1, -0.1),
        ("exited", 60, -0.25),
        ("restarting", 0.01, -0.25),
    ],
)
def test_a_run_begins_after_the_end_of_the_one_before(
    status: str, ended: float | None, begin: float
) -> None:
    end = None if ended is None else STARTED + timedelta(seconds=ended)
    container = make_container(status=ContainerStatus(status), started_at=STARTED, finished_at=end)
    assert start_of_run(container) == STARTED.timestamp() + begin


def test_what_was_never_started_has_no_run() -> None:
    assert start_of_run(make_container(started_at=None)) is None
