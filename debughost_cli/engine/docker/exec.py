"""A running command in a container: the upgraded connection, and its bytes in both directions.

docker-py's own way reads from the socket below a buffered reader that may hold the first bytes of
the output already, and knows no half-close.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, repeat
from typing import Any

import requests

from debughost_cli.engine.docker import vendor
from debughost_cli.engine.docker.caller import Caller
from debughost_cli.engine.docker.demultiplex import Demultiplexer, stream_name
from debughost_cli.engine.port import Codec, ExecSpec, OnOutput
from debughost_cli.errors import EngineUnavailable

CHUNK = 256 * 1024
STDIN_CHUNK = 64 * 1024
REFUSED = 125
_SOON = (0.005, 0.01, *[0.02] * 50)
"""Pauses between two requests: the engine often learns of the end just after the streams'."""
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_GONE = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError)


class DockerExec:
    """A started command and the connection to its streams."""

    def __init__(
        self, caller: Caller, id_: str, response: requests.Response, spec: ExecSpec
    ) -> None:
        self._caller = caller
        self._id = id_
        self._response = response  # Closes the socket when it is collected.
        self._sock, self._early = _take_over(response)
        self._tty = spec.tty
        self._buffer = bytearray(CHUNK)
        self._stdin: int | None = None
        self._unsent = memoryview(b"")
        self._cut = False

    def pump(self, stdin: int | None, on_output: OnOutput) -> None:
        frames = Demultiplexer(partial=True)

        def feed(data: memoryview) -> None:
            for number, payload in frames.feed(data):
                on_output(stream_name(number), memoryview(payload))

        def feed_plain(data: memoryview) -> None:
            on_output("stdout", data)

        take = feed_plain if self._tty else feed
        if self._early:
            take(memoryview(self._early))
        self._stdin = stdin
        run = self._by_turns if _selectable(self._sock) else self._with_thread
        run(take)

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
        """Passes on what has arrived; False at the end of the stream."""
        with memoryview(self._buffer) as view:
            while True:
                count = self._receive_once()
                if not count:
                    return count is None
                feed(view[:count])
                # select does not see what TLS has decrypted already.
                pending = getattr(self._sock, "pending", None)
                if pending is None or not pending():
                    return True

    def _receive_once(self) -> int | None:
        """How many bytes arrived; 0 at the end, None where there are none yet."""
        with self._caller.mapped("reading a command's output"):
            try:
                return int(self._sock.recv_into(self._buffer))
            except _AGAIN:
                return None
            except _GONE:
                self._cut = True
                return 0

    def _send(self) -> None:
        with self._caller.mapped("writing a command's input"):
            try:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
            except _AGAIN:
                return
            except _GONE:
                # Nothing reads it any more; the output that is on its way may still arrive.
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
                self._sock.send(b"")  # The end of a named pipe.

    def join(self, peer: socket.socket, codec: Codec) -> bool:
        from debughost_cli.engine.docker.duplex import Duplex

        early, self._early = self._early, b""
        # What broke or was closed has an owner; there is nothing else to be done about it.
        with suppress(OSError, ValueError):
            return Duplex(self._sock, early, peer, codec).run()
        return False

    def is_silent(self) -> bool:
        from debughost_cli.engine.docker.duplex import wait

        try:
            wait([self._sock], [], 0.0)
        except TimeoutError:
            return not self._early
        return False

    def resize(self, rows: int, columns: int) -> None:
        self._caller.read("resizing the terminal", lambda c: c.exec_resize(self._id, rows, columns))

    def wait(self) -> int:
        for pause in chain(_SOON, repeat(0.0 if self._cut else 0.2)):
            facts = self._caller.read("reading the exit code", lambda c: c.exec_inspect(self._id))
            if not facts.get("Running"):
                break
            if not pause:
                raise EngineUnavailable(
                    "the connection to the command broke; it may still run",
                    hint="'debughost doctor' checks the engine",
                )
            # It may have closed its output and still run.
            self._caller.sleep(pause)
        code = facts.get("ExitCode")
        return REFUSED if code is None else int(code)

    def close(self) -> None:
        with suppress(OSError):
            if isinstance(self._sock, socket.socket):
                # Others hold it open: the command's input ends now, not with them.
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
            self._sock.close()
        self._response.close()


def _take_over(response: requests.Response) -> tuple[Any, bytes]:
    """The socket of an upgraded connection, and what the reader above it has read ahead."""
    reader, sock = vendor.upgraded(response)
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
