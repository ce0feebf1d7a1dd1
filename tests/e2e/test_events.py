"""``events`` on real engines: each change with its reason, also when the engine was away."""

from __future__ import annotations

import json
import os
import queue
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from .harness import Eye, Program, check_document, eventually, write
from .private_engine import Private
from .workspaces import PAGE

Event = dict[str, Any]


class Stream:
    """A running ``debughost events --json``; its lines are read as they come."""

    def __init__(self, run: Program, *args: str) -> None:
        self.process = run.start("events", "--json", *args)
        self.seen: list[Event] = []
        self._lines: queue.Queue[bytes] = queue.Queue()
        self.talk = b""
        readers = (self._read_events, self._read_talk)
        self._readers = [threading.Thread(target=r, daemon=True) for r in readers]
        for reader in self._readers:
            reader.start()

    def _read_events(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)

    def _read_talk(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.talk += line

    def next(self, timeout: float = 40) -> Event:
        self.seen.append(json.loads(self._lines.get(timeout=timeout)))
        return self.seen[-1]

    def until(self, *words: str, timeout: float = 40) -> list[Event]:
        """The events that come, up to the last of ``words`` in any order."""
        found: list[Event] = []
        missing = list(words)
        deadline = time.monotonic() + timeout
        while missing:
            found.append(self.next(max(0.1, deadline - time.monotonic())))
            if found[-1].get("event") in missing:
                missing.remove(found[-1]["event"])
        return found

    def end(self, with_signal: int = signal.SIGINT) -> tuple[int, list[Event], Event]:
        """Its exit code, all events that it reported, and its result."""
        self.process.send_signal(with_signal)
        code = self.process.wait(20)
        for reader in self._readers:
            reader.join(20)
        while not self._lines.empty():
            self.next()
        *reported, result = self.seen
        return code, reported, check_document(json.dumps(result), code)


Follow = Callable[..., Stream]


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Starts ``events``; returns once it surely follows, which a moment later it does."""
    streams: list[Stream] = []

    def begin(run: Program, *args: str) -> Stream:
        streams.append(Stream(run, *args))
        # It reports what happens after its first request, and nothing from before.
        time.sleep(run.slow(1))
        return streams[-1]

    yield begin
    for stream in streams:
        stream.process.kill()
        stream.process.wait()
        for pipe in (stream.process.stdout, stream.process.stderr):
            assert pipe
            pipe.close()


def event_names(events: list[Event]) -> list[str]:
    return [e["event"] for e in events]


def test_a_life_is_reported_from_start_to_removal(
    run: Program, project: str, tmp_path: Path, eye: Eye, follow: Follow
) -> None:
    stream = follow(run)
    run("up", "-p", project, "-w", write(tmp_path / "w", PAGE))
    container = eye.inspect(project)["Id"]
    eye.client.pause(container)
    eye.client.unpause(container)
    run("stop", "-p", project)
    run("up", "-p", project, "-w", tmp_path / "w")
    eye.client.kill(container)
    eventually(lambda: not eye.inspect(project)["State"]["Running"])
    run("rm", "-p", project)
    while (
        not stream.seen
        or stream.seen[-1]["project"] != project
        or (stream.seen[-1]["event"] != "removed")
    ):
        stream.next()
    code, reported, result = stream.end()
    assert code == 130
    assert result["error"]["code"] == "INTERRUPTED"
    reported = [e for e in reported if e["project"] == project]
    assert [w for w in event_names(reported) if w not in ("ready", "paused", "resumed")] == [
        "started", "stopped", "started", "crashed", "removed",
    ]  # fmt: skip
    assert event_names(reported).count("ready") == 2
    assert event_names(reported).index("paused") < event_names(reported).index("resumed")
    assert not any(e["missed"] for e in reported)
    exits = [e["exit"] for e in reported if e["exit"]]
    assert [(e["reason"], e["expected"]) for e in exits] == [("stopped", True), ("killed", False)]


def test_running_out_of_memory_is_reported_with_its_reason(
    run: Program, project: str, tmp_path: Path, follow: Follow
) -> None:
    stream = follow(run)
    greed = "import time; time.sleep(1); x = []\nwhile True: x.append(b'x' * 2**20)"
    folder = write(tmp_path / "w", {"main.py": greed, "requirements.txt": ""})
    run("up", "-p", project, "-w", folder, "--memory", "64m", "--no-wait", "--", "python",
        "main.py")  # fmt: skip
    while not [e for e in stream.seen if e["project"] == project and e["exit"]]:
        stream.next()
    reported = [e for e in stream.end()[1] if e["project"] == project]
    assert set(event_names(reported)) == {"started", "oom", "crashed"}
    assert reported[-1]["exit"]["reason"] == "oom"


@pytest.fixture
def checked_image(run: Program, eye: Eye) -> Iterator[str]:
    """The image for static sites with a check that fails where /tmp/ill is."""
    base = run.image("static")
    tag = f"debughost-test-{secrets.token_hex(4)}:1"
    text = f"FROM {base}\nHEALTHCHECK --interval=1s --timeout=5s --retries=1 CMD test ! -e /tmp/ill"
    for line in eye.client.build(fileobj=BytesIO(text.encode()), tag=tag, rm=True, decode=True):
        assert "error" not in line, line
    yield tag
    eye.client.remove_image(tag, force=True)


def test_health_is_reported_both_ways(
    run: Program, project: str, tmp_path: Path, eye: Eye, checked_image: str, follow: Follow
) -> None:
    folder = write(tmp_path / "w", PAGE)
    run("up", "-p", project, "-w", folder, "--type", "static", "--image", checked_image)
    stream = follow(run, "-p", project, "--since", "10m")
    stream.until("healthy")
    assert eye.exec(project, "touch", "/tmp/ill")[0] == 0
    stream.until("unhealthy")
    assert eye.exec(project, "rm", "/tmp/ill")[0] == 0
    stream.until("healthy")
    eye.remove(project)
    stream.until("removed")


def test_since_reports_history_once_and_only_of_those_named(
    private: Private, tmp_path: Path, follow: Follow
) -> None:
    run, one, two, other = private.run, "one", "two", "other"
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for name in (one, two, other):
        run("up", "-p", name, "-w", write(tmp_path / name, PAGE))
    run("stop", "-p", one)
    run("up", "-p", one, "-w", tmp_path / one)
    stream = follow(run, "-p", one, "-p", two, "--since", began)
    stream.until("started", "started", "started", "ready", "ready")
    _, reported, _ = stream.end(signal.SIGTERM)
    # The first run's readiness is history that no engine keeps.
    assert event_names([e for e in reported if e["project"] == one]) == [
        "started", "stopped", "started", "ready",
    ]  # fmt: skip
    assert event_names([e for e in reported if e["project"] == two]) == ["started", "ready"]
    assert not [e for e in reported if e["project"] == other]
    assert stream.process.returncode == 143


def test_a_reader_that_goes_away_ends_it_quietly(
    run: Program, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "w", PAGE))
    process = run.start("events", "-p", project, "--since", "10m")
    assert process.stdout
    assert process.stderr
    assert b"started" in process.stdout.readline()
    process.stdout.close()
    run("stop", "-p", project)
    process.wait(20)
    assert process.stderr.read() == b""
    process.stderr.close()


def at_private(private: Private, tmp_path: Path, *names: str) -> None:
    for name in names:
        private.run("up", "-p", name, "-w", write(tmp_path / name, PAGE))


def test_what_happened_while_the_engine_was_away_is_reported_once(
    private: Private, tmp_path: Path, follow: Follow
) -> None:
    at_private(private, tmp_path, "a", "b")
    stream = follow(private.run)
    engine = private.engine
    engine.crash()
    eventually(lambda: b"following again" in stream.talk, timeout=30)
    engine.start()
    eventually(lambda: b"the engine is back" in stream.talk, timeout=30)
    while len([e for e in stream.seen if e["exit"]]) < 2:
        stream.next()
    private.run("up", "-p", "a", "-w", tmp_path / "a")
    stream.until("started", "ready")
    _, reported, _ = stream.end()
    assert stream.talk.count(b"following again") == 1
    by_name = {n: event_names([e for e in reported if e["project"] == n]) for n in ("a", "b")}
    assert [w for w in by_name["a"] if w in ("started", "ready")] == ["started", "ready"]
    assert len(by_name["a"]) == 3, reported
    assert len(by_name["b"]) == 1, reported


def test_a_project_on_its_way_when_the_engine_went_still_gets_its_ready(
    private: Private, tmp_path: Path, follow: Follow
) -> None:
    at_private(private, tmp_path, "a")
    stream = follow(private.run)
    private.run("stop", "-p", "a")
    stream.until("stopped")
    slow = ("sh", "-c", "sleep 8; exec serve-static")
    private.run("up", "-p", "a", "-w", tmp_path / "a", "--restart", "always", "--no-wait", "--",
                *slow)  # fmt: skip
    stream.until("started")
    private.engine.crash()
    private.engine.start()
    stream.until("ready", timeout=60)
    _, reported, _ = stream.end()
    assert event_names(reported).count("ready") == 1
    assert event_names(reported).count("started") == 2, reported


def test_a_silent_engine_is_noticed(private: Private, tmp_path: Path, follow: Follow) -> None:
    at_private(private, tmp_path, "a")
    stream = follow(private.run)
    daemon = private.engine.daemon
    assert daemon
    os.killpg(daemon.pid, signal.SIGSTOP)
    try:
        eventually(lambda: b"following again" in stream.talk, timeout=120)
    finally:
        os.killpg(daemon.pid, signal.SIGCONT)
    eventually(lambda: b"the engine is back" in stream.talk, timeout=60)
    private.run("stop", "-p", "a")
    stream.until("stopped")
    assert event_names(stream.end()[1]) == ["stopped"]
