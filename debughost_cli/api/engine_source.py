"""The engine of a ``DebugHost``, connected on first use."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from debughost_cli.resources import EngineInfo

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine
    from debughost_cli.services.progress import Progress


class EngineSource:
    """Finds the engine's address, connects, and closes what it connected.

    ``given``: an engine that is connected already, which whoever connected it also closes.
    """

    def __init__(
        self,
        host: str | None,
        context: str | None,
        environ: Mapping[str, str],
        progress: Progress,
        given: Engine | None = None,
    ) -> None:
        self._host = host
        self._context = context
        self._environ = environ
        self._progress = progress
        self._given = given
        self._engine: Engine | None = None
        self._opened: list[Engine] = []
        self._guard = threading.Lock()
        self.info: EngineInfo | None = None
        """The address as soon as it is known, with the version once connected."""

    def get(self) -> Engine:
        """The engine. Raises what connecting raises."""
        with self._guard:
            if self._engine is None:
                self._engine = self.connect()
            return self._engine

    def reconnecting(self) -> Engine:
        """For work that goes on while the engine is away: a failed call is not tried again."""
        self.get().close()
        return self.connect(retry=False)

    def connect(self, *, timeout: float | None = None, retry: bool = True) -> Engine:
        """A new connection. ``timeout``: seconds for an answer in place of the usual ones."""
        if self._given:
            self.info = self._given.info
            return self._given
        from debughost_cli.engine.connect import resolve_address

        host, context, environ = self._host, self._context, self._environ
        if not host and not context:
            host, context = environ.get("DEBUGHOST_HOST"), environ.get("DEBUGHOST_CONTEXT")
        address = resolve_address(host, context, environ)
        self.info = EngineInfo(address.url, address.source)
        from debughost_cli.engine.docker.engine import DockerEngine
        from debughost_cli.services.progress import PhaseKind

        with self._progress.task(""):
            self._progress.phase(PhaseKind.ENGINE, f"Waiting for the engine at {address.url}")
            engine = DockerEngine.connect(
                address,
                on_retry=self._progress.notice if retry else None,
                trace=self._progress.trace,
                timeout=timeout,
            )
        self._opened.append(engine)
        self.info = engine.info
        return engine

    def close(self) -> None:
        """Closes all connections; the next call connects again."""
        with self._guard:
            self._engine = None
            while self._opened:
                self._opened.pop().close()
