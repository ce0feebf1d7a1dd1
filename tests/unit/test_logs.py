"""Reading the logs of projects: what is there, what comes, and where the next reading continues."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fake_clock import FakeClock
from fakes import FakeEngine, make_spec, never_listens

from debughost_cli import names
from debughost_cli.engine.port import LogQuery, LogsUnsupported
from debughost_cli.errors import (
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    ProjectNotFound,
    Usage,
)
from debughost_cli.models import RestartPolicy
from debughost_cli.planning.log_cursor import decode
from debughost_cli.planning.log_lines import ProjectLine
from debughost_cli.planning.log_options import LogOptions
from debughost_cli.planning.log_times import SECOND
from debughost_cli.resources import FileEntry, LogLine
from debughost_cli.services.bounded_queue import BoundedQueue, QueueClosed
from debughost_cli.services.lock import project_lock
from debughost_cli.services.logs import LogReading, LogService

READ_LOGS = "containers._logs"
"""The fake engine's name for the request."""


Start = Callable[..., str]


@pytest.fixture
def engine() -> FakeEngine:
    made = FakeEngine()
    made.add_base_images()
    made.add_network(names.NETWORK, names.SUBNET)
    made.program = never_listens()
    return made


@pytest.fixture
def start(engine: FakeEngine) -> Start:
    def make(project: str = "shop", port: int = 3000, **changes: Any) -> str:
        """A container that runs and has written nothing."""
        image = next(iter(engine.stored_images))
        labels = {names.MANAGED: "true", names.PROJECT: project}
        spec = make_spec("/", project=project, port=port, image=image, labels=labels, **changes)
        ref = engine.containers.create(f"debug-host-{project}-{len(engine.calls)}", spec)
        engine.containers.put_files(ref, [FileEntry(names.LAUNCHER, b"")])
        engine.containers.start(ref)
        return ref

    return make


class Logs:
    """A service on the engine; ``clock`` moves when somebody sleeps."""

    def __init__(self, engine: FakeEngine) -> None:
        self.notices: list[str] = []
        self.clock = FakeClock()
        self._service = LogService(engine, self.notices.append, self.clock)

    def open(self, *projects: str, **options: Any) -> LogReading:
        return self._service.open(projects or ("shop",), LogOptions(**options))

    def read(self, *projects: str, **options: Any) -> list[str]:
        return texts(self.open(*projects, **options))


def texts(reading: LogReading) -> list[str]:
    return [item.line.data.decode() for item in reading if item]


@pytest.fixture
def logs(engine: FakeEngine) -> Logs:
    return Logs(engine)


def test_the_last_lines(engine: FakeEngine, start: Start, logs: Logs) -> None:
    engine.write_log(start(), *map(str, range(300)))
    assert logs.read(tail=3) == ["297", "298", "299"]
    assert logs.read(tail=0) == []
    assert logs.read(tail=None) == [str(n) for n in range(300)]
    assert logs.read(tail=20_000) == [str(n) for n in range(300)]


def test_the_last_lines_that_match_are_searched_further_and_further_back(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    engine.write_log(start(), "match one", "match two", *["no"] * 2500)
    assert logs.read(tail=2, grep=re.compile("^match")) == ["match one", "match two"]
    sizes = [c[2].tail for c in engine.calls if c[0] == READ_LOGS]
    assert sizes == [2_000, 16_000]


def test_a_time_span(engine: FakeEngine, start: Start, logs: Logs) -> None:
    ref = start()
    engine.write_log(ref, *map(str, range(5)))
    times = [datetime.fromisoformat(item.ts).timestamp() for item in engine.container("shop").log]
    since, until = (round(t * 10**6) * 1000 for t in (times[1], times[3]))
    assert logs.read(since=since, until=until) == ["1", "2", "3"]
    assert logs.read(since=since, tail=2) == ["3", "4"]


def test_plain_output_is_passed_on_as_it_comes(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    engine.write_log(start(), "one", "two")
    reading = logs.open(tail=None, whole=False, stamps=False)
    assert texts(reading) == ["one\n", "two\n"]
    assert reading.cursor is None


def test_several_projects_are_merged_by_time(engine: FakeEngine, start: Start, logs: Logs) -> None:
    one, two = start("one", 3001), start("two", 3002)
    engine.write_log(one, "1")
    engine.write_log(two, "2")
    engine.write_log(one, "3")
    assert [(i.project, i.line.data) for i in logs.open("one", "two") if i] == [
        ("one", b"1"), ("two", b"2"), ("one", b"3"),
    ]  # fmt: skip


def test_the_newest_bytes(engine: FakeEngine, start: Start, logs: Logs) -> None:
    engine.write_log(start(), "aaaa", "bbbb", "cccc")
    reading = logs.open(max_bytes=10)
    assert texts(reading) == ["bbbb", "cccc"]
    assert reading.truncated


def test_a_cursor_continues_where_the_last_reading_ended(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "one", "two")
    first = logs.open()
    assert first.cursor is None
    assert texts(first) == ["one", "two"]
    after = decode(first.cursor)
    assert logs.read(after=after, tail=None) == []
    engine.write_log(ref, "three")
    engine.write_log(ref, "four", stream="stderr")
    assert logs.read(after=after, tail=None) == ["three", "four"]


def rotate(engine: FakeEngine, ref: str, count: int) -> None:
    """The engine removes the oldest entries of a log that has become too large."""
    del engine.stored_containers[ref].log[:count]


def test_a_cursor_whose_place_was_rotated_away_says_what_may_be_lost(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "one")
    first = logs.open()
    assert texts(first) == ["one"]
    engine.write_log(ref, "two", "three")
    rotate(engine, ref, 2)
    second = logs.open(after=decode(first.cursor), tail=None)
    assert texts(second) == ["three"]
    (gap,) = second.gaps
    assert (gap.project, gap.since < gap.until) == ("shop", True)
    assert "shop: what it wrote between" in gap.message
    assert logs.read(after=decode(second.cursor), tail=None) == []


def test_a_cursor_whose_place_is_still_there_has_lost_nothing(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "one", "two")
    first = logs.open()
    assert texts(first) == ["one", "two"]
    rotate(engine, ref, 1)
    engine.write_log(ref, "three")
    second = logs.open(after=decode(first.cursor), tail=None)
    assert (texts(second), list(second.gaps)) == (["three"], [])
    since = logs.open(since=0, tail=None)
    assert (texts(since), list(since.gaps)) == (["two", "three"], [])


def test_a_cursor_is_of_one_container(engine: FakeEngine, start: Start, logs: Logs) -> None:
    ref = start()
    engine.write_log(ref, "one")
    reading = logs.open()
    texts(reading)
    after = decode(reading.cursor)
    engine.containers.remove(ref, force=True)
    start()
    with pytest.raises(Usage, match="was recreated since"):
        logs.open(after=after)
    start("other", 3001)
    with pytest.raises(Usage, match="not of project other but of shop"):
        logs.open("other", after=after)


def test_a_project_that_is_not_there(start: Start, logs: Logs) -> None:
    start("other")
    with pytest.raises(ProjectNotFound) as caught:
        logs.open()
    assert caught.value.details["known"] == ["other"]


def test_a_container_that_goes_away_before_it_is_read(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    reading = logs.open()
    engine.containers.remove(ref, force=True)
    with pytest.raises(ProjectNotFound):
        texts(reading)


def test_a_logging_driver_that_keeps_nothing(engine: FakeEngine, start: Start, logs: Logs) -> None:
    start()
    engine.fail(READ_LOGS, LogsUnsupported("configured logging driver does not support reading"))
    with pytest.raises(EngineError, match="the output of shop cannot be read") as caught:
        logs.read()
    assert "--recreate" in caught.value.hint


class Following:
    """Reads on in the test's own thread; ``at_line`` is called when a line has come."""

    def __init__(self, reading: LogReading) -> None:
        self.reading = reading
        self.seen: list[str] = []

    def run(self, **at_line: Callable[[], None]) -> list[str]:
        """All lines until the projects end."""
        for item in self.reading:
            if item:
                text = item.line.data.decode()
                self.seen.append(text)
                at_line.get(text, lambda: None)()
        return self.seen


def follow(logs: Logs, *projects: str, **options: Any) -> Following:
    return Following(logs.open(*projects, follow=True, **options))


def test_following_ends_with_the_project_and_its_reason(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "old", "one")

    def write() -> None:
        engine.write_log(ref, "two")
        engine.write_log(ref, "three", stream="stderr")

    followed = follow(logs, tail=1)
    assert followed.run(one=write, three=lambda: engine.crash(ref, 3)) == ["one", "two", "three"]
    assert followed.reading.exits["shop"].code == 3
    assert logs.notices == ["shop: ended by itself with exit code 3"]
    assert logs.read(after=decode(followed.reading.cursor), tail=None) == []


def test_following_shows_only_lines_that_match(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "begin")
    followed = follow(logs, grep=re.compile("[in]$"))

    def write() -> None:
        engine.write_log(ref, "no", "again", "other")
        engine.crash(ref)

    assert followed.run(begin=write) == ["begin", "again"]


def test_following_several_ends_with_the_last(engine: FakeEngine, start: Start, logs: Logs) -> None:
    one, two = start("one", 3001), start("two", 3002)
    engine.write_log(one, "a")
    engine.write_log(two, "b")

    def end_both() -> None:
        engine.crash(one, 1)
        engine.crash(two, 2)

    followed = follow(logs, "one", "two")
    assert sorted(followed.run(b=end_both)) == ["a", "b"]
    assert {p: e.code for p, e in followed.reading.exits.items()} == {"one": 1, "two": 2}


def test_following_ends_with_a_removal(engine: FakeEngine, start: Start, logs: Logs) -> None:
    ref = start()
    engine.write_log(ref, "one")
    followed = follow(logs)
    followed.run(one=lambda: engine.containers.remove(ref, force=True))
    assert followed.reading.exits == {"shop": None}
    assert logs.notices == ["shop: its container was removed"]


def test_much_followed_output_is_read_anew_and_loses_nothing(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    """An engine's own following skips and repeats what it rotates."""
    ref = start()
    engine.write_log(ref, "begin")
    expected = [f"{n} " + "x" * 10_000 for n in range(1200)]

    def write() -> None:
        engine.write_log(ref, *expected)

    followed = follow(logs, tail=1)
    seen = followed.run(begin=write, **{expected[-1]: lambda: engine.crash(ref, 0)})
    assert seen == ["begin", *expected]
    queries = [call[2] for call in engine.calls if call[0] == READ_LOGS]
    # The first reading, then at least two windows, each with a reading of all that is there.
    assert len([q for q in queries if q.follow]) >= 3
    assert len([q for q in queries if not q.follow]) >= 3


def test_following_continues_after_a_restart(engine: FakeEngine, start: Start, logs: Logs) -> None:
    """By the restart policy, or by an engine that has itself been restarted."""
    ref = start(restart=RestartPolicy.parse("always"))
    engine.write_log(ref, "one")

    def nap(seconds: float) -> None:
        container = engine.stored_containers[ref]
        if len(logs.clock.slept) == 1:
            container.status = "restarting"
        elif container.status == "restarting":
            container.status = "exited"
            engine.containers.start(ref)
            engine.write_log(ref, "two")

    def end() -> None:
        # Without a policy, so that nothing is waited for.
        container = engine.stored_containers[ref]
        container.spec = make_spec("/", labels=container.spec.labels)
        engine.crash(ref, 5)

    logs.clock.on_sleep = nap
    followed = follow(logs)
    assert followed.run(one=lambda: engine.crash(ref), two=end) == ["one", "two"]
    assert followed.reading.exits["shop"].code == 5
    assert logs.clock.slept == [0.2, 0.2, 0.2]


def test_following_waits_a_moment_for_a_restart_policy(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start(restart=RestartPolicy.parse("always"))
    engine.write_log(ref, "one")
    follow(logs).run(one=lambda: engine.containers.stop(ref, 1))
    assert 1 <= sum(logs.clock.slept) < 1.5
    assert "SIGTERM" in logs.notices[0]


class Command:
    """A command of this user on this machine: it has the project's lock while it stops the
    container, then does one of ``after`` each time the reader sleeps, and ends with the last.
    """

    def __init__(self, engine: FakeEngine, logs: Logs, *after: Callable[[], object]) -> None:
        self._engine = engine
        self._left = list(after)
        self._next, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._is_stopped = threading.Event()
        logs.clock.on_sleep = self._step

    def run(self, ref: str) -> None:
        threading.Thread(target=self._run, args=(ref,), daemon=True).start()
        self._is_stopped.wait(10)

    def _run(self, ref: str) -> None:
        with project_lock(self._engine.identity(), "shop", on_wait=lambda *_: None):
            self._engine.containers.stop(ref, 1)
            self._is_stopped.set()
            while self._left:
                self._next.acquire(timeout=10)
                self._left.pop(0)()
                self._done.release()

    def _step(self, _: float) -> None:
        if self._left:
            self._next.release()
            self._done.acquire(timeout=10)


def long() -> None:
    """A step that takes the time of one sleep."""


def test_following_goes_on_when_a_command_starts_the_container_again(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "one")

    def start_again() -> None:
        engine.containers.start(ref)
        engine.write_log(ref, "two")

    restart = Command(engine, logs, *[long] * 20, start_again)
    followed = follow(logs)
    seen = followed.run(one=lambda: restart.run(ref), two=lambda: engine.crash(ref, 5))
    assert seen == ["one", "two"]
    assert logs.notices == ["shop: ended by itself with exit code 5"]
    assert sum(logs.clock.slept) > 4


def test_following_goes_on_in_the_container_that_takes_the_place(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "one")

    def replace_it() -> None:
        engine.containers.remove(ref)
        engine.write_log(start(), "two", "three")

    followed = follow(logs, whole=True)
    recreate = Command(engine, logs, long, replace_it, long)
    seen = followed.run(
        one=lambda: recreate.run(ref), three=lambda: engine.crash(engine.container("shop").id, 5)
    )
    assert seen == ["one", "two", "three"]
    assert followed.reading.exits["shop"].code == 5
    assert logs.notices[0] == "shop: goes on in a new container"
    assert logs.read(after=decode(followed.reading.cursor), tail=None) == []


def test_following_comes_back_where_a_new_container_fails(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "one")
    failed: list[str] = []

    def begin() -> None:
        failed.append(start())
        engine.write_log(failed[0], "fails")
        engine.crash(failed[0])

    def roll_back() -> None:
        engine.containers.remove(failed[0])
        engine.containers.start(ref)
        engine.write_log(ref, "two")

    followed = follow(logs)
    recreate = Command(engine, logs, begin, long, roll_back, long)
    seen = followed.run(one=lambda: recreate.run(ref), two=lambda: engine.crash(ref, 5))
    assert seen == ["one", "fails", "two"]
    assert followed.reading.exits["shop"].code == 5


def test_following_ends_at_once_with_the_command_that_stops_or_removes_it(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "one")
    follow(logs).run(one=lambda: Command(engine, logs, long).run(ref))
    assert sum(logs.clock.slept) < 0.5
    assert "SIGTERM" in logs.notices[0]


def test_following_waits_a_moment_for_somebody_elsewhere(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "one")

    def nap(_: float) -> None:
        if len(logs.clock.slept) == 2:
            engine.containers.start(ref)
            engine.write_log(ref, "two")

    logs.clock.on_sleep = nap
    followed = follow(logs)
    seen = followed.run(
        one=lambda: engine.containers.stop(ref, 1), two=lambda: engine.crash(ref, 5)
    )
    assert seen == ["one", "two"]


@pytest.mark.parametrize(
    ("error", "notices"),
    [
        (EngineUnavailable("no engine answers"), 1),
        (EngineTimeout("silence"), 0),
        (ProjectNotFound("gone"), 0),
    ],
)
def test_a_stream_that_breaks_is_opened_again_and_nothing_is_lost(
    engine: FakeEngine, start: Start, logs: Logs, error: Exception, notices: int
) -> None:
    ref = start()
    engine.write_log(ref, "one")

    def break_stream() -> None:
        engine.fail(READ_LOGS, error, times=2)

    def nap(seconds: float) -> None:
        if len(logs.clock.slept) == 1:
            engine.write_log(ref, "two")

    logs.clock.on_sleep = nap
    followed = follow(logs)
    reading = iter(followed.reading)
    assert next(reading).line.data == b"one"
    break_stream()
    found = [i.line.data for i in take_until(reading, b"two")]
    assert found == [b"two"]
    assert len([n for n in logs.notices if "reading continues from there" in n]) == 2 * notices
    engine.crash(ref)
    assert [i for i in reading if i] == []


def take_until(reading: Iterator[ProjectLine | None], data: bytes) -> list[ProjectLine]:
    found: list[ProjectLine] = []
    for item in reading:
        found += [item] if item else []
        if item and item.line.data == data:
            return found
    return found


def test_a_failure_that_does_not_pass_ends_following(
    engine: FakeEngine, start: Start, logs: Logs
) -> None:
    ref = start()
    engine.write_log(ref, "one")
    followed = follow(logs)
    engine.fail("containers.inspect", EngineError("what?"))
    with pytest.raises(EngineError, match="what"):
        followed.run(one=lambda: engine.crash(ref))


def test_following_ends_at_its_until(engine: FakeEngine, start: Start, logs: Logs) -> None:
    ref = start()
    engine.write_log(ref, "one")
    until = round((datetime.now(UTC) + timedelta(seconds=60)).timestamp()) * SECOND
    engine.lose_answer(READ_LOGS, EngineTimeout("silence"), times=1000, when=is_following)
    followed = follow(logs, until=until)
    assert followed.run() == ["one"]
    assert followed.reading.exits == {"shop": None}
    assert logs.clock.monotonic() > 55


def is_following(ref: str, query: LogQuery) -> bool:
    return query.follow


def test_its_threads_end_with_it(engine: FakeEngine, start: Start, logs: Logs) -> None:
    engine.write_log(start(), "one")
    before = set(threading.enumerate())
    reading = iter(follow(logs).reading)
    assert isinstance(reading, Generator)
    while next(reading):
        pass
    next(reading)
    (thread,) = set(threading.enumerate()) - before
    reading.close()
    engine.write_log(engine.container("shop").id, "two")
    thread.join(10)
    assert not thread.is_alive()


def test_a_full_queue_holds_its_writers_until_it_is_drained() -> None:
    queue: BoundedQueue[str] = BoundedQueue(limit=3)
    queue.put("a", 4)
    written = threading.Event()

    def write() -> None:
        queue.put("b", 4)
        written.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert not written.wait(0.05)
    assert queue.drain(5) == ["a"]
    assert written.wait(5)
    assert queue.drain(5) == ["b"]
    assert queue.drain(0) == []
    thread.join()


def test_a_closed_queue_holds_nobody() -> None:
    queue: BoundedQueue[LogLine] = BoundedQueue(limit=0)
    queue.put(LogLine("stdout", b""), 1)
    raised = threading.Event()

    def write() -> None:
        with pytest.raises(QueueClosed):
            queue.put(LogLine("stdout", b""), 1)
        raised.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert not raised.wait(0.05)
    queue.close()
    assert raised.wait(5)
    thread.join()
