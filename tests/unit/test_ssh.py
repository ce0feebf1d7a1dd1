"""An engine behind ssh, with a program in the place of ssh that forwards a socket as ssh does."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from debughost_cli.engine import ssh
from debughost_cli.engine.reachability import HostUnreachable
from debughost_cli.engine.ssh import SshTunnel
from debughost_cli.errors import (
    DebughostError,
    EngineNotTrusted,
    EnginePermissionDenied,
    EngineUnavailable,
    Usage,
)
from debughost_cli.resources import EngineInfo

from .fault_server import Server, serving

FORWARD = """\
import pathlib, socket, sys, threading
words = sys.argv[1:]
pathlib.Path({record!r}).write_text("\\n".join(words))
local, remote = words[words.index("-L") + 1].split(":")

def copy(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)

def accept(listener):
    while True:
        near, _ = listener.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(remote)
        for pair in ((near, far), (far, near)):
            threading.Thread(target=copy, args=pair, daemon=True).start()

listener = socket.socket(socket.AF_UNIX)
listener.bind(local)
listener.listen()
threading.Thread(target=accept, args=(listener,), daemon=True).start()
print("Welcome to builder")
print("debughost-engine socket", remote, flush=True)
sys.stdin.buffer.read()
"""
FakeSsh = Callable[[str], Path]


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSsh:
    """Puts a Python program in the place of ssh; returns where it records its arguments."""
    folder = tmp_path / "bin"
    record = tmp_path / "words"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(source: str) -> Path:
        program = folder / "ssh"
        program.write_text(f"#!{sys.executable}\n{source.replace('{record!r}', repr(str(record)))}")
        program.chmod(0o755)
        return record

    return install


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, lambda *_: (200, [])) as server:
        yield server


def info(host: str = "me@builder:2222", path: str = "") -> EngineInfo:
    return EngineInfo(f"ssh://{host}{path}", "flag")


def socket_of(server: Server) -> str:
    return server.url.removeprefix("unix://")


def open_tunnel(endpoint: EngineInfo) -> DebughostError:
    with pytest.raises(DebughostError) as caught:
        SshTunnel(endpoint)
    return caught.value


def test_requests_pass_through_it(fake_ssh: FakeSsh, engine: Server) -> None:
    record = fake_ssh(FORWARD)
    tunnel = SshTunnel(info(path=socket_of(engine)))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(tunnel.url.removeprefix("unix://"))
        client.sendall(b"GET /version HTTP/1.0\r\n\r\n")
        assert client.recv(12).endswith(b" 200")
    assert engine.requests == ["GET /version"]
    words = record.read_text().splitlines()
    assert [words[words.index(o) + 1] for o in ("-p", "-l")] == ["2222", "me"]
    assert words[-3:-1] == ["--", "builder"]
    assert {"BatchMode=yes", "ControlMaster=no", "ControlPath=none"} < set(words)
    assert "\n" not in words[-1]
    tunnel.close()


def test_closing_ends_ssh_and_removes_the_socket(fake_ssh: FakeSsh, engine: Server) -> None:
    fake_ssh(FORWARD)
    tunnel = SshTunnel(info(path=socket_of(engine)))
    local = Path(tunnel.url.removeprefix("unix://"))
    assert local.is_socket()
    process = tunnel._process
    tunnel.close()
    assert not local.parent.exists()
    assert process
    assert process.returncode is not None


def test_the_socket_is_for_this_user_alone(fake_ssh: FakeSsh, engine: Server) -> None:
    fake_ssh(FORWARD)
    tunnel = SshTunnel(info(path=socket_of(engine)))
    assert Path(tunnel.url.removeprefix("unix://")).parent.stat().st_mode & 0o077 == 0
    tunnel.close()


@pytest.mark.parametrize("name", ["x" * 80, "a:b", "a %h", "${HOME}"])
def test_a_temporary_folder_that_is_nothing_for_ssh_is_not_used(
    fake_ssh: FakeSsh,
    engine: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    fake_ssh(FORWARD)
    (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / name))
    tunnel = SshTunnel(info(path=socket_of(engine)))
    folder = Path(tunnel.url.removeprefix("unix://")).parent
    assert str(folder.parent) == "/tmp"
    assert folder.stat().st_mode & 0o077 == 0
    tunnel.close()
    assert not folder.exists()
    assert not any((tmp_path / name).iterdir())


def test_it_is_opened_again_where_ssh_has_ended(fake_ssh: FakeSsh, engine: Server) -> None:
    fake_ssh(FORWARD)
    tunnel = SshTunnel(info(path=socket_of(engine)))
    first = tunnel._process
    assert first
    tunnel.keep_open()
    assert tunnel._process is first
    first.kill()
    first.wait()
    tunnel.keep_open()
    assert tunnel._process
    assert tunnel._process.pid != first.pid
    tunnel.close()


def test_the_socket_that_the_other_machine_names_is_forwarded(
    fake_ssh: FakeSsh, engine: Server
) -> None:
    """The first ssh cannot know where a rootless engine is."""
    record = fake_ssh(FORWARD.replace('socket", remote', f'socket", {socket_of(engine)!r}'))
    tunnel = SshTunnel(info(path=""))
    words = record.read_text().splitlines()
    assert words[words.index("-L") + 1].endswith(f":{socket_of(engine)}")
    assert f"named=unix://{socket_of(engine)};" in words[-1]
    tunnel.close()


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ("none ", EngineUnavailable, "no socket of an engine on builder"),
        ("none /srv/x.sock", EngineUnavailable, "no socket /srv/x.sock on builder"),
        ("denied /run/docker.sock", EnginePermissionDenied, "/run/docker.sock"),
        ("other tcp://10.0.0.1:2376", EngineUnavailable, "tcp://10.0.0.1:2376"),
    ],
)
def test_a_machine_without_an_engine_for_its_user(
    fake_ssh: FakeSsh, answer: str, kind: type[DebughostError], words: str
) -> None:
    fake_ssh(f"print('debughost-engine {answer}', flush=True); import sys; sys.stdin.buffer.read()")
    error = open_tunnel(info())
    assert type(error) is kind
    assert words in error.message
    assert "builder" in error.hint or "ssh://" in error.hint


CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Offending ED25519 key in /home/me/.ssh/known_hosts:3
Host key for builder has changed and you have requested strict checking.
Host key verification failed."""


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        ("me@builder: Permission denied (publickey).", EnginePermissionDenied, "ssh-copy-id"),
        ("ssh: Could not resolve hostname builder", HostUnreachable, "ssh -p 2222 me@builder"),
        ("ssh: connect to host builder port 2222: Connection refused", EngineUnavailable, "ssh "),
        ("Host key verification failed.", EngineNotTrusted, "by hand once"),
        (CHANGED, EngineNotTrusted, "ssh-keygen -R '[builder]:2222'"),
    ],
)
def test_the_last_line_of_ssh_is_the_reason(
    fake_ssh: FakeSsh, text: str, kind: type[DebughostError], hint: str
) -> None:
    fake_ssh(f"import sys\nsys.exit('Warning: added to known hosts\\n' + {text!r})")
    error = open_tunnel(info())
    assert type(error) is kind
    assert text.splitlines()[-1] in error.message
    assert "Warning" not in error.message
    assert hint in error.hint


def test_an_ssh_that_gives_no_reason(fake_ssh: FakeSsh) -> None:
    fake_ssh("raise SystemExit(255)")
    assert "ssh ended with 255" in open_tunnel(info()).message


def test_a_host_that_does_not_answer(fake_ssh: FakeSsh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "CONNECT_TIMEOUT", -0.5)
    fake_ssh("import sys; sys.stdin.buffer.read()")
    error = open_tunnel(info())
    assert isinstance(error, EngineUnavailable)
    assert "no ssh connection within" in error.message


def test_a_machine_without_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "ssh cannot be run" in open_tunnel(info()).message


def test_a_host_that_ssh_would_take_for_an_option(fake_ssh: FakeSsh) -> None:
    record = fake_ssh(FORWARD)
    assert isinstance(open_tunnel(info("-oProxyCommand=x")), Usage)
    assert not record.exists()


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("me:secret@builder", ""),
        ("builder", "/run/it's.sock"),
        ("builder", "/a%20b;c"),
        ("me@", ""),
    ],
)
def test_an_address_that_no_shell_should_see(fake_ssh: FakeSsh, host: str, path: str) -> None:
    record = fake_ssh(FORWARD)
    assert isinstance(open_tunnel(info(host, path)), Usage)
    assert not record.exists()


def test_what_a_killed_command_left_is_removed(fake_ssh: FakeSsh, engine: Server) -> None:
    fake_ssh(FORWARD)
    left = SshTunnel(info(path=socket_of(engine)))
    folder, process = Path(left.url.removeprefix("unix://")).parent, left._process
    assert process
    process.kill()
    process.wait()
    SshTunnel(info(path=socket_of(engine))).close()
    assert folder.exists(), "its command runs"
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    orphaned = folder.rename(folder.with_name(f"debughost-ssh-{gone.pid}-x"))
    SshTunnel(info(path=socket_of(engine))).close()
    assert not orphaned.exists()
    left.close()


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("Builder", ["--", "Builder"]),
        ("me%40corp@[fe80::1]:22", ["-p", "22", "-l", "me@corp", "--", "fe80::1"]),
    ],
)
def test_the_host_is_given_to_ssh_as_it_is_written(
    fake_ssh: FakeSsh, engine: Server, host: str, words: list[str]
) -> None:
    record = fake_ssh(FORWARD)
    SshTunnel(info(host, socket_of(engine))).close()
    given = record.read_text().splitlines()[:-1]
    assert given[-len(words) :] == words
