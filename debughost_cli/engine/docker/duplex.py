"""A command's streams joined with a connection of this machine, in both directions at once.

No more is read from either side than the other one takes, and neither waits for the other: where
one is full, bytes still move the other way. One thread does both, as a TLS connection needs it.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

from debughost_cli.engine.docker.demultiplex import Demultiplexer, stream_name
from debughost_cli.engine.port_types import Codec

CHUNK = 32 * 1024
FULL = 256 * 1024
"""Bytes for one side after which the other one is not read."""
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Socket(Protocol):
    """What is used of a socket, plain or with TLS."""

    def fileno(self) -> int: ...

    def recv(self, size: int, /) -> bytes: ...

    def send(self, data: bytearray, /) -> int: ...

    def setblocking(self, flag: bool, /) -> None: ...


class Duplex:
    """``sock``: the upgraded connection to the engine, ``early`` what was read of it already."""

    def __init__(self, sock: Socket, early: bytes, peer: socket.socket, codec: Codec) -> None:
        self._sock = sock
        self._peer = peer
        self._codec = codec
        self._frames = Demultiplexer(partial=True)
        self._to_engine = bytearray(codec.first)
        self._to_peer = bytearray()
        self._is_peer_open = True
        self._take_output(early)

    def run(self) -> bool:
        """Until it is over, the command has ended, or the connection is gone. Raises OSError.

        True where it is over and all input was sent.
        """
        for sock in (self._sock, self._peer):
            sock.setblocking(False)
        is_open = True
        while (is_open and not self._codec.is_over) or self._to_peer:
            readable, writable = self._wait(is_open)
            if self._sock in readable:
                is_open = self._receive_output()
            if self._peer in readable:
                self._take_input(received(self._peer))
            if self._sock in writable:
                send(self._sock, self._to_engine)
            if self._peer in writable:
                send(self._peer, self._to_peer)
        return is_open and not self._to_engine

    def _wait(self, is_open: bool) -> tuple[list[Socket], list[Socket]]:
        reads: list[Socket] = []
        writes: list[Socket] = []
        is_going = is_open and not self._codec.is_over
        if is_going and len(self._to_peer) < FULL:
            reads.append(self._sock)
        if is_going and self._is_peer_open and self._codec.wants_input and not self._to_engine:
            reads.append(self._peer)
        if self._to_engine and is_open:
            writes.append(self._sock)
        if self._to_peer:
            writes.append(self._peer)
        return wait(reads, writes, self._codec.idle_seconds)

    def _receive_output(self) -> bool:
        data = received(self._sock)
        while data:
            self._take_output(data)
            # What TLS has decrypted already is not seen from outside.
            pending = getattr(self._sock, "pending", None)
            data = received(self._sock) if pending and pending() else None
        return data != b""

    def _take_output(self, data: bytes) -> None:
        for number, payload in self._frames.feed(data):
            self._to_peer += self._codec.output(stream_name(number), bytes(payload))

    def _take_input(self, data: bytes | None) -> None:
        if data is None:
            return
        self._is_peer_open = data != b""
        self._to_engine += self._codec.input(data)


def wait(
    reads: list[Socket], writes: list[Socket], seconds: float | None
) -> tuple[list[Socket], list[Socket]]:
    """Those that can be read, and written; select alone knows no descriptor above 1023.

    Raises TimeoutError after so many seconds in which nothing happened.
    """
    if not hasattr(select, "poll"):
        readable, writable, _ = select.select(reads, writes, [], seconds)
        found = (readable, writable)
    else:
        poll = select.poll()
        for sock, events in _events(reads, writes):
            poll.register(sock, events)
        ready = dict(poll.poll(None if seconds is None else seconds * 1000))
        gone = select.POLLHUP | select.POLLERR
        found = (
            [s for s in reads if ready.get(s.fileno(), 0) & (select.POLLIN | gone)],
            [s for s in writes if ready.get(s.fileno(), 0) & (select.POLLOUT | gone)],
        )
    if not any(found):
        raise TimeoutError
    return found


def _events(reads: list[Socket], writes: list[Socket]) -> Iterator[tuple[Socket, int]]:
    for sock in {*reads, *writes}:
        yield sock, select.POLLIN * (sock in reads) | select.POLLOUT * (sock in writes)


def received(sock: Socket) -> bytes | None:
    """What has arrived: nothing at the end, None where there is none yet. Raises OSError."""
    with suppress(*_AGAIN):
        return bytes(sock.recv(CHUNK))
    return None


def send(sock: Socket, data: bytearray) -> None:
    """Takes from ``data`` what can be sent now. Raises OSError."""
    with suppress(*_AGAIN):
        del data[: sock.send(data)]
