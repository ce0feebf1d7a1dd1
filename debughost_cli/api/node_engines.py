"""The engines of a swarm's nodes, found among those that the user has named."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from debughost_cli.errors import DebughostError
from debughost_cli.services.worker_pool import WorkerPool

if TYPE_CHECKING:
    from debughost_cli.api.engine_source import EngineSource
    from debughost_cli.engine.port import Engine


class NodeEngines:
    """Asks all of them at once, when the first one is needed.

    A node that none of them is gets none: nobody else knows how it is reached.
    """

    def __init__(self, manager: Engine, sources: Sequence[EngineSource]) -> None:
        self._manager = manager
        self._sources = sources
        self._found: Mapping[str, Engine] | None = None
        self._guard = threading.Lock()

    def __call__(self, node: str) -> Engine | None:
        """The engine of a node, None where none of the named ones is its or answers."""
        if node == self._manager.membership().node:
            return self._manager
        with self._guard:
            if self._found is None:
                self._found = self._ask()
            return self._found.get(node)

    def _ask(self) -> Mapping[str, Engine]:
        if not self._sources:
            return {}
        with WorkerPool(len(self._sources)) as pool:
            answers = pool.map(_reach, self._sources)
        return dict(filter(None, answers))


def _reach(source: EngineSource) -> tuple[str, Engine] | None:
    try:
        engine = source.quick()
        return engine.membership().node, engine
    except DebughostError:
        return None
