"""One engine of a ``DebugHost``, connected on first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from debughost_cli.engine.port_swarm_types import SwarmRole
from debughost_cli.resources import EngineInfo

if TYPE_CHECKING:
    from debughost_cli.engine.connect import Address
    from debughost_cli.engine.port import Engine
    from debughost_cli.services.progress import Progress


ANSWER_TIMEOUT = 3.0
"""Seconds that an engine has for an answer where several are asked at once."""


class Connect(Protocol):
    """Connects to an engine, as ``DockerEngine.connect`` does."""

    def __call__(
        self,
        address: Address,
        *,
        on_retry: Callable[[str], None] | None,
        trace: Callable[[str], None],
        timeout: float | None,
    ) -> Engine: ...


class EngineSource:
    """Connects to the engine at the address that ``find`` returns, and closes what it connected.

    ``given``: an engine that is connected already, which whoever connected it also closes.
    ``name``: the one that the user gave it, empty for none. ``nodes``: where the nodes of a swarm
    are looked for that it manages.
    """

    def __init__(
        self,
        find: Callable[[], Address],
        progress: Progress,
        given: Engine | None = None,
        connect: Connect | None = None,
        name: str = "",
        nodes: Callable[[], Sequence[EngineSource]] = tuple,
    ) -> None:
        self.name = name
        self._find = find
        self._progress = progress
        self._given = given
        self._connect = connect
        self._engine: Engine | None = None
        self._quick: Engine | None = None
        self._opened: list[Engine] = []
        self._nodes = nodes
        self._guard = threading.Lock()
        self._quick_guard = threading.Lock()
        self.info: EngineInfo | None = None
        """The address as soon as it is known, with the version once connected."""

    def get(self) -> Engine:
        """The engine. Raises what connecting raises."""
        with self._guard:
            if self._engine is None:
                self._engine = self._with_nodes(self.connect())
            return self._engine

    def quick(self) -> Engine:
        """For asking many engines at once: a few seconds for an answer, nothing is tried again."""
        # A guard of its own: closing must not wait for an engine that does not answer.
        with self._quick_guard:
            if self._quick is None:
                made = self.connect(timeout=ANSWER_TIMEOUT, retry=False)
                self._quick = self._with_nodes(made)
            return self._quick

    def forget(self) -> None:
        """The next one to ask connects again: an engine did not answer any more."""
        self._quick = None

    def reconnecting(self) -> Engine:
        """For work that goes on while the engine is away: a failed call is not tried again."""
        self.get().close()
        with self._guard:
            # The next one to ask gets open connections.
            self._engine = None
        return self._with_nodes(self.connect(retry=False))

    def connect(self, *, timeout: float | None = None, retry: bool = True) -> Engine:
        """A new connection. ``timeout``: seconds for an answer in place of the usual ones."""
        if self._given:
            self.info = self._given.info
            return self._given
        address = self._find()
        self.info = EngineInfo(address.url, address.source)
        connect: Connect
        if self._connect:
            connect = self._connect
        else:
            from debughost_cli.engine.docker.engine import DockerEngine

            connect = DockerEngine.connect
        from debughost_cli.services.progress import PhaseKind

        with self._progress.task(""):
            self._progress.phase(PhaseKind.ENGINE, f"Waiting for the engine at {address.url}")
            engine = connect(
                address,
                on_retry=self._progress.notice if retry else None,
                trace=self._progress.trace,
                timeout=timeout,
            )
        self._opened.append(engine)
        self.info = engine.info
        return engine

    def _with_nodes(self, engine: Engine) -> Engine:
        """A manager of a swarm with the engines of its nodes; any other engine as it is."""
        if engine.membership().role is not SwarmRole.MANAGER:
            return engine
        from debughost_cli.api.node_engines import NodeEngines
        from debughost_cli.deployment.swarm_engine import SwarmEngine

        return SwarmEngine(engine, NodeEngines(engine, self._nodes()), self._progress.warn)

    def reread_swarm(self) -> None:
        """For an engine that may have become a manager since its facts were read."""
        engine = self.get()
        with self._guard:
            if engine.membership().role is not SwarmRole.MANAGER:
                engine.swarm.membership()
                self._engine = self._with_nodes(engine)

    def close(self) -> None:
        """Closes all connections; the next call connects again."""
        with self._guard:
            self._engine = self._quick = None
            while self._opened:
                self._opened.pop().close()
