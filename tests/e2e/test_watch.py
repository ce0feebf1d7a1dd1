"""``status --watch`` in a real terminal, on real engines."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .harness import P, Program, check_document, eventually, program, write
from .private_engine import Private
from .workspaces import PAGE

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"
CLEAR = re.compile(rb"\x1b\[[0-3]?J")
STYLE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\]8;[^\x1b]*\x1b\\")


class Terminal:
    """The program on a terminal of its own; ``written`` is all that it wrote to it."""

    def __init__(self, run: Program, *args: str, rows: int = 30, columns: int = 120) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.written = b""
        self.process = subprocess.Popen(
            [*run.prefix, program(), "status", "--watch", *args],
            stdin=self.slave, stdout=self.slave, stderr=self.slave,
            env={**run.env, "TERM": "xterm-256color"}, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )  # fmt: skip

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self) -> bytes:
        """All that was written until now."""
        while select.select([self.master], [], [], 0)[0]:
            self.written += os.read(self.master, 65536)
        return self.written

    def frame(self) -> str:
        """The last table that was written whole, without styles."""
        whole = self.read().split(b"\x1b[H")[1:-1]
        return STYLE.sub(b"", whole[-1]).decode() if whole else ""

    def shows(self, pattern: str, timeout: float = 30) -> str:
        def look() -> str:
            found = self.frame()
            return found if re.search(pattern, found) else ""

        return eventually(look, timeout=timeout)

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def ended(self) -> int:
        def look() -> bool:
            self.read()
            return self.process.poll() is not None

        eventually(look, timeout=20)
        self.read()
        return self.process.returncode

    def check_restored(self) -> None:
        """Everything that was switched is switched back, in pairs."""
        assert self.written.count(ENTER) == self.written.count(LEAVE) == 1
        assert self.written.rindex(SHOW) > self.written.rindex(HIDE)
        assert termios.tcgetattr(self.slave) == self.before


Watch = Callable[..., Terminal]


@pytest.fixture
def watch() -> Iterator[Watch]:
    started: list[Terminal] = []

    def begin(run: Program, *args: str, **size: int) -> Terminal:
        started.append(Terminal(run, "--interval", "0.2", *args, **size))
        return started[-1]

    yield begin
    for terminal in started:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)
        os.close(terminal.slave)


@pytest.fixture
def shop(run: Program, project: str, tmp_path: Path) -> str:
    run("up", "-p", project, "-w", write(tmp_path / "w", PAGE))
    return project


@pytest.mark.parametrize(
    ("end", "code"),
    [(b"q", 0), (b"Q", 0), (b"\x03", 0), (signal.SIGTERM, 143)],
    ids=["q", "Q", "ctrl-c", "sigterm"],
)
def test_the_terminal_is_left_as_it_was(
    run: Program, shop: str, watch: Watch, end: bytes | int, code: int
) -> None:
    terminal = watch(run, "-p", shop)
    terminal.shows(rf"{shop}\s+running")
    if isinstance(end, bytes):
        terminal.press(end)
    else:
        terminal.process.send_signal(end)
    assert terminal.ended() == code
    terminal.check_restored()


def test_a_tick_overwrites_the_screen_and_never_clears_it(
    run: Program, shop: str, watch: Watch
) -> None:
    terminal = watch(run, "-p", shop)
    terminal.shows(shop)
    first = len(terminal.read())
    eventually(lambda: terminal.read()[first:].count(b"\x1b[H") >= 4, timeout=40)
    ticks = terminal.written[first:]
    assert not CLEAR.search(ticks)
    assert ENTER not in ticks


def test_a_resize_is_followed(run: Program, shop: str, watch: Watch) -> None:
    terminal = watch(run, "-p", shop, columns=120)
    terminal.shows("URL")
    terminal.resize(20, 70)
    terminal.process.send_signal(signal.SIGWINCH)
    frame = terminal.shows("PORT")
    assert "URL" not in frame
    assert max(len(line.rstrip("\r")) for line in frame.split("\n")) <= 70
    terminal.press(b"q")
    assert terminal.ended() == 0


def order(frame: str) -> list[str]:
    return re.findall(r"^(\w+)\s+(?:running|crashed|stopped)", frame, re.MULTILINE)


def test_what_appears_dies_and_goes_is_shown_and_sorted(
    private: Private, tmp_path: Path, watch: Watch
) -> None:
    terminal = watch(private.run, "--sort", "cpu")
    terminal.shows("0 projects")
    for name in ("calm", "wild"):
        private.run("up", "-p", name, "-w", write(tmp_path / name, PAGE))
    terminal.shows(r"2 projects, 2 ready")
    made = private.eye.client.exec_create(
        private.eye.inspect("wild")["Id"], ["timeout", "60", "sh", "-c", "while :; do :; done"]
    )
    private.eye.client.exec_start(made["Id"], detach=True)
    eventually(lambda: order(terminal.frame()) == ["wild", "calm"], timeout=40)
    assert re.search(r"wild .*% [▁-█]+", terminal.frame())
    private.eye.client.kill(private.eye.inspect("calm")["Id"])
    terminal.shows(r"calm\s+crashed")
    terminal.shows("calm: killed by SIGKILL")
    private.run("rm", "-p", "calm")
    terminal.shows(r"1 project\b")
    terminal.press(b"q")
    assert terminal.ended() == 0


def test_an_engine_that_goes_away_is_reported_and_its_return_too(
    private: Private, tmp_path: Path, watch: Watch
) -> None:
    private.run("up", "-p", "a", "-w", write(tmp_path / "a", PAGE))
    terminal = watch(private.run)
    lines = private.run.start("status", "--watch", "--json", "--interval", "0.2")
    try:
        terminal.shows(r"a\s+running")
        assert lines.stdout
        first = lines.stdout.readline()
        private.engine.crash()
        frame = terminal.shows("trying again")
        assert re.search(r"^a\s", frame, re.MULTILINE), "what was known stays on the screen"
        time.sleep(1)
        private.engine.start()
        terminal.shows(r"a\s+(crashed|stopped)")
        assert "trying again" not in terminal.frame()
        terminal.press(b"q")
        assert terminal.ended() == 0
        terminal.check_restored()
    finally:
        lines.send_signal(signal.SIGTERM)
        out, _ = lines.communicate(timeout=30)
    *ticks, last = [json.loads(line) for line in (first + out).splitlines()]
    assert last["type"] == "result"
    errors = [t["error"] and t["error"]["code"] for t in ticks]
    assert errors[0] is None
    assert "ENGINE_UNAVAILABLE" in errors
    assert errors[-1] is None


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_json_is_a_line_a_tick_and_a_result(run: Program, shop: str, how: int, code: int) -> None:
    process = run.start("status", "--watch", "--json", "--interval", "0.2", "-p", shop)
    assert process.stdout
    ticks = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.send_signal(how)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == code
    assert check_document(rest.decode().splitlines()[-1], code)["command"] == "status"
    for tick in ticks:
        assert tick["type"] == "status"
        (found,) = tick["projects"]
        assert set(found) == P
        assert found["stats"]


def held(pid: int) -> tuple[int, int]:
    """Resident KiB and open descriptors of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = int(re.findall(r"VmRSS:\s+(\d+)", status)[0])
    return resident, len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.once  # the program's own memory
def test_hundreds_of_ticks_take_no_more_memory_and_no_more_connections(
    run: Program, shop: str
) -> None:
    words = ("--watch", "--json", "--interval", "0.01", "--no-stats", "-p", shop)
    process = run.start("status", *words)
    assert process.stdout
    seen = []
    for _ in range(4):
        for _ in range(100):
            process.stdout.readline()
        seen.append(held(process.pid))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    memory, descriptors = zip(*seen, strict=True)
    assert memory[-1] - memory[0] < 2048, memory
    assert max(descriptors) - min(descriptors) <= 1, descriptors
