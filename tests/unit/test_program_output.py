"""What a container prints while it is waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from debughost_cli.engine.port import LogQuery, LogsUnsupported, NotFound
from debughost_cli.errors import EngineTimeout
from debughost_cli.resources import LogLine
from debughost_cli.services.program_output import ProgramOutput
from debughost_cli.services.progress import NullProgress


class Engine:
    """Answers each request for the log with the next of ``answers``: lines, or an error."""

    def __init__(self, *answers: Sequence[bytes] | Exception) -> None:
        self.answers = list(answers)
        self.queries: list[LogQuery] = []
        self.over = threading.Event()

    @property
    def containers(self) -> Engine:
        return self

    def logs(self, ref: str, query: LogQuery) -> Iterator[LogLine]:
        self.queries.append(query)
        answer = self.answers.pop(0)
        if not self.answers:
            self.over.set()
        if isinstance(answer, Exception):
            raise answer
        for data in answer:
            yield LogLine("stdout", data)


class Lines(NullProgress):
    def __init__(self, after: float | None = 0.0) -> None:
        self.output_after = after
        self.seen: list[str] = []

    def detail(self, text: str) -> None:
        self.seen.append(text)


def read(engine: Any, progress: Lines, started: datetime | None = None) -> None:
    output = ProgramOutput(engine, "c1", progress, started)
    output.begin(0.6)
    output.begin(0.7)
    assert engine.over.wait(5)
    for thread in threading.enumerate():
        if "_read" in thread.name:
            thread.join(5)
    output.pass_on()
    output.close()


def test_lines_come_in_the_thread_that_waits() -> None:
    progress, started = Lines(), datetime(2026, 11, 23, tzinfo=UTC)
    engine = Engine([b"one", b"caf\xe9"])
    read(engine, progress, started)
    assert progress.seen == ["one", "caf\ufffd"]
    (query,) = engine.queries
    assert query.follow
    assert query.since == started.timestamp(), "not what an earlier run has printed"


def test_after_a_silence_it_is_followed_on() -> None:
    progress = Lines()
    engine = Engine(EngineTimeout("silence"), [b"more"])
    read(engine, progress)
    assert progress.seen == ["more"]
    assert [q.tail for q in engine.queries] == [20, 0]


@pytest.mark.parametrize("error", [NotFound("gone"), LogsUnsupported("none")])
def test_without_output_there_is_none(error: Exception) -> None:
    progress = Lines()
    read(Engine(error), progress)
    assert progress.seen == []


@pytest.mark.parametrize("after", [None, 8.0])
def test_nothing_is_requested_that_nobody_sees(after: float | None) -> None:
    engine: Any = Engine([b"line"])
    output = ProgramOutput(engine, "c1", Lines(after))
    output.begin(7.9)
    output.pass_on()
    assert engine.queries == []
