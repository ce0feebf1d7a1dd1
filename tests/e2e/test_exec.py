"""``exec`` and ``shell``: bytes, exit codes, signals and a real terminal."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pty
import random
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError

from .conftest import RUN
from .harness import Eye, Program, check_document, eventually, program, write

BIG = 20 * 1024 * 1024
PROMPT = ":/app"
"""Of a shell; root's ends with ``#``."""


@pytest.fixture(scope="module")
def shop(run: Program, eye: Eye, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A project that sleeps."""
    project = f"{RUN}exec"
    folder = write(tmp_path_factory.mktemp("shop"), {"index.html": "hello\n"})
    run("up", "-p", project, "-w", folder, "--type", "static", "--no-wait", "--", "sleep", "1000")
    yield project
    eye.remove(project)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("big") / "data"
    path.write_bytes(random.Random(1).randbytes(BIG))
    return path


Exec = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def execute(run: Program, shop: str) -> Exec:
    """``debughost exec`` in the project; options go before the command, as ``options``."""

    def call(
        *command: str, options: tuple[str, ...] = (), **kwargs: Any
    ) -> subprocess.CompletedProcess[Any]:
        kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60} | kwargs
        if "input" not in kwargs:
            kwargs.setdefault("stdin", subprocess.DEVNULL)
        words: list[str | Path] = [program(), "exec", "-p", shop, *options, "--", *command]
        return subprocess.run(words, env=dict(run.env), check=False, **kwargs)

    return call


@pytest.fixture
def begin(run: Program, shop: str) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts ``debughost exec`` and returns once the command has written a line."""
    started: list[subprocess.Popen[bytes]] = []

    def call(*command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [program(), "exec", "-p", shop, "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(run.env),
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield call
    for process in started:
        with process:
            process.kill()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def is_running(eye: Eye, project: str, word: str) -> bool:
    """Whether a process of the container has ``word`` in its command line."""
    _, listed = eye.exec(project, "sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null")
    return word.replace(" ", "\0") in listed


def pause(eye: Eye, project: str) -> None:
    """Freezes it; a busy machine's kernel may need more than one try."""

    def tried() -> bool:
        with suppress(APIError):
            eye.client.pause(eye.inspect(project)["Id"])
        return eye.inspect(project)["State"]["Paused"]

    eventually(tried)


class TestBytes:
    def test_both_ways(self, execute: Exec, big: Path) -> None:
        with big.open("rb") as source:
            done = execute("cat", stdin=source)
        assert (done.returncode, done.stderr) == (0, b"")
        assert digest(done.stdout) == digest(big.read_bytes())

    def test_through_pipes(self, execute: Exec, big: Path) -> None:
        done = execute("cat", input=big.read_bytes())
        assert digest(done.stdout) == digest(big.read_bytes())

    def test_end_of_input_reaches_the_command(self, execute: Exec) -> None:
        done = execute("sh", "-c", "wc -c; echo after", input=b"four")
        assert done.stdout.split() == [b"4", b"after"]

    def test_stdout_and_stderr_stay_apart(self, execute: Exec) -> None:
        done = execute("sh", "-c", "echo out; echo err >&2")
        assert (done.stdout, done.stderr) == (b"out\n", b"err\n")

    def test_as_it_comes(self, begin: Callable[..., subprocess.Popen[bytes]]) -> None:
        process = begin("sh", "-c", 'echo ready; while read -r line; do echo "[$line]"; done')
        assert process.stdin is not None
        assert process.stdout is not None
        for word in (b"one", b"two"):
            process.stdin.write(word + b"\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"[" + word + b"]\n"
        process.stdin.close()
        assert process.wait(20) == 0

    def test_no_input_at_all(self, run: Program, shop: str) -> None:
        line = f"'{program()}' exec -p {shop} -- cat <&-"
        done = subprocess.run(["sh", "-c", line], env=dict(run.env), check=False, timeout=30)
        assert done.returncode == 0

    def test_input_that_nobody_reads(self, execute: Exec, big: Path) -> None:
        with big.open("rb") as source:
            assert execute("true", stdin=source).returncode == 0

    def test_input_that_stays_open(self, execute: Exec) -> None:
        read_end, write_end = os.pipe()
        try:
            assert execute("true", stdin=read_end).returncode == 0
        finally:
            os.close(read_end)
            os.close(write_end)

    @pytest.mark.once  # the program's own memory
    def test_memory_stays_flat(self, run: Program, shop: str) -> None:
        # In a process of its own, whose only child is the program.
        code = (
            "import resource, subprocess, sys\n"
            "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        command: list[str | Path] = [
            program(), "exec", "-p", shop, "--", "head", "-c", "200000000", "/dev/zero",
        ]  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            env=dict(run.env), capture_output=True, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert int(done.stdout) < 150 * 1024

    def test_a_reader_that_goes_away(self, run: Program, shop: str, eye: Eye) -> None:
        line = f"{{ '{program()}' exec -p {shop} -- yes gone-reader; echo $? >&2; }} | head -1"
        done = subprocess.run(
            ["sh", "-c", line], env=dict(run.env), capture_output=True, check=False, timeout=30
        )
        assert (done.stdout, done.stderr) == (b"gone-reader\n", b"141\n")
        eventually(lambda: not is_running(eye, shop, "gone-reader"))

    def test_full_disk(self, execute: Exec) -> None:
        with Path("/dev/full").open("wb") as full:
            done = execute("echo", "x", stdout=full)
        assert done.returncode == 9
        assert b"DISK_FULL" in done.stderr


class TestExitCodes:
    @pytest.mark.parametrize("code", [0, 1, 3, 125, 255])
    def test_the_commands_own(self, execute: Exec, code: int) -> None:
        assert execute("sh", "-c", f"exit {code}").returncode == code

    def test_killed(self, execute: Exec) -> None:
        assert execute("sh", "-c", "kill -KILL $$").returncode == 137

    def test_not_found(self, execute: Exec) -> None:
        done = execute("no-such-command")
        assert (done.returncode, done.stdout) == (127, b"")
        assert b"no-such-command" in done.stderr

    @pytest.mark.parametrize("path", ["/etc/passwd", "/etc"])
    def test_cannot_be_executed(self, execute: Exec, path: str) -> None:
        done = execute(path)
        assert (done.returncode, done.stdout) == (126, b"")

    @pytest.mark.parametrize(
        "options",
        [
            ("--user", "no-such-user"),
            pytest.param(("--workdir", "/no/such"), marks=pytest.mark.docker_only),
        ],
    )
    def test_refused_by_the_engine(self, execute: Exec, options: tuple[str, ...]) -> None:
        done = execute("true", options=options)
        assert (done.returncode, done.stdout) == (125, b"")
        assert b"no" in done.stderr

    def test_the_end_comes_after_the_output(self, execute: Exec) -> None:
        done = execute("sh", "-c", "exec >&- 2>&-; sleep 1; exit 3")
        assert done.returncode == 3


class TestSurroundings:
    def test_user_folder_and_variables(self, execute: Exec, shop: str) -> None:
        done = execute("sh", "-c", 'echo "$(id -u) $PWD $PROJECT_ID $DEBUG_HOST"')
        # Engines that map users have another number for the workspace's owner.
        user = execute("stat", "-c", "%u", "/app").stdout.decode().strip()
        assert done.stdout.decode().split() == [user, "/app", shop, "true"]

    def test_options(self, execute: Exec) -> None:
        options = ("--workdir", "/tmp", "-e", "A=b c", "--user", "4711:4712")
        done = execute("sh", "-c", 'echo "$PWD|$A|$(id -u):$(id -g)"', options=options)
        assert done.stdout == b"/tmp|b c|4711:4712\n"

    def test_arguments_arrive_as_they_are(self, execute: Exec) -> None:
        words = ["a b", "", "$HOME", "*", "--json", "--", "-p", "ü"]
        done = execute("printf", "[%s]", *words)
        assert done.stdout.decode() == "".join(f"[{w}]" for w in words)


class TestSignals:
    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
    )
    def test_end_the_command(
        self,
        begin: Callable[..., subprocess.Popen[bytes]],
        eye: Eye,
        shop: str,
        number: int,
        code: int,
    ) -> None:
        process = begin("sh", "-c", f"echo ready; sleep 100{number}; echo no")
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (code, b"", b"")
        assert not is_running(eye, shop, f"sleep 100{number}")

    def test_are_the_commands_to_handle(
        self, begin: Callable[..., subprocess.Popen[bytes]]
    ) -> None:
        script = "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.1; done"
        process = begin("sh", "-c", script)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
        assert (process.returncode, out) == (5, b"bye\n")

    def test_the_third_one_kills(self, begin: Callable[..., subprocess.Popen[bytes]]) -> None:
        process = begin("sh", "-c", "trap '' INT; echo ready; while :; do sleep 0.1; done")
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        process.communicate(timeout=20)
        assert process.returncode == 137


class TestJson:
    def test_one_document(self, execute: Exec) -> None:
        script = "cat; printf '\\377'; echo err >&2; exit 3"
        done = execute("sh", "-c", script, options=("--json",), input=b"in ")
        assert done.returncode == 3
        document = check_document(done.stdout.decode(), done.returncode)
        assert document["ok"] is True
        assert document["data"] == {
            "exit_code": 3, "stdout": "in \ufffd", "stderr": "err\n",
            "stdout_bytes": 4, "stderr_bytes": 4, "truncated": False,
        }  # fmt: skip

    def test_what_could_not_be_run(self, run: Program, shop: str) -> None:
        done = subprocess.run(
            [program(), "exec", "--json", "-p", shop, "--", "no-such-command"],
            env=dict(run.env), capture_output=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == 127
        assert b'"ok":false' in done.stdout
        assert b'"exit_code":127' in done.stdout


class TestProjects:
    def test_unknown(self, run: Program) -> None:
        result = run("exec", "--json", "-p", f"{RUN}nobody", "--", "true", check=3)
        assert result.error["code"] == "PROJECT_NOT_FOUND"

    def test_stopped(self, run: Program, project: str, tmp_path: Path) -> None:
        folder = write(tmp_path / "ws", {"index.html": "hello\n"})
        up = ("up", "-p", project, "-w", folder, "--type", "static", "--no-wait")
        run(*up, "--", "sleep", "1000")
        run("stop", "-p", project)
        result = run("exec", "--json", "-p", project, "--", "true", check=3)
        assert result.error["code"] == "PROJECT_NOT_FOUND"
        assert result.error["details"]["state"] == "stopped"
        assert f"debughost start {project}" in result.error["hint"]

    @pytest.mark.control_groups
    def test_paused(self, run: Program, eye: Eye, project: str, tmp_path: Path) -> None:
        folder = write(tmp_path / "ws", {"index.html": "hello\n"})
        up = ("up", "-p", project, "-w", folder, "--type", "static", "--no-wait")
        run(*up, "--", "sleep", "1000")
        pause(eye, project)
        result = run("exec", "--json", "-p", project, "--", "true", check=3)
        assert result.error["details"]["state"] == "paused"

    def test_removed_while_it_runs(
        self, run: Program, eye: Eye, new_id: Any, tmp_path: Path
    ) -> None:
        project = new_id()
        folder = write(tmp_path / "ws", {"index.html": "hello\n"})
        up = ("up", "-p", project, "-w", folder, "--type", "static", "--no-wait")
        run(*up, "--", "sleep", "1000")
        process = subprocess.Popen(
            [program(), "exec", "-p", project, "--", "sh", "-c", "echo ready; sleep 1000"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(run.env),
        )  # fmt: skip
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            eye.remove(project)
            _, err = process.communicate(timeout=30)
        assert process.returncode in (3, 137)
        assert b"Traceback" not in err

    @pytest.mark.parametrize(
        "words", [("exec",), ("exec", "--tty", "--", "true"), ("shell",), ("shell", "--json")]
    )
    def test_bad_use(self, run: Program, shop: str, words: tuple[str, ...]) -> None:
        command, *rest = words
        run(command, "-p", shop, *rest, check=2)


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, words: list[str], env: dict[str, str], rows: int, columns: int) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.process = subprocess.Popen(
            words,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=env | {"TERM": "xterm-256color"},
            preexec_fn=self._own,  # noqa: PLW1509 - a controlling terminal; no threads here.
        )

    def _own(self) -> None:
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def expect(self, text: str, timeout: float = 15) -> str:
        """Reads until ``text`` comes, and forgets what came until then."""
        deadline = time.monotonic() + timeout
        while text.encode() not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"no {text!r} in {self.seen!r}"
            if select.select([self.master], [], [], left)[0]:
                self.seen += os.read(self.master, 65536)
        before, _, self.seen = self.seen.partition(text.encode())
        return before.decode(errors="replace")

    def end(self, timeout: float = 15) -> int:
        """The exit code; what the program wrote is read meanwhile."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"does not end: {self.seen!r}"
            if select.select([self.master], [], [], 0.05)[0]:
                self.seen += os.read(self.master, 65536)
        return self.process.returncode

    def is_restored(self) -> bool:
        return termios.tcgetattr(self.slave) == self.before

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def at_terminal(run: Program) -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def call(*words: str) -> Terminal:
        made.append(Terminal([str(program()), *words], dict(run.env), 33, 101))
        return made[-1]

    yield call
    for terminal in made:
        terminal.close()


AtTerminal = Callable[..., Terminal]


class TestShell:
    def test_is_a_terminal(self, at_terminal: AtTerminal, shop: str) -> None:
        shell = at_terminal("shell", "-p", shop)
        shell.expect(PROMPT)
        shell.type("stty size; echo $PWD-$TERM-${BASH:+bash}\n")
        shell.expect("33 101")
        shell.expect("/app-xterm-256color-bash")
        shell.type("exit 7\n")
        assert shell.end() == 7
        assert shell.is_restored()

    def test_size_follows(self, at_terminal: AtTerminal, shop: str) -> None:
        shell = at_terminal("shell", "-p", shop)
        shell.expect(PROMPT)
        shell.resize(44, 122)

        def size() -> bool:
            shell.type("echo size $(stty size)\n")
            shell.expect("size ")
            shell.expect("size ")
            return shell.expect("\r\n") == "44 122"

        eventually(size)

    def test_size_is_there_from_the_start(self, at_terminal: AtTerminal, shop: str) -> None:
        command = at_terminal("exec", "-p", shop, "--", "stty", "size")
        command.expect("33 101\r\n")
        assert command.end() == 0

    def test_interrupt_is_the_commands(self, at_terminal: AtTerminal, shop: str) -> None:
        shell = at_terminal("shell", "-p", shop)
        shell.expect(PROMPT)
        shell.type("sleep 1000\n")
        shell.expect("sleep 1000\r\n")
        time.sleep(0.3)
        shell.type("\x03")
        shell.expect(PROMPT)
        shell.type("echo code $?\n")
        shell.expect("code 130")
        shell.expect(PROMPT)
        shell.type("\x04")
        assert shell.end() == 0
        assert shell.is_restored()

    def test_ctrl_p_is_not_held_back(self, at_terminal: AtTerminal, shop: str) -> None:
        shell = at_terminal("exec", "-p", shop, "--", "sh", "-c", "stty raw; echo on; od -An -c")
        shell.expect("on")
        shell.type("\x10" * 16)
        shell.expect("020")

    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
    )
    def test_a_signal_gives_the_terminal_back(
        self, at_terminal: AtTerminal, shop: str, eye: Eye, number: int, code: int
    ) -> None:
        shell = at_terminal("shell", "-p", shop)
        shell.expect(PROMPT)
        shell.type(f"sleep 200{number}\n")
        eventually(lambda: is_running(eye, shop, f"sleep 200{number}"))
        shell.process.send_signal(number)
        assert shell.end() == code
        assert shell.is_restored()
        eventually(lambda: not is_running(eye, shop, f"sleep 200{number}"))

    def test_the_container_ends(
        self, at_terminal: AtTerminal, run: Program, project: str, tmp_path: Path
    ) -> None:
        folder = write(tmp_path / "ws", {"index.html": "hello\n"})
        up = ("up", "-p", project, "-w", folder, "--type", "static", "--no-wait")
        run(*up, "--", "sleep", "1000")
        shell = at_terminal("shell", "-p", project)
        shell.expect(PROMPT)
        run("stop", "-p", project)
        assert shell.end() in (129, 137)
        assert shell.is_restored()

    def test_exec_without_a_terminal_on_one(self, at_terminal: AtTerminal, shop: str) -> None:
        command = at_terminal("exec", "-p", shop, "--no-tty", "--", "sh", "-c", "tty; cat")
        command.expect("not a tty")
        command.type("line\n\x04")
        command.expect("line\r\nline\r\n")
        assert command.end() == 0
