"""Times as people and the engine write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.planning.log_times import SECOND, as_seconds, parse_time, to_ns

NOW = 1_800_000_000 * SECOND
DAY = 1_795_392_000  # 2026-11-23T00:00:00Z


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("TZ", "XXX-02:00")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172800), ("1w", 604800),
        ("1.5h", 5400), ("0s", 0), ("1d2h3m4s", 93784),
    ],
)  # fmt: skip
def test_spans_are_before_now(text: str, seconds: int) -> None:
    assert parse_time(text, NOW) == NOW - seconds * SECOND


def test_spans_below_a_second() -> None:
    assert parse_time("250ms", NOW) == NOW - SECOND // 4
    assert parse_time("0.000000001s", NOW) == NOW - 1


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-11-23T00:00:00Z", 0),
        ("2026-11-23T00:00:00.123456789Z", 123456789),
        ("2026-11-23T00:00:00.1234567899999Z", 123456789),
        ("2026-11-23T00:00:00.5z", SECOND // 2),
        ("2026-11-23 01:30:00+01:30", 0),
        ("2026-11-23t02:00:00", 0),
        ("2026-11-23T02:00", 0),
        ("2026-11-23T02:00:00.25", SECOND // 4),
        ("2026-11-23", -7200 * SECOND),
        (str(DAY), 0),
        (f"{DAY}.000000001", 1),
    ],
)
def test_moments(text: Any, ns: Any) -> None:
    assert parse_time(text, NOW) == DAY * SECOND + ns


@pytest.mark.parametrize("text", ["99999w", "1960-01-01T00:00:00Z", "0", "1969-12-31"])
def test_what_is_before_1970_is_1970(text: str) -> None:
    assert parse_time(text, NOW) == 0


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "soon", "10", "-5m", "1x", "m", "5 m", "1h-3m", "2026-13-01", "2026-02-30",
        "2026-11-23T24:01:00Z", "2026-11-23T10:00:61Z", "2026-11-23T10", "23.11.2026", "1e9",
        "٣m", "9" * 5000, "253402300800", "2026-11-23T10:00:00+25:00", "0001-01-01x", "1h30",
    ],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    if text == "10":  # A Unix time, however early.
        assert parse_time(text, NOW) == 10 * SECOND
        return
    with pytest.raises(ValueError, match=r".*"):
        parse_time(text, NOW)


@given(st.text(max_size=40))
def test_no_text_is_a_defect(text: Any) -> None:
    with suppress(ValueError):
        assert parse_time(text, NOW) >= 0


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), st.integers(0, 999_999_999))
def test_the_engines_stamps_are_exact(moment: Any, ns: Any) -> None:
    whole = moment.replace(microsecond=0, tzinfo=UTC)
    stamp = f"{whole:%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"
    assert to_ns(stamp) == int(whole.timestamp()) * SECOND + ns
    assert as_seconds(to_ns(stamp)) == Decimal(f"{int(whole.timestamp())}.{ns:09d}")


def test_a_stamp_with_an_offset() -> None:
    assert to_ns("2026-11-23T02:00:00.000000007+02:00") == DAY * SECOND + 7
