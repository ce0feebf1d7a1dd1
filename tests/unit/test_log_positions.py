"""The places up to which a log was read."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.planning.log_lines import joined
from debughost_cli.planning.log_positions import (
    ALL,
    SKEW,
    Position,
    PositionTracker,
    Skip,
    later,
    since,
)
from debughost_cli.planning.log_times import to_ns
from debughost_cli.resources import LogFragment, LogLine

BASE = to_ns("2026-11-23T10:15:00.000000000Z")


def stamp(number: int) -> str:
    return f"2026-11-23T10:15:00.{number:09d}Z"


def line(text: str, at: int = 0, stream: str = "stdout") -> LogLine:
    return LogLine(stream, text.encode(), stamp(at))


def fragment(text: str, at: int = 0, stream: str = "stdout") -> LogFragment:
    return LogFragment(stream, text.encode(), stamp(at))


def shown(lines: list[LogFragment | LogLine]) -> dict[str, bytes]:
    """Each stream's bytes, as they would be printed."""
    made = {"stdout": b"", "stderr": b""}
    for item in lines:
        made[item.stream] += item.data + (b"" if isinstance(item, LogFragment) else b"\n")
    return made


def read(log: list[LogFragment | LogLine], start: dict[str, Position]) -> tuple[Any, ...]:
    """All of ``log`` that is new, and the place after it."""
    skip, tracker = Skip(start), PositionTracker(start)
    found = [rest for entry in log if (rest := skip.rest(entry))]
    for item in joined(found):
        tracker.note(item)
    return found, tracker.positions()


ENTRY = st.builds(
    lambda kind, text, stream, step: (kind, text, stream, step),
    st.sampled_from([LogLine, LogLine, LogFragment]),
    st.sampled_from(["", "a", "bc", "def"]),
    st.sampled_from(["stdout", "stderr"]),
    st.sampled_from([0, 0, 0, 1]),
)


def make_log(entries: list[tuple[Any, ...]]) -> list[LogFragment | LogLine]:
    """Entries as an engine has them: stamps that never go back, many of them alike."""
    at, log = 0, []
    for kind, text, stream, step in entries:
        at += step
        log.append(kind(stream, text.encode(), stamp(at)))
    return log


@given(st.lists(ENTRY, max_size=30), st.lists(st.integers(0, 30), max_size=5))
def test_nothing_twice_and_nothing_lost(entries: list[tuple[Any, ...]], cuts: list[int]) -> None:
    log = make_log(entries)
    positions: Any = {}
    seen = []
    for end in [*sorted(cuts), len(log)]:
        found, positions = read(log[:end], positions)
        seen += found
    assert shown(seen) == shown(log)


def test_an_end_that_comes_late_is_no_line() -> None:
    _, place = read([fragment("abc")], {})
    assert place == {"stdout": Position(BASE, 3, True)}
    (end,) = read([line("abc")], place)[0]
    assert end == LogFragment("stdout", b"\n", stamp(0))
    assert read([line("abc")], place)[1] == {"stdout": Position(BASE, 4, False)}


def test_the_rest_of_a_line() -> None:
    assert read([line("abcdef", 1)], {"stdout": Position(BASE + 1, 2, True)})[0] == [
        line("cdef", 1)
    ]


def test_what_carries_no_stamp_is_always_shown() -> None:
    words = LogLine("stderr", b"Error grabbing logs", "")
    found, place = read([words], {"stderr": Position(BASE, ALL)})
    assert found == [words]
    assert place == {"stderr": Position(BASE, ALL)}


def test_where_the_next_reading_begins() -> None:
    assert since({}) is None
    newest = BASE + 10 * SKEW
    out = {"stdout": Position(newest, 5)}
    assert since(out) == newest - SKEW
    assert since(out | {"stderr": Position(newest)}) == newest
    assert since(out | {"stderr": Position(BASE)}) == newest - SKEW
    assert since(out | {"stderr": Position(newest - 3)}) == newest - 3
    assert since(out | {"stderr": Position(BASE, 9, True)}) == BASE


def test_the_later_of_two_places() -> None:
    one = {"stdout": Position(5, 1), "stderr": Position(9)}
    two = {"stdout": Position(6), "stderr": Position(8, 3)}
    assert later(one, two) == {"stdout": Position(6), "stderr": Position(9)}
    assert later({}, two) == two


def test_all_ways_to_cut_a_long_line() -> None:
    """A line in three entries of one stamp, read in two or three goes."""
    log = [fragment("ab", 1), fragment("cd", 1), line("ef", 1), line("x", 1)]
    for first, second in itertools.combinations_with_replacement(range(5), 2):
        place: Any = {}
        seen = []
        for end in (first, second, 4):
            found, place = read(log[:end], place)
            seen += found
        assert shown(seen) == shown(log)
