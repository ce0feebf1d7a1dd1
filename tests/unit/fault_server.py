"""A small HTTP server on a unix socket that answers as an engine would, or does not."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

VERSION = {"ApiVersion": "1.45", "Version": "26.1.5", "Os": "linux", "Components": []}

Answer = tuple[int, Any]
Script = Callable[[str, str], Answer | None]
"""From method and path to status and body; None to hang up without an answer.

A body is bytes, an iterator of chunks, or anything that becomes JSON. Bytes for a HEAD are the
header that describes a file in a container.
"""


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Keeps a record of the requests; ``script`` may be changed at any time.

    ``sent``: bytes of the bodies that are iterators.
    """

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, path: Path, script: Script) -> None:
        super().__init__(str(path), Handler)
        self.script = script
        self.requests: list[str] = []
        self.sent = 0

    @property
    def url(self) -> str:
        return f"unix://{self.server_address}"

    def count(self, text: str) -> int:
        """How many requests had ``text`` in their first line."""
        return sum(text in line for line in self.requests)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def address_string(self) -> str:
        return "test"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.server.requests.append(f"{self.command} {self.path}")
        if self.path == "/version":
            answer: Answer | None = (200, VERSION)
            override = self.server.script(self.command, self.path)
            answer = override if override is not None else answer
        else:
            answer = self.server.script(self.command, self.path)
        if answer is None:
            self.close_connection = True
            return
        status, body = answer
        if isinstance(body, Iterator):
            self._stream(status, body)
            return
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if isinstance(body, bytes) and body and self.command != "HEAD":
            # As engines send streams.
            self.send_header("Transfer-Encoding", "chunked")
            data = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
        else:
            self.send_header("Content-Length", str(len(data)))
        if self.command == "HEAD" and isinstance(body, bytes):
            self.send_header("X-Docker-Container-Path-Stat", body.decode())
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, status: int, chunks: Iterator[bytes]) -> None:
        """Sends chunk after chunk, until there are no more or nobody reads them."""
        self.send_response(status)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(ConnectionError):
            for chunk in chunks:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.server.sent += len(chunk)
            self.wfile.write(b"0\r\n\r\n")
            return
        self.close_connection = True

    def __getattr__(self, name: str) -> Any:
        """Every method is answered alike."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)


@contextmanager
def serving(folder: Path, script: Script) -> Iterator[Server]:
    """The server, in a thread, for the length of a block."""
    # A socket's path may have about 100 characters, and test folders are deep.
    path = folder / "s"
    short = Path(f"/tmp/dbgt-{os.getpid()}-{threading.get_ident() % 10**6}-{id(script) % 10**6}")
    server = Server(short if len(str(path)) > 90 else path, script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        Path(str(server.server_address)).unlink(missing_ok=True)
