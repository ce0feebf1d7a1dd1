"""As relay.pl, where there is no Perl. It runs on the Python of any image."""

import os
import select
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

MOST = 1 << 16
OPEN = REFUSED = b"\xff\xff\xff\xff"
ENDED = b"\0\0\0\0"


def received(read: Callable[[int], bytes]) -> "bytes | None":
    """What has arrived: nothing at the end, None where there is none yet."""
    try:
        return read(MOST)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def unsent(write: Callable[[bytes], int], data: bytes) -> "bytes | None":
    """What could not be sent yet; None where nothing ever can."""
    try:
        return data[write(data) :]
    except BlockingIOError:
        return data
    except OSError:
        return None


class Relay:
    """Connections with a port, one after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sock: socket.socket | None = None
        self.frames, self.up, self.down = b"", b"", b"F"
        self.is_ended = False

    def open(self) -> None:
        """Begins a connection."""
        self.sock, self.up, self.is_ended = None, b"", False
        for host in ("127.0.0.1", "::1"):
            with suppress(OSError):
                self.sock = socket.create_connection((host, self.port))
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sock.setblocking(False)
                return
        self.down += REFUSED

    def take(self) -> None:
        """Acts on the frames that are whole."""
        while len(self.frames) >= 4:
            size = int.from_bytes(self.frames[:4], "big")
            if self.frames.startswith(OPEN):
                self.frames = self.frames[4:]
                self.open()
                continue
            if len(self.frames) < 4 + size:
                return
            data, self.frames = self.frames[4 : 4 + size], self.frames[4 + size :]
            if self.sock:
                self.up += data
                self.is_ended = not size

    def step(self) -> bool:
        """Moves what can be moved; False once the client is gone."""
        s = self.sock
        reads, writes = [0] * (len(self.up) < MOST), [1] * bool(self.down)
        if s:
            reads += [s.fileno()] * (len(self.down) < MOST)
            writes += [s.fileno()] * bool(self.up or self.is_ended)
        readable, writable, _ = select.select(reads, writes, [])
        if 1 in writable:
            rest = unsent(lambda data: os.write(1, data), self.down)
            if rest is None:
                return False
            self.down = rest
        if s and s.fileno() in writable:
            self.send(s)
        if s and s.fileno() in readable:
            self.receive(s)
        if 0 in readable:
            data = received(lambda most: os.read(0, most))
            self.frames += data or b""
            self.take()
            return data != b""
        return True

    def send(self, s: socket.socket) -> None:
        """To the port."""
        if self.up:
            self.up = unsent(s.send, self.up) or b""
        elif self.is_ended:
            self.is_ended = False
            with suppress(OSError):
                s.shutdown(socket.SHUT_WR)

    def receive(self, s: socket.socket) -> None:
        """From the port."""
        data = received(s.recv)
        if data:
            self.down += len(data).to_bytes(4, "big") + data
        elif data is not None:
            s.close()
            self.sock, self.up, self.down = None, b"", self.down + ENDED


if __name__ == "__main__":
    for descriptor in (0, 1):
        os.set_blocking(descriptor, False)
    relay = Relay(int(sys.argv[1]))
    while relay.step():
        pass
