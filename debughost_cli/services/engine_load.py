"""How much memory an engine has left, by the limits of what runs there."""

from __future__ import annotations

from msgspec import Struct

from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.planning.instance import instances
from debughost_cli.services.projects import MANAGED_FILTER
from debughost_cli.services.results import EngineReport
from debughost_cli.services.worker_pool import WorkerPool

WORKERS = 8


class EngineLoad(Struct, frozen=True):
    """``reserved_bytes``: the memory limits of all containers of ours that run, together.

    ``projects``: how many there are, ``running``: how many of them run.
    """

    memory_bytes: int
    reserved_bytes: int
    projects: int
    running: int

    @property
    def free_bytes(self) -> int:
        """What is left where each uses all that it may."""
        return max(0, self.memory_bytes - self.reserved_bytes)


class EngineState(Struct, frozen=True):
    """An engine of the user's own file; ``load``: None where it does not answer."""

    report: EngineReport
    capacity: int | None = None
    version: str = ""
    load: EngineLoad | None = None


def load_of(engine: Engine) -> EngineLoad:
    """What runs on an engine, by the labels and limits of its containers."""
    listed = engine.containers.list([MANAGED_FILTER])
    found = instances(listed)
    running = [c.id for c in listed if c.is_running]
    with WorkerPool(min(WORKERS, max(1, len(running)))) as pool:
        limits = pool.map(lambda ref: _limit(engine, ref), running)
    count = sum(i.main.is_running for i in found.values())
    return EngineLoad(engine.memory_bytes(), sum(limits), len(found), count)


def _limit(engine: Engine, ref: str) -> int:
    """The memory limit of a container; 0 for none, and for one that is gone by now."""
    try:
        return engine.containers.inspect(ref).limits.memory_bytes
    except NotFound:
        return 0
