"""Where a swarm runs a project, as users see it."""

from __future__ import annotations

from msgspec import Struct


class SwarmPlace(Struct, frozen=True):
    """A project's service, and the node with its volumes.

    ``node_state``: ready, down, disconnected, pause, drain or unknown. ``task``: the state of its
    task, as Docker has it; empty for none. ``reason``: why the project does not run, or why it is
    not known whether it does; empty where all is well.
    """

    service: str
    node: str
    node_state: str
    task: str
    reason: str = ""

    @property
    def is_lost(self) -> bool:
        """Whether the manager hears nothing of the node."""
        return self.node_state in ("down", "disconnected", "unknown")
