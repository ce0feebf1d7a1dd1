"""``forward``: the ports of projects on other machines, on this machine's 127.0.0.1.

Every connection is carried by a command of its own in the container, over the engine's API: so it
works however the engine is reached, and also where no port is published.
"""

from __future__ import annotations

import queue
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from enum import StrEnum

from msgspec import Struct

from debughost_cli.cancel import CancelToken
from debughost_cli.closing import Closing
from debughost_cli.deployment.places import url_host
from debughost_cli.engine.port import Conflict, Engine, NotFound
from debughost_cli.errors import DebughostError, Interrupted, PortInUse, ProjectNotFound
from debughost_cli.models import THIS_MACHINE
from debughost_cli.resources import Container
from debughost_cli.services import local_ports
from debughost_cli.services.projects import get_instance, inspect_main, member, published
from debughost_cli.services.relay import Refused, RelayPool
from debughost_cli.specs import HTTP, PortBinding

LOOPBACK = "127.0.0.1"
_TICK = 0.5
"""Seconds after which a wait looks whether it is to end."""
_RESET = struct.pack("ii", 1, 0)


class ForwardKind(StrEnum):
    """What happened to a forwarded port."""

    LISTENING = "listening"
    FAILED = "failed"
    RECOVERED = "recovered"


class ForwardedPort(Struct, frozen=True):
    """A port of a project, as it is on this machine."""

    project: str
    name: str
    port: int
    host: str
    """The engine's machine."""
    url: str
    """Where it is reached on this machine."""
    service: str = ""
    """The companion service whose port it is; empty for the project's own program."""


class ForwardEvent(Struct, frozen=True):
    """Something that happened to a forwarded port; ``message``: why it failed."""

    kind: ForwardKind
    port: ForwardedPort
    message: str = ""


class ForwardService:
    """Forwards the ports of projects of one engine."""

    def __init__(
        self, engine: Engine, on_local: Callable[[str], None], cancel: CancelToken
    ) -> None:
        """``on_local``: gets a sentence for each project that is on this machine already."""
        self._engine = engine
        self._on_local = on_local
        self._cancel = cancel

    def open(
        self, projects: Sequence[str], on_taken: Callable[[PortInUse], None] | None = None
    ) -> Forwarding:
        """Raises ProjectNotFound, also for one that does not run, and PortInUse.

        ``on_taken``: gets the error for each port that is in use here; the others are forwarded.
        """
        ports: list[ForwardedPort] = []
        for project in dict.fromkeys(projects):
            ports += self._ports(inspect_main(self._engine, project))
        return Forwarding(self._engine, ports, self._cancel, on_taken)

    def _ports(self, container: Container) -> list[ForwardedPort]:
        project, bindings = container.project, bindings_of(container)
        if not container.is_running:
            raise ProjectNotFound(
                f"project {project} is not running ({container.status})",
                hint=f"Start it with 'debughost start {project}'",
                details={"project": project, "state": container.status.value},
            )
        host = url_host(self._engine.info, container.labels)
        if host == THIS_MACHINE:
            places = ", ".join(f"{LOOPBACK}:{b.host_port}" for b in bindings) or "no port"
            self._on_local(f"{project} is on this machine already: {places}")
            return []
        own = [_forwarded(project, host, binding) for binding in bindings]
        return [*own, *self._ports_of_services(project, host)]

    def _ports_of_services(self, project: str, host: str) -> Iterator[ForwardedPort]:
        for summary in get_instance(self._engine, project).companions:
            # One that is just being replaced has a successor with the same ports.
            with suppress(NotFound):
                container = self._engine.containers.inspect(summary.id)
                for binding in container.ports:
                    yield _forwarded(project, host, binding, container.service)


def _forwarded(project: str, host: str, binding: PortBinding, service: str = "") -> ForwardedPort:
    (shown,) = published((binding,))
    name = service or binding.name
    return ForwardedPort(project, name, binding.host_port, host, shown.url, service)


class Forwarding(Closing):
    """Listens while it is open; iterated over, it gives what happens until it is cancelled."""

    def __init__(
        self, engine: Engine, ports: Sequence[ForwardedPort], cancel: CancelToken,
        on_taken: Callable[[PortInUse], None] | None = None,
    ) -> None:  # fmt: skip
        """Raises PortInUse, unless ``on_taken`` gets it."""
        self.connections = 0
        self._engine = engine
        self._cancel = cancel
        self._targets = _Targets(engine)
        self._events: queue.SimpleQueue[ForwardEvent] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._failed: set[ForwardedPort] = set()
        self._peers: set[socket.socket] = set()
        self._is_closed = False
        self._listeners: dict[socket.socket, ForwardedPort] = {}
        try:
            for port in dict.fromkeys(ports):
                try:
                    self._listeners[_listen(port)] = port
                except PortInUse as exc:
                    if not on_taken:
                        raise
                    on_taken(exc)
        except BaseException:
            self.close()
            raise
        self.ports = tuple(self._listeners.values())
        for port in self.ports:
            self._events.put(ForwardEvent(ForwardKind.LISTENING, port))
        if self.ports:
            threading.Thread(target=self._accept, daemon=True).start()

    def __iter__(self) -> Iterator[ForwardEvent]:
        """Raises Interrupted once it is cancelled; without ports it has nothing to wait for."""
        while self.ports:
            if self._cancel.is_set():
                raise Interrupted
            with suppress(queue.Empty):
                yield self._events.get(timeout=_TICK)

    def pending(self) -> list[ForwardEvent]:
        """What has happened since the last call, for those who wait for other things as well."""
        found: list[ForwardEvent] = []
        with suppress(queue.Empty):
            while True:
                found.append(self._events.get_nowait())
        return found

    def close(self) -> None:
        """Ends all connections, and what carries them in the containers."""
        with self._guard:
            self._is_closed = True
            peers = list(self._peers)
        for listener in self._listeners:
            with suppress(OSError):
                # Closed alone, it goes on listening while the thread waits for it.
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for peer in peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        self._targets.close()

    def _accept(self) -> None:
        while not self._is_closed:
            with suppress(OSError, ValueError):
                # A listener that was closed meanwhile, or no descriptor left for another one.
                for listener in select.select(list(self._listeners), [], [], _TICK)[0]:
                    peer, _ = listener.accept()
                    arguments = (peer, self._listeners[listener])
                    threading.Thread(target=self._serve, args=arguments, daemon=True).start()

    def _serve(self, peer: socket.socket, port: ForwardedPort) -> None:
        with self._guard:
            if self._is_closed:
                peer.close()
                return
            self._peers.add(peer)
            self.connections += 1
        with closing(peer):
            try:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._targets.connect(port, peer)
            except (DebughostError, Refused, OSError) as exc:
                self._report(port, _why(port, exc))
                # As a port does on which nothing listens, as far as that is possible by now.
                with suppress(OSError):
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            else:
                self._report(port, "")
        with self._guard:
            self._peers.discard(peer)

    def _report(self, port: ForwardedPort, message: str) -> None:
        """Of many connections that fail, and of those that work again, the first one."""
        with self._guard:
            if bool(message) == (port in self._failed) or self._is_closed:
                return
            self._failed ^= {port}
        kind = ForwardKind.FAILED if message else ForwardKind.RECOVERED
        self._events.put(ForwardEvent(kind, port, message))


class _Targets:
    """Where in the containers the ports are; looked up again after a container was replaced."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pools: dict[ForwardedPort, RelayPool] = {}

    def connect(self, port: ForwardedPort, peer: socket.socket) -> None:
        """Carries a connection until it has ended. Raises Refused, and errors of the engine."""
        known = self._pools.get(port)
        if known:
            with suppress(NotFound, Conflict):
                known.carry(peer)
                return
        pool = self._pools[port] = self._find(port)
        pool.carry(peer)

    def close(self) -> None:
        """Ends the relays that carry nothing."""
        for pool in list(self._pools.values()):
            pool.close()

    def _find(self, port: ForwardedPort) -> RelayPool:
        if port.service:
            found = member(get_instance(self._engine, port.project), port.service)
            container = self._engine.containers.inspect(found.id)
        else:
            container = inspect_main(self._engine, port.project)
        inner = {b.host_port: b.container_port for b in bindings_of(container)}
        return RelayPool(self._engine, container.id, inner.get(port.port, port.port))


def bindings_of(container: Container) -> tuple[PortBinding, ...]:
    """Its ports; those of its labels where none is published."""
    own = (PortBinding(HTTP, container.port, container.port),) if container.port else ()
    return container.ports or (*own, *container.extra_ports)


def _listen(port: ForwardedPort) -> socket.socket:
    if not local_ports.is_taken(port.port):
        with suppress(OSError):
            return socket.create_server((LOOPBACK, port.port), backlog=128)
    free = next((p for p in range(port.port + 1, 65536) if not local_ports.is_taken(p)), None)
    holder = local_ports.listener(port.port)
    if port.service:
        what = f"{port.service} of {port.project}"
        other = f"set another port: services.{port.service}.publish"
    else:
        what = port.project
        other = "give the project a port that is free on both machines: "
        other += f"debughost up -p {port.project} --port {free}+"
    raise PortInUse(
        f"port {port.port} of this machine, to which {what} is to be forwarded, is held by "
        f"{holder}",
        hint=f"End what holds it, or {other}",
        details={"port": port.port, "project": port.project, "next_free": free},
        next_free=free,
    )


def _why(port: ForwardedPort, exc: Exception) -> str:
    if isinstance(exc, Refused):
        return exc.reason or f"nothing listens on the port {port.name} of {port.project}"
    return str(exc)
