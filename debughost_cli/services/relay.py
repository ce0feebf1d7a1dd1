"""The relays of a container: what carries forwarded connections to one of its ports."""

from __future__ import annotations

import socket
import struct
import threading

from debughost_cli.container.relay import FRAMED, OPEN, REFUSED, relay_command
from debughost_cli.engine.port import Engine, ExecSpec, Execution

_LENGTH = struct.Struct(">L")
IDLE_SECONDS = 30.0
"""For a connection that sends no more, behind a relay that cannot learn of it."""
_LONGEST_REASON = 1000
_SPARE = 8
"""Relays that are kept for the connections to come: to start one takes the engine 60 ms, and a
browser opens six connections.
"""


class Refused(Exception):
    """The container did not take the connection; ``reason`` is empty where nothing listens."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RelayCodec:
    """One connection over a relay, see ``container/relay/``. ``is_used``: it had one before."""

    def __init__(self, *, is_used: bool) -> None:
        self._kind = FRAMED if is_used else b""
        self._header = b""
        self._missing = 0
        self._sends_no_more = False
        self.is_over = False
        self.is_refused = False
        self.reason = ""

    first = OPEN

    @property
    def wants_input(self) -> bool:
        return bool(self._kind)

    @property
    def is_reusable(self) -> bool:
        """True where the relay waits for another connection, once this one is over."""
        return self._kind == FRAMED and self.is_over

    @property
    def is_connected(self) -> bool:
        """False where nothing in the container has taken the connection."""
        return bool(self._kind) and not self.is_refused

    @property
    def idle_seconds(self) -> float | None:
        return IDLE_SECONDS if self._sends_no_more and self._kind != FRAMED else None

    def input(self, data: bytes) -> bytes:
        self._sends_no_more = not data
        return _LENGTH.pack(len(data)) + data if self._kind == FRAMED else data

    def output(self, stream: str, data: bytes) -> bytes:
        if stream != "stdout":
            self.reason = (self.reason + data.decode("utf-8", "replace"))[:_LONGEST_REASON]
            return b""
        if not self._kind:
            self._kind, data = data[:1], data[1:]
        return self._unframed(data) if self._kind == FRAMED else data

    def _unframed(self, data: bytes) -> bytes:
        found = []
        while data and not self.is_over:
            if self._missing:
                found.append(data[: self._missing])
                data, self._missing = data[self._missing :], self._missing - len(found[-1])
                continue
            take = _LENGTH.size - len(self._header)
            self._header, data = self._header + data[:take], data[take:]
            if len(self._header) == _LENGTH.size:
                self._begin(self._header)
                self._header = b""
        return b"".join(found)

    def _begin(self, header: bytes) -> None:
        (self._missing,) = _LENGTH.unpack(header)
        self.is_refused = header == REFUSED
        self.is_over = self.is_refused or not self._missing


class RelayPool:
    """Carries connections to one port of a container; relays that are done carry others."""

    def __init__(self, engine: Engine, ref: str, port: int) -> None:
        self._engine = engine
        self._ref = ref
        self._command = ExecSpec(relay_command(port), stdin=True)
        self._spare: list[Execution] = []
        self._guard = threading.Lock()
        self._is_closed = False

    def carry(self, peer: socket.socket) -> None:
        """Connects ``peer`` with the port until either side has ended.

        Raises Refused, and what starting a command in a container raises.
        """
        relay, is_used = self._take()
        codec = RelayCodec(is_used=is_used)
        is_whole = False
        try:
            is_whole = relay.join(peer, codec)
        finally:
            self._give_back(relay, is_reusable=is_whole and codec.is_reusable)
        if not codec.is_connected:
            raise Refused(codec.reason.strip())

    def close(self) -> None:
        """Ends the relays that carry nothing; those that do end with their connection."""
        with self._guard:
            self._is_closed = True
            spare, self._spare = self._spare, []
        for relay in spare:
            relay.close()

    def _take(self) -> tuple[Execution, bool]:
        with self._guard:
            while self._spare:
                relay = self._spare.pop()
                if relay.is_silent():
                    return relay, True
                # It has ended, with its container or the link.
                relay.close()
        return self._engine.exec.start(self._ref, self._command), False

    def _give_back(self, relay: Execution, *, is_reusable: bool) -> None:
        with self._guard:
            if is_reusable and len(self._spare) < _SPARE and not self._is_closed:
                self._spare.append(relay)
                return
        relay.close()
