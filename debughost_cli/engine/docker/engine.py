"""The engine port over docker-py: one part for each kind of object, over one connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debughost_cli.engine import decode, facts_cache
from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker.caller import Caller
from debughost_cli.engine.docker.circuit import CircuitBreaker
from debughost_cli.engine.docker.commands import DockerCommands
from debughost_cli.engine.docker.connection import Connection
from debughost_cli.engine.docker.containers import DockerContainers
from debughost_cli.engine.docker.events import DockerEvents
from debughost_cli.engine.docker.images import DockerImages
from debughost_cli.engine.docker.networks import DockerNetworks
from debughost_cli.engine.docker.volumes import DockerVolumes
from debughost_cli.engine.json_values import as_int, as_map, as_str
from debughost_cli.engine.port import DiskUsageBusy, SwarmMembership
from debughost_cli.engine.reachability import READ_TIMEOUT
from debughost_cli.engine.retry import Retrier
from debughost_cli.errors import EngineTimeout
from debughost_cli.resources import DiskUsage, EngineInfo, UserMapping

if TYPE_CHECKING:
    from debughost_cli.engine.docker.swarm import DockerSwarm

BUSY_PAUSE = 0.1
"""Seconds between two requests while the engine measures for another client."""


class DockerEngine:
    """An engine reached over docker-py; raises as the port documents."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._facts: facts_cache.Facts | None = None
        self._facts_guard = threading.Lock()
        self.containers = DockerContainers(caller)
        self.exec = DockerCommands(caller)
        self.events = DockerEvents(caller)
        self.networks = DockerNetworks(caller)
        self.volumes = DockerVolumes(caller)
        self.images = DockerImages(caller)

    @classmethod
    def connect(
        cls,
        address: Address,
        *,
        on_retry: Callable[[str], None] | None,
        trace: Callable[[str], None] = lambda _: None,
        timeout: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> DockerEngine:
        """The engine at ``address``, once it has answered; ``timeout``: seconds for an answer.

        ``on_retry`` gets a line before each retry; without it there are none.

        Raises EngineUnavailable, EngineTimeout, EnginePermissionDenied, EngineTooOld.
        """
        circuit = CircuitBreaker(Retrier(on_retry, sleep), timeout or READ_TIMEOUT)
        return cls(Caller(Connection(address, circuit), circuit, trace))

    @property
    def info(self) -> EngineInfo:
        return self._caller.info

    def identity(self) -> str:
        """The ID in ``GET /info``, or the address of an engine that has none."""
        return self._read_facts().identity

    def memory_bytes(self) -> int:
        """``MemTotal`` in ``GET /info``."""
        return self._read_facts().memory

    def users(self) -> UserMapping:
        """From ``SecurityOptions`` and ``DockerRootDir`` in ``GET /info``."""
        if self.info.maps_users:
            return UserMapping(by_engine=True)
        return self._read_facts().users

    def membership(self) -> SwarmMembership:
        """From ``Swarm`` in ``GET /info``."""
        kept = None if self._facts else facts_cache.read_swarm(self.info.endpoint)
        return kept or self._read_facts().swarm

    @cached_property
    def swarm(self) -> DockerSwarm:
        """Loaded where it is needed: most engines are in no swarm."""
        from debughost_cli.engine.docker.swarm import DockerSwarm

        return DockerSwarm(self._caller, self._reread_membership)

    def _read_facts(self) -> facts_cache.Facts:
        # Many threads of "status" need them at the same moment.
        with self._facts_guard:
            if self._facts is None:
                self._facts = facts_cache.read(self.info.endpoint) or self._request_facts()
            return self._facts

    def _reread_membership(self) -> SwarmMembership:
        with self._facts_guard:
            self._facts = self._request_facts()
            return self._facts.swarm

    def _request_facts(self) -> facts_cache.Facts:
        from debughost_cli.engine.swarm_decode import membership

        endpoint = self.info.endpoint
        found = as_map(self._caller.read("identifying the engine", lambda c: c.info()))
        identity = as_str(found.get("ID")) or endpoint
        facts = facts_cache.Facts(
            identity, as_int(found.get("MemTotal")), decode.users(found), membership(found)
        )
        facts_cache.keep(endpoint, facts)
        return facts

    @property
    def connection_failures(self) -> int:
        return self._caller.connection_failures

    def ping(self) -> None:
        self._caller.ping()

    def close(self) -> None:
        """Closes pooled connections."""
        self._caller.close()

    def disk_usage(self) -> DiskUsage:
        """Engine 20.10 measures for one client at a time, and refuses the others meanwhile."""
        deadline = time.monotonic() + self._caller.timeout
        while True:
            try:
                usage = self._caller.read("measuring the disk", lambda c: decode.disk_usage(c.df()))
                return self._with_labels(usage)
            except DiskUsageBusy as exc:
                if time.monotonic() >= deadline:
                    raise _still_busy(exc) from exc
            self._caller.sleep(BUSY_PAUSE)

    def _with_labels(self, usage: DiskUsage) -> DiskUsage:
        """Podman measures volumes, and leaves out what else it knows of them."""
        if all(volume.created_at for volume in usage.volumes):
            return usage
        known = {volume.name: volume for volume in self.volumes.list()}
        measured = tuple(
            replace(known[v.name], size_bytes=v.size_bytes, in_use=v.in_use)
            for v in usage.volumes
            if v.name in known
        )
        return replace(usage, volumes=measured)


def _still_busy(exc: DiskUsageBusy) -> EngineTimeout:
    return EngineTimeout(
        f"the engine is still measuring its disk for another client: {exc.message}",
        hint="Try again in a moment; 'docker system df' and similar commands keep it busy",
    )
