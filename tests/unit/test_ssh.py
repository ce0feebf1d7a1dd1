"""An engine behind ssh, with a program in the place of ssh that forwards a socket as ssh does."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from debughost_cli.engine import ssh
from debughost_cli.engine.ssh import SshTunnel
from debughost_cli.errors import (
    DebughostError,
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
    assert words[-3:] == ["--", "builder", "cat"]
    assert "BatchMode=yes" in words
    tunnel.close()


def test_closing_ends_ssh_and_removes_the_socket(fake_ssh: FakeSsh, engine: Server) -> None:
    fake_ssh(FORWARD)
    tunnel = SshTunnel(info(path=socket_of(engine)))
    local = Path(tunnel.url.removeprefix("unix://"))
    assert local.is_socket()
    tunnel.close()
    assert not local.parent.exists()
    assert tunnel._process.returncode is not None


def test_the_socket_is_for_this_user_alone(fake_ssh: FakeSsh, engine: Server) -> None:
    fake_ssh(FORWARD)
    tunnel = SshTunnel(info(path=socket_of(engine)))
    assert Path(tunnel.url.removeprefix("unix://")).parent.stat().st_mode & 0o077 == 0
    tunnel.close()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("me@builder: Permission denied (publickey).", EnginePermissionDenied),
        ("ssh: Could not resolve hostname builder", EngineUnavailable),
    ],
)
def test_the_last_line_of_ssh_is_the_reason(
    fake_ssh: FakeSsh, text: str, kind: type[DebughostError]
) -> None:
    fake_ssh(f"import sys\nsys.exit('Warning: added to known hosts\\n' + {text!r})")
    error = open_tunnel(info())
    assert type(error) is kind
    assert text in error.message
    assert "Warning" not in error.message


def test_an_ssh_that_gives_no_reason(fake_ssh: FakeSsh) -> None:
    fake_ssh("raise SystemExit(255)")
    assert "ssh ended with 255" in open_tunnel(info()).message


def test_a_host_that_does_not_answer(fake_ssh: FakeSsh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "CONNECT_TIMEOUT", -0.8)
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
