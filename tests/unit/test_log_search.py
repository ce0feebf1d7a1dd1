"""Searching output in limited time, whatever the project writes."""

from __future__ import annotations

import re
import time

import pytest

from debughost_cli.errors import Usage
from debughost_cli.planning.log_options import LONGEST_SEARCHED, LogOptions, is_found
from debughost_cli.resources import LogLine
from debughost_cli.services.log_search import LIMIT, LogSearch


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        ("error.*timeout", b"error" * 300_000),
        ("a.*b", b"a" * 1_500_000),
        (r"x[^y]*y", b"x" * 10**6),
    ],
)
def test_a_line_as_long_as_the_project_likes_is_searched_at_once(
    expression: str, line: bytes
) -> None:
    started = time.thread_time()
    assert not is_found(re.compile(expression), line)
    assert time.thread_time() - started < 10


def test_the_beginning_of_a_long_line_is_searched() -> None:
    line = b"x" * 10_000 + b"found" + b"x" * 100_000
    assert is_found(re.compile("found"), line)
    assert not is_found(re.compile("found"), b"x" * LONGEST_SEARCHED + b"found")
    assert is_found(re.compile("end$"), b"the end\r")


def test_the_search_of_a_log_ends_when_it_took_too_long() -> None:
    now = iter(range(0, 10_000, 20))
    search = LogSearch(LogOptions(grep=re.compile("slow")), clock=lambda: float(next(now)))
    line = LogLine("stdout", b"slow" * 1000, "")
    assert search(line)
    with pytest.raises(Usage, match=rf"'slow' took more than {LIMIT:.0f} s"):
        search(line)


def test_short_lines_are_not_timed() -> None:
    search = LogSearch(LogOptions(grep=re.compile("a")), clock=lambda: pytest.fail("the clock"))
    assert search(LogLine("stdout", b"a", ""))
    assert not search(LogLine("stdout", b"b", ""))
    assert LogSearch(LogOptions(), clock=lambda: pytest.fail("the clock"))(
        LogLine("stdout", b"b" * 1000, "")
    )
