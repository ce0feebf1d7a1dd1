"""The relay in the container, run here with each of the programs that it may find there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from debughost_cli.container.relay import relay_command
from debughost_cli.engine.docker.duplex import Duplex
from debughost_cli.services.relay import IDLE_SECONDS, RelayCodec

FRAMING = ("perl", "python3")


@contextmanager
def server(answer: bytes, *, reads_all: bool = True) -> Iterator[tuple[int, list[int]]]:
    """A port that reads until the end of what is sent, then answers and closes."""
    seen: list[int] = []

    def serve(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            count = 0
            while reads_all and (data := peer.recv(65536)):
                count += len(data)
            seen.append(count)
            peer.sendall(answer)

    def accept() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=serve, args=(peer,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], seen


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Streams:
    """The engine's side: frames of output on a socket, as an attached command has them."""

    def __init__(self, command: tuple[str, ...], path: str) -> None:
        self.sock, self._theirs = socket.socketpair()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": path},
            start_new_session=True,
        )  # fmt: skip
        for work in (self._feed, self._take):
            threading.Thread(target=work, daemon=True).start()

    def _feed(self) -> None:
        assert self.process.stdin
        with suppress(OSError), self.process.stdin as stdin:
            while data := self._theirs.recv(65536):
                stdin.write(data)
                stdin.flush()

    def _take(self) -> None:
        assert self.process.stdout
        # At the end it is closed while this reads: a ValueError.
        with suppress(OSError, ValueError):
            while data := os.read(self.process.stdout.fileno(), 65536):
                self._theirs.sendall(b"\1\0\0\0" + len(data).to_bytes(4, "big") + data)
            self._theirs.shutdown(socket.SHUT_WR)

    def end(self) -> int:
        """The client goes; the exit code of the relay."""
        self.sock.close()
        with suppress(OSError):
            self._theirs.shutdown(socket.SHUT_RDWR)
        code = self.process.wait(10)
        self._theirs.close()
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("sh", "dd", "cat"):
        (folder / program).symlink_to(str(shutil.which(program)))
    return folder


def relayed(port: int, path: Path, name: str) -> Streams:
    # The first python3 in PATH may be a script of a version manager.
    found = os.path.realpath(sys.executable) if name == "python3" else shutil.which(name)
    assert found, f"the tests need {name}"
    (path / name).symlink_to(found)
    return Streams(relay_command(port), str(path))


def exchanged(streams: Streams, sent: bytes, *, is_used: bool = False) -> tuple[bytes, RelayCodec]:
    """What a connection gets that sends and then ends its sending."""
    client, peer = socket.socketpair()
    codec = RelayCodec(is_used=is_used)
    got = bytearray()

    # A connection that is closed before all of it was read is reset.
    def talk() -> None:
        with suppress(OSError):
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)

    def listen() -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                got.extend(data)

    threads = [threading.Thread(target=work, daemon=True) for work in (talk, listen)]
    for thread in threads:
        thread.start()
    Duplex(streams.sock, b"", peer, codec).run()
    peer.close()
    for thread in threads:
        thread.join(10)
    client.close()
    return bytes(got), codec


@pytest.mark.parametrize("name", FRAMING)
def test_one_relay_carries_one_connection_after_another(path: Path, name: str) -> None:
    answer = bytes(range(256)) * 4000
    with server(answer) as (port, seen):
        streams = relayed(port, path, name)
        for number, size in enumerate((3_000_000, 0, 1)):
            got, codec = exchanged(streams, b"x" * size, is_used=number > 0)
            assert got == answer
            assert codec.is_reusable
        assert seen == [3_000_000, 0, 1]
        assert streams.end() == 0


@pytest.mark.parametrize("name", FRAMING)
def test_nothing_listens(path: Path, name: str) -> None:
    streams = relayed(free_port(), path, name)
    got, codec = exchanged(streams, b"hello")
    assert (got, codec.is_connected, codec.is_reusable) == (b"", False, True)
    streams.end()


@pytest.mark.parametrize("name", FRAMING)
def test_both_sides_send_more_than_anybody_keeps_before_they_read(path: Path, name: str) -> None:
    """The program answers at once and reads later; the client sends all before it reads."""
    answer = b"y" * 5_000_000
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                sender = threading.Thread(target=peer.sendall, args=(answer,))
                sender.start()
                while peer.recv(65536):
                    pass
                sender.join()

        threading.Thread(target=serve, daemon=True).start()
        streams = relayed(listener.getsockname()[1], path, name)
        got, _ = exchanged(streams, b"x" * 5_000_000)
        assert got == answer
        streams.end()


@pytest.mark.parametrize("name", [*FRAMING, "bash"])
def test_no_relay_outlives_its_client(path: Path, name: str) -> None:
    """The program neither answers nor ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        streams = relayed(listener.getsockname()[1], path, name)
        streams.sock.sendall(b"\xff\xff\xff\xff")
        peer, _ = listener.accept()
        with peer:
            began = time.monotonic()
            streams.end()
            assert time.monotonic() - began < 5


def test_bash_alone_carries_a_connection(path: Path) -> None:
    with server(b"answer", reads_all=False) as (port, _):
        streams = relayed(port, path, "bash")
        got, codec = exchanged(streams, b"")
        assert got == b"answer"
        assert not codec.is_reusable
        assert codec.idle_seconds == IDLE_SECONDS
        streams.end()


def test_nothing_that_could_carry_it(path: Path) -> None:
    done = subprocess.run(
        relay_command(1), env={"PATH": str(path)}, input=b"", capture_output=True, check=False
    )
    assert done.returncode == 127
    codec = RelayCodec(is_used=False)
    assert codec.output("stderr", done.stderr) == b""
    assert "perl, python3, bash or nc" in codec.reason
    assert not codec.is_connected


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_frames_in_any_pieces(step: int) -> None:
    codec = RelayCodec(is_used=False)
    wire = b"F" + b"\0\0\0\5hello" + b"\0\0\0\1!" + b"\0\0\0\0"
    got = b"".join(codec.output("stdout", wire[i : i + step]) for i in range(0, len(wire), step))
    assert got == b"hello!"
    assert codec.is_over
