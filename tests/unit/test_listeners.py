"""What listens in a container: as the launcher finds it out, and what is made of it."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fake_clock import FakeClock
from fakes import make_container, make_spec
from msgspec.structs import replace

from debughost_cli.models import Listener
from debughost_cli.planning.launcher_status import LauncherPhase, LauncherStatus
from debughost_cli.planning.listeners import (
    GRACE,
    LOOPBACK_GRACE,
    explain_not_ready,
    known_obstacle,
    relevant,
)
from debughost_cli.services.elsewhere import Elsewhere, choose_port
from unit.test_fingerprint import SHELLS, function

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
NOBODY = "00000000:0000"
NOBODY6 = f"{'0' * 32}:0000"
ANY, LOCAL, NAME_SERVER, OWN = "00000000", "0100007F", "0B00007F", "03001CAC"
ANY6, LOCAL6, MAPPED = "0" * 32, f"{'0' * 24}01000000", f"{'0' * 16}FFFF0000{LOCAL}"
PORT = 3725


def row(address: str, port: int, remote: str = "", state: str = "0A", queue: int = 0) -> str:
    """A line of /proc/net/tcp or tcp6."""
    remote = remote or (NOBODY6 if len(address) > 8 else NOBODY)
    numbers = f"00000000:{queue:08X} 00:00000000 00000000 12345 0 7 1 0000000000000000 100 0 0 10 0"
    return f"   0: {address}:{port:04X} {remote} {state} {numbers}\n"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("rows", "found", "others"),
    [
        ([], "no", ""),
        ([row(ANY, PORT)], "all", ""),
        ([row(OWN, PORT)], "all", ""),
        ([row(ANY6, PORT)], "all", ""),
        ([row(LOCAL, PORT)], "loopback", ""),
        ([row("0200007F", PORT)], "loopback", ""),
        ([row(LOCAL6, PORT)], "loopback", ""),
        ([row(MAPPED, PORT)], "loopback", ""),
        ([row(LOCAL, PORT), row(ANY6, PORT)], "all", ""),
        ([row(ANY, PORT), row(LOCAL6, PORT)], "all", ""),
        ([row(ANY, 3000)], "no", "+listens-3000"),
        ([row(ANY, 10)], "no", "+listens-10"),
        ([row(LOCAL, 8080), row(ANY6, 65535)], "no", "+loopback-8080+listens-65535"),
        ([row(NAME_SERVER, 41287)], "no", ""),
        ([row(ANY, 3000), row(ANY, PORT)], "all", "+listens-3000"),
        # Connections to other machines, and one that is not yet accepted.
        ([row(OWN, 3000, "0200007F:0050", "01"), row(OWN, PORT, "0200007F:0050", "03")], "no", ""),
        ([row(ANY, 4000 + n) for n in range(20)], "no", "+listens-4000"),
    ],
)
def test_the_launcher_finds_listeners(
    shell: str, rows: list[str], found: str, others: str, tmp_path: Path
) -> None:
    result = find(shell, rows, tmp_path, "echo $found $others")
    assert result.startswith(f"{found} {others}".strip())
    assert result.count("listens") <= 8


def find(shell: str, rows: list[str], folder: Path, then: str) -> str:
    """The output of ``then`` after the launcher has read these tables."""
    tables = [folder / "tcp", folder / "tcp6"]
    for table, wide in zip(tables, (False, True), strict=True):
        lines = [r for r in rows if (len(r.split()[1]) > 13) is wide]
        table.write_text(HEAD + "".join(lines))
    text = function("find_listeners") + function("add_listener")
    for table, name in zip(reversed(tables), ("tcp6", "tcp"), strict=True):
        text = text.replace(f"/proc/net/{name}", str(table))
    return run_shell(shell, f"port={PORT:04X}\n{text}find_listeners\n{then}\n")


def run_shell(shell: str, script: str) -> str:
    command = [shell, "sh", "-c", script] if shell == "busybox" else [shell, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


CLIENT, CLIENT6 = "0200A8C0:C001", f"{'0' * 16}FFFF00000200A8C0:C001"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(ANY, PORT)], "queue 0 met no family 4"),
        ([row(ANY6, PORT)], "queue 0 met no family ipv6"),
        ([row(ANY, PORT), row(ANY6, PORT)], "queue 0 met no family 4"),
        ([row(ANY, PORT, queue=3)], "queue 3 met no family 4"),
        ([row(ANY, PORT, queue=1), row(ANY6, PORT, queue=128)], "queue 129 met no family 4"),
        ([row(ANY, PORT), row(OWN, PORT, CLIENT, "01")], "queue 0 met yes family 4"),
        ([row(ANY6, PORT), row(MAPPED, PORT, CLIENT6, "01")], "queue 0 met yes family ipv6"),
        # Of another port, on the way to another machine, or closed.
        ([row(ANY, PORT), row(ANY, 3000, queue=5)], "queue 0 met no family 4"),
        ([row(ANY, PORT), row(OWN, 3000, CLIENT, "01")], "queue 0 met no family 4"),
        ([row(ANY, PORT), row(OWN, 3000, f"0200A8C0:{PORT:04X}", "01")], "queue 0 met no family 4"),
        ([row(ANY, PORT), row(OWN, PORT, CLIENT, "06")], "queue 0 met no family 4"),
    ],
)
def test_the_launcher_finds_who_waits(
    shell: str, rows: list[str], expected: str, tmp_path: Path
) -> None:
    then = "echo queue $queue met ${met:-no} family ${family:-4}"
    assert find(shell, rows, tmp_path, then) == expected


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        # The length of the queue, with "+" where there is a connection; what is made of them.
        ("0 0", "ready ready"),
        ("0+ 0", "accepts accepts"),
        ("1+ 1+ 0+ 0", "queued queued accepts accepts"),
        ("2+ 1+", "queued queued"),
        ("0+ 5+ 5+ 5+ 5+ 0+", "accepts accepts accepts accepts queued accepts"),
        ("0+ 5+ 4+ 6+ 5+ 5+ 6+", "accepts accepts accepts accepts accepts accepts accepts"),
        ("0+ 1+ 1+ 1+ 1+ 1+", "accepts accepts accepts accepts queued queued"),
    ],
)
def test_connections_that_wait_are_judged(shell: str, readings: str, expected: str) -> None:
    script = f"""{function("judge_queue")}
queue=0 waiting=0 stuck=0 accepts=
for reading in {readings}; do
    found=all queue=${{reading%+}} met=
    case $reading in *+) met=yes ;; esac
    judge_queue
    case $found in queued) echo queued ;; *) echo "${{accepts:-ready}}" ;; esac
done"""
    assert run_shell(shell, script).replace("+", "").split() == expected.split()


def test_there_is_a_shell_to_test_with() -> None:
    assert shutil.which("sh")


def test_debuggers_and_ports_of_the_kernels_choice_are_no_page() -> None:
    listeners = [Listener(p) for p in (3000, 5678, 9229, 24678, 35729, 40123, 61000)]
    assert [found.port for found in relevant(listeners, make_container())] == [3000, 61000]


def launcher(*ports: int, loopback: bool = False) -> LauncherStatus:
    others = tuple(Listener(port) for port in ports)
    return LauncherStatus(LauncherPhase.RUNNING, loopback=loopback, others=others)


def test_a_program_has_two_seconds_to_listen_on_its_port_too() -> None:
    clock = FakeClock()
    elsewhere = Elsewhere(clock)
    assert not elsewhere.is_settled(make_container(), launcher())
    clock.sleep(100)
    assert not elsewhere.is_settled(make_container(), launcher(3000))
    clock.sleep(GRACE - 0.1)
    assert not elsewhere.is_settled(make_container(), launcher(3000, 8080)), (
        "it is still beginning to"
    )
    clock.sleep(GRACE)
    assert elsewhere.is_settled(make_container(), launcher(3000, 8080))


HELPER, PAGE = Listener(7321, is_loopback=True), Listener(8080)


@pytest.mark.parametrize(
    ("others", "loopback", "grace"),
    [
        ((HELPER,), False, LOOPBACK_GRACE),
        ((HELPER, Listener(7322, is_loopback=True)), False, LOOPBACK_GRACE),
        ((PAGE, HELPER), False, GRACE),
        ((), True, GRACE),
        ((HELPER,), True, GRACE),
    ],
)
def test_a_helper_on_the_loopback_address_is_given_longer(
    others: tuple[Listener, ...], loopback: bool, grace: float
) -> None:
    clock = FakeClock()
    elsewhere = Elsewhere(clock)
    seen = LauncherStatus(LauncherPhase.RUNNING, loopback=loopback, others=others)
    assert not elsewhere.is_settled(make_container(), seen)
    clock.sleep(grace - 0.1)
    assert not elsewhere.is_settled(make_container(), seen)
    clock.sleep(0.2)
    assert elsewhere.is_settled(make_container(), seen)


@pytest.mark.parametrize(
    ("state", "settles"),
    [
        (launcher(), False),
        (launcher(9229), False),
        (launcher(35729, 45000), False),
        (launcher(3000), True),
        (launcher(loopback=True), True),
    ],
)
def test_what_ends_the_wait(state: LauncherStatus, settles: bool) -> None:
    clock = FakeClock()
    elsewhere = Elsewhere(clock)
    assert not elsewhere.is_settled(make_container(), state)
    clock.sleep(GRACE)
    assert elsewhere.is_settled(make_container(), state) is settles


@contextmanager
def web_server(status: int) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("statuses", "chosen"),
    [
        ((200, 404), 0),
        ((404, 301), 1),
        ((500, None), 0),
        ((None, 404), 1),
        ((200, 200), None),
        ((404, 500), None),
        ((None, None), None),
    ],
)
def test_of_two_the_one_that_answers(
    statuses: tuple[int | None, ...], chosen: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The kernel chooses the ports of these servers.
    monkeypatch.setattr("debughost_cli.planning.listeners.EPHEMERAL_PORTS", range(0))
    with ExitStack() as stack:
        ports = [
            stack.enter_context(web_server(status)) if status else free
            for status, free in zip(statuses, (1, 2), strict=True)
        ]
        listeners = [Listener(port) for port in ports]
        expected = None if chosen is None else ports[chosen]
        assert choose_port(listeners, make_container(), "127.0.0.1") == expected
        assert choose_port(listeners, make_container(), "") is None, "nobody can be asked"


def test_one_alone_needs_no_answer() -> None:
    assert (
        choose_port([Listener(3000), Listener(9229), Listener(8080, True)], make_container(), "")
        == 3000
    )
    assert choose_port([Listener(3000, True)], make_container(), "") is None


@pytest.mark.parametrize(
    ("state", "environment", "text", "hint"),
    [
        (launcher(), {"PORT": "3725"}, "nothing listens on port 3725", "PORT is 3725"),
        (launcher(), {"PORT": "4000"}, "nothing listens", "PORT was set to '4000'"),
        (launcher(), {}, "nothing listens", "0.0.0.0:3725"),
        (launcher(3000), {}, "it listens on port 3000, not on port 3725", "--port 3000"),
        (launcher(3000, 8080), {}, "it listens on ports 3000 and 8080, not", "--port 3000"),
        (launcher(loopback=True), {}, "on port 3725, but on the container's own", "0.0.0.0"),
        (launcher(9229), {}, "nothing listens on port 3725", "0.0.0.0:3725"),
        (
            LauncherStatus(LauncherPhase.RUNNING, others=(Listener(8000, True),)),
            {},
            "it listens on port 8000 of the container's own 127.0.0.1 alone, not on port 3725",
            "--port 3725",
        ),
    ],
)
def test_hints_state_what_was_looked_up(
    state: LauncherStatus, environment: dict[str, str], text: str, hint: str
) -> None:
    container = make_container(make_spec("/srv/shop", port=PORT), environment=environment)
    reason = explain_not_ready(container, state)
    assert text in reason.message
    assert hint in reason.hint


@pytest.mark.parametrize(
    ("state", "seconds", "reason"),
    [
        (replace(launcher(), ready=True), 60, None),
        (launcher(), 0, "nothing_listens"),
        (launcher(9229), 60, "nothing_listens"),
        (launcher(8080), 1.9, None),
        (launcher(8080), 2.1, "other_port"),
        (launcher(loopback=True), 1.9, None),
        (launcher(loopback=True), 2.1, "loopback"),
        (replace(launcher(), queued=True), 0, "not_accepting"),
        (LauncherStatus(LauncherPhase.RUNNING, others=(Listener(8000, True),)), 9, None),
        (LauncherStatus(LauncherPhase.RUNNING, others=(Listener(8000, True),)), 11, "other_port"),
        (LauncherStatus(LauncherPhase.INSTALLING), 0, "installing"),
        (LauncherStatus(LauncherPhase.STARTING), 60, None),
        (LauncherStatus(), 60, None),
    ],
)
def test_one_reading_tells_why_once_it_is_old_enough(
    state: LauncherStatus, seconds: float, reason: str | None
) -> None:
    container = make_container(make_spec("/srv/shop", port=PORT))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    found = known_obstacle(container, replace(state, at=at), at + timedelta(seconds=seconds))
    assert (found.reason if found else None) == reason
    without_port = make_container(make_spec("/srv/shop", port=0))
    assert known_obstacle(without_port, state, at) is None


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("answers", "flags"),
    [
        # stat's %a, %S and %b: blocks that are left, their size, all of them.
        ({}, ""),
        ({"/dev/shm": "0 4096 16384"}, "+full-shm"),
        ({"/dev/shm": "255 4096 16384"}, "+full-shm"),
        ({"/dev/shm": "256 4096 16384"}, ""),
        ({"/dev/shm": "100 4096 128"}, ""),
        ({"/app": "12 4096 26214400"}, "+full-disk"),
        ({"/": "0 4096 9", "/app": "0 4096 9"}, "+full-disk+full-disk"),
        ({"/dev/shm": ""}, ""),
    ],
)
def test_what_has_no_room_left(
    shell: str, answers: dict[str, str], flags: str, tmp_path: Path
) -> None:
    cases = "".join(
        f"{path}) {f'echo {words}' if words else 'false'} ;;\n" for path, words in answers.items()
    )
    stat = f"stat() {{ case $4 in\n{cases}*) echo 1000000 4096 2000000 ;; esac; }}\n"
    script = function("find_full") + stat + 'find_full; printf %s "$full"'
    command = [shell, "sh", "-c", script] if shell == "busybox" else [shell, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == flags
