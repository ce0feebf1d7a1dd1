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
    """Asks all of them at once which node they are, when the first one is needed.

    A node that none of them is gets none: nobody else knows how it is reached.
    """

    def __init__(self, manager: Engine, sources: Sequence[EngineSource]) -> None:
        self._manager = manager
        self._sources = sources
        self._found: Mapping[str, EngineSource] | None = None
        self._connected: dict[str, Engine | None] = {}
        self._guard = threading.Lock()

    def __call__(self, node: str) -> Engine | None:
        """The engine of a node, None where none of the named ones is its or answers."""
        if node == self._manager.membership().node:
            return self._manager
        with self._guard:
            if self._found is None:
                self._found = self._ask()
            if node not in self._connected:
                self._connected[node] = self._connect(node)
            return self._connected[node]

    def _ask(self) -> Mapping[str, EngineSource]:
        if not self._sources:
            return {}
        with WorkerPool(len(self._sources)) as pool:
            answers = pool.map(_node_of, self._sources)
        return dict(filter(None, answers))

    def _connect(self, node: str) -> Engine | None:
        """With the usual time for an answer: a workspace or an image takes longer to get there."""
        assert self._found is not None
        try:
            return self._found[node].connect(retry=False) if node in self._found else None
        except DebughostError:
            return None


def _node_of(source: EngineSource) -> tuple[str, EngineSource] | None:
    try:
        # Not what was kept: a name must not lead to another node than that of today.
        return source.quick().swarm.membership().node, source
    except DebughostError:
        return None
