"""A proxy between the program and an engine's socket, which breaks what a test requests.

Every connection carries what the program sends as it is; an answer is asked of the engine with
``Connection: close``, so that its end is the end of the bytes and it can be cut anywhere.
"""

from __future__ import annotations

import json
import secrets
import select
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

PAUSE = 0.5
"""Seconds between two bytes of a slow answer."""

Picks = Callable[[int, str, str], bool]
"""From a request's number (1 is the first), method and path to whether the fault meets it."""


@dataclass(frozen=True)
class Fault:
    """What becomes of the requests that are picked; of the first of them alone if ``once``."""

    act: Callable[[Exchange], None]
    once: bool = False


class Proxy(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Listens at ``path`` in a thread."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: Path, engine: Path, fault: Fault, picks: Picks) -> None:
        super().__init__(str(path), Exchange)
        self.engine = str(engine)
        self.over = threading.Event()
        self.requests: list[str] = []
        self._fault = fault
        self._picks = picks
        self._lock = threading.Lock()
        self._met = 0

    @property
    def url(self) -> str:
        return f"unix://{self.server_address}"

    def fate(self, method: str, path: str) -> Callable[[Exchange], None]:
        """How this request is answered."""
        with self._lock:
            self.requests.append(f"{method} {path}")
            if not self._picks(len(self.requests), method, path):
                return forwarded
            self._met += 1
            return forwarded if self._fault.once and self._met > 1 else self._fault.act

    def refuse(self) -> None:
        """Listens no more; the socket's file stays, so that connections are refused."""
        self.shutdown()
        self.socket.close()


class Exchange(BaseHTTPRequestHandler):
    """One connection's requests."""

    protocol_version = "HTTP/1.1"
    server: Proxy
    body: bytes

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""

    def address_string(self) -> str:
        return "test"

    def _one(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.body = self._read_body()
            self.server.fate(self.command, self.path)(self)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method is treated alike."""
        if name.startswith("do_"):
            return self._one
        raise AttributeError(name)

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    @contextmanager
    def asked(self) -> Iterator[socket.socket]:
        """The engine's side, with the request sent."""
        upgrade = self.headers.get("Upgrade")
        dropped = ("connection", "content-length", "transfer-encoding")
        head = [f"{self.command} {self.path} HTTP/1.1"]
        head += [f"{k}: {v}" for k, v in self.headers.items() if k.lower() not in dropped]
        head += [f"Content-Length: {len(self.body)}"] if self.body or self.command != "GET" else []
        head += [f"Connection: {'Upgrade' if upgrade else 'close'}"]
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
            engine.connect(self.server.engine)
            engine.sendall("\r\n".join([*head, "", ""]).encode() + self.body)
            yield engine

    def whole_answer(self) -> bytes:
        """The engine's answer to the last byte."""
        with self.asked() as engine:
            return b"".join(iter(lambda: engine.recv(65536), b""))

    def client_is_there(self) -> bool:
        """False once the program has hung up."""
        if not select.select([self.connection], [], [], 0)[0]:
            return True
        return bool(self.connection.recv(1, socket.MSG_PEEK))


def forwarded(exchange: Exchange) -> None:
    """No fault: bytes go both ways until one side ends."""
    with exchange.asked() as engine:
        ends = {engine: exchange.connection, exchange.connection: engine}
        while True:
            for ready in select.select(list(ends), [], [], 0.5)[0]:
                data = ready.recv(262144)
                if not data:
                    if ready is engine:
                        return
                    if exchange.headers.get("Upgrade") is None:
                        return
                    # The program's stdin has ended; the command's output goes on.
                    del ends[ready]
                    engine.shutdown(socket.SHUT_WR)
                    break
                ends[ready].sendall(data)


def silent(exchange: Exchange) -> None:
    """Takes the request and says nothing, until the program has had enough."""
    while not exchange.server.over.is_set() and exchange.client_is_there():
        time.sleep(0.1)


def slow(exchange: Exchange) -> None:
    """The answer comes, a byte at a time."""
    for number in exchange.whole_answer():
        exchange.connection.sendall(bytes([number]))
        if exchange.server.over.wait(PAUSE) or not exchange.client_is_there():
            return


def cut_in_head(exchange: Exchange) -> None:
    exchange.connection.sendall(exchange.whole_answer()[:20])


def cut_in_body(exchange: Exchange) -> None:
    answer = exchange.whole_answer()
    end_of_head = answer.index(b"\r\n\r\n") + 4
    exchange.connection.sendall(answer[: (end_of_head + len(answer)) // 2])


def lost(exchange: Exchange) -> None:
    """The engine did it, and its answer never came."""
    exchange.whole_answer()


def hung_up(exchange: Exchange) -> None:
    """The engine never saw it."""


def refused(exchange: Exchange) -> None:
    """From here on nobody listens."""
    exchange.server.refuse()


def answered(status: int, body: object, kind: str = "application/json") -> Callable[..., None]:
    """An answer that no engine gave."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def act(exchange: Exchange) -> None:
        exchange.send_response(status)
        exchange.send_header("Content-Type", kind)
        exchange.send_header("Content-Length", str(len(data)))
        exchange.send_header("Connection", "close")
        exchange.end_headers()
        if exchange.command != "HEAD":
            exchange.wfile.write(data)

    return act


def not_http(exchange: Exchange) -> None:
    exchange.connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")


@contextmanager
def broken(folder: Path, engine: Path, fault: Fault, picks: Picks) -> Iterator[Proxy]:
    """The proxy for the length of a block; its socket has a short path, as sockets must."""
    with Proxy(folder / f"{secrets.token_hex(4)}.sock", engine, fault, picks) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.over.set()
            proxy.shutdown()
            thread.join()
            Path(str(proxy.server_address)).unlink(missing_ok=True)
