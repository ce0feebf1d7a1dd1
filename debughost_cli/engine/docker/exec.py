"""Commands in a container: the connection that the engine hands over, and its bytes.

docker-py's own way reads from the socket below a buffered reader that may hold the first bytes of
the output already, and knows no half-close; so the request is made here.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from itertools import chain, repeat
from typing import Any

import requests

from debughost_cli.engine import decode
from debughost_cli.engine.docker.connection import ApiClient, Connection
from debughost_cli.engine.docker.transport import time_limit
from debughost_cli.engine.error_map import READ_TIMEOUT, from_answer, mapped
from debughost_cli.engine.port import ExecResult, ExecSpec, Execution, OnOutput
from debughost_cli.errors import EngineUnavailable

CHUNK = 256 * 1024
STDIN_CHUNK = 64 * 1024
DETACH_KEYS = ",".join(["ctrl-@", "ctrl-_"] * 4)
"""The engine holds back the first of them until the next key comes, and its default begins with
ctrl-p, which every shell uses. Nothing shows after ctrl-@; nobody types all eight."""
REFUSED = 125
_HEADER = struct.Struct(">BxxxL")
_NAMES = {0: "stdout", 1: "stdout", 2: "stderr"}
_SOON = (0.005, 0.01, *[0.02] * 50)
"""Pauses between two looks: the engine often learns of the end just after the streams'."""
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_GONE = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError)


class DockerCommands:
    """The part of the port that is about commands in containers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start(self, ref: str, spec: ExecSpec) -> Execution:
        return start_exec(self._connection, ref, spec)

    def run(
        self, ref: str, command: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        found = {"stdout": bytearray(), "stderr": bytearray()}
        started = self.start(ref, ExecSpec(tuple(command), user, workdir))
        started.pump(None, lambda stream, data: found[stream].extend(data))
        return ExecResult(started.wait(), bytes(found["stdout"]), bytes(found["stderr"]))


def start_exec(connection: Connection, ref: str, spec: ExecSpec) -> DockerExec:
    """Makes and starts a command. The start is never repeated, for it may have happened; one that
    was made and not started does nothing.
    """
    doing = "starting a command in the container"
    made = connection.read("preparing a command", lambda c: _make(c, ref, spec))
    with mapped(connection.info, doing), time_limit(READ_TIMEOUT):
        client = connection.client
        answer = client.post(
            f"{client.base_url}/v{client.api_version}/exec/{made}/start",
            json={"Detach": False, "Tty": spec.tty},
            headers={"Connection": "Upgrade", "Upgrade": "tcp"},
            stream=True,
            timeout=READ_TIMEOUT,
        )
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise from_answer(answer.status_code, _words(answer), doing)
        return DockerExec(connection, made, answer, spec)


def _make(client: ApiClient, ref: str, spec: ExecSpec) -> str:
    made = client.exec_create(
        ref,
        list(spec.command),
        stdin=spec.stdin,
        tty=spec.tty,
        user=spec.user,
        environment=dict(spec.environment),
        workdir=spec.workdir or None,
        detach_keys=DETACH_KEYS,
    )
    return decode.identity(made)


def _words(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]


class DockerExec:
    """A started command and the connection to its streams."""

    def __init__(
        self, connection: Connection, id_: str, answer: requests.Response, spec: ExecSpec
    ) -> None:
        self._connection = connection
        self._id = id_
        self._answer = answer  # Nobody else keeps it, and it closes the socket when it goes.
        self._sock, self._early = _take_over(answer)
        self._tty = spec.tty
        self._buffer = bytearray(CHUNK)
        self._stdin: int | None = None
        self._unsent = memoryview(b"")
        self._cut = False

    def pump(self, stdin: int | None, on_output: OnOutput) -> None:
        frames = Frames(on_output, plain=self._tty)
        frames.feed(memoryview(self._early))
        self._stdin = stdin
        pump = self._by_turns if _selectable(self._sock) else self._with_thread
        pump(frames.feed)

    def _by_turns(self, feed: Callable[[memoryview], None]) -> None:
        """One thread for both directions, as a TLS connection needs it."""
        self._sock.setblocking(False)
        is_open = self._receive(feed)
        while is_open:
            wants_input = self._stdin is not None and not self._unsent
            awaited = [self._sock, self._stdin] if wants_input else [self._sock]
            readable, _, _ = select.select(awaited, [self._sock] if self._unsent else [], [])
            if self._stdin is not None and self._stdin in readable:
                self._take_input(self._stdin)
            if self._unsent:
                self._send()
            if self._sock in readable:
                is_open = self._receive(feed)

    def _take_input(self, stdin: int) -> None:
        data = _read(stdin)
        self._unsent = memoryview(data or b"")
        if data == b"":
            self._stdin = None
            self._end_stdin()

    def _with_thread(self, feed: Callable[[memoryview], None]) -> None:
        """For Windows, where only sockets can be waited for."""
        self._sock.settimeout(None)
        if self._stdin is not None:
            threading.Thread(target=self._send_all, args=(self._stdin,), daemon=True).start()
        while self._receive(feed):
            pass

    def _send_all(self, stdin: int) -> None:
        with suppress(OSError):
            while data := _read(stdin):
                self._sock.sendall(data)
            self._end_stdin()

    def _receive(self, feed: Callable[[memoryview], None]) -> bool:
        """Hands on what is there; False at the end of the stream."""
        with memoryview(self._buffer) as observation:
            while True:
                count = self._receive_once()
                if not count:
                    return count is None
                feed(observation[:count])
                # What TLS has unpacked already, select does not see.
                pending = getattr(self._sock, "pending", None)
                if pending is None or not pending():
                    return True

    def _receive_once(self) -> int | None:
        """How many bytes came; 0 at the end, None where there are none yet."""
        with mapped(self._connection.info, "reading a command's output"):
            try:
                return int(self._sock.recv_into(self._buffer))
            except _AGAIN:
                return None
            except _GONE:
                self._cut = True
                return 0

    def _send(self) -> None:
        with mapped(self._connection.info, "writing a command's input"):
            try:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
            except _AGAIN:
                return
            except _GONE:
                # Nobody takes any more; what is on its way to us may still be read.
                self._stdin, self._unsent = None, memoryview(b"")

    def _end_stdin(self) -> None:
        """Half-closes; a terminal knows no such end, and the engine would end the output too."""
        if self._tty:
            return
        with suppress(OSError):
            if isinstance(self._sock, socket.socket):
                # SSLSocket's own method would tear down the TLS layer for reading as well.
                socket.socket.shutdown(self._sock, socket.SHUT_WR)
            else:
                self._sock.send(b"")  # What a named pipe has for it.

    def resize(self, rows: int, columns: int) -> None:
        self._connection.read(
            "resizing the terminal", lambda c: c.exec_resize(self._id, rows, columns)
        )

    def wait(self) -> int:
        for pause in chain(_SOON, repeat(0.0 if self._cut else 0.2)):
            facts = self._connection.read(
                "asking for the exit code", lambda c: c.exec_inspect(self._id)
            )
            if not facts.get("Running"):
                break
            if not pause:
                raise EngineUnavailable(
                    "the connection to the command broke; it may still run",
                    hint="'debughost doctor' looks at the engine",
                )
            # It may have closed its output and go on.
            time.sleep(pause)
        code = facts.get("ExitCode")
        return REFUSED if code is None else int(code)

    def close(self) -> None:
        with suppress(OSError):
            self._sock.close()
        self._answer.close()


def _take_over(answer: requests.Response) -> tuple[Any, bytes]:
    """The socket of an upgraded connection, and what the reader above it has read ahead."""
    body: Any = answer.raw
    reader = body._fp.fp  # noqa: SLF001 - as docker-py does; there is no public way.
    raw = reader.raw
    sock = raw.sock if hasattr(raw, "sock") else raw._sock  # noqa: SLF001 - likewise
    if not isinstance(sock, socket.socket):
        return sock, b""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setblocking(False)
    early = b""
    with suppress(*_AGAIN):
        # Where nothing was read ahead this reads once: the reader is empty afterwards either way.
        early = reader.read1(len(reader.peek(1)))
    return sock, early


def _selectable(sock: Any) -> bool:
    return os.name != "nt" and isinstance(sock, socket.socket)


def _read(stdin: int) -> bytes | None:
    """The next bytes; none at the end or where it cannot be read, None where there are none yet."""
    try:
        return os.read(stdin, STDIN_CHUNK)
    except BlockingIOError:
        return None
    except OSError:
        return b""


class Frames:
    """Takes the engine's stream of stdout and stderr apart as it comes, keeping none of it.

    Each frame is ``stream (1 byte), 3 zeros, length (4 bytes, big endian)``, then that many bytes.
    ``plain``: there are no frames.
    """

    def __init__(self, on_output: OnOutput, *, plain: bool = False) -> None:
        self._on_output = on_output
        self._plain = plain
        self._header = bytearray()
        self._stream = "stdout"
        self._left = 0

    def feed(self, data: memoryview) -> None:
        """Takes the next bytes of the connection."""
        if self._plain and data:
            self._on_output("stdout", data)
            return
        while data:
            data = self._payload(data) if self._left else self._head(data)

    def _payload(self, data: memoryview) -> memoryview:
        part = data[: self._left]
        self._left -= len(part)
        self._on_output(self._stream, part)
        return data[len(part) :]

    def _head(self, data: memoryview) -> memoryview:
        missing = _HEADER.size - len(self._header)
        self._header += data[:missing]
        if len(self._header) == _HEADER.size:
            number, self._left = _HEADER.unpack(self._header)
            self._stream = _NAMES.get(number, "stderr")
            self._header.clear()
        return data[missing:]
