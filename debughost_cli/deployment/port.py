"""The lifecycle of a project's containers, independent of the place where they run.

Reading (logs, statistics, the launcher's status, events) and commands in containers go to the
engine that runs the container, wherever that is; only what this port names differs between places.
"""

from __future__ import annotations

from typing import Protocol

from debughost_cli.resources import Container, ContainerSummary
from debughost_cli.specs import ServiceSpec


class Deployment(Protocol):
    """Creates, starts, stops and removes the containers of services.

    Every method may raise what the engine port's methods of that name raise.
    """

    def create(self, name: str, spec: ServiceSpec) -> str:
        """The new container's id; it is not started yet."""
        ...

    def start(self, ref: str) -> None:
        """Starts a container; one that runs is fine."""
        ...

    def stop(self, container: Container | ContainerSummary, timeout: int) -> None:
        """SIGTERM, and SIGKILL after ``timeout`` seconds; the launcher records the SIGTERM."""
        ...

    def resume(self, ref: str) -> None:
        """Resumes a paused container; one that runs is fine."""
        ...

    def remove(self, ref: str) -> None:
        """Removes a container, running or not; one that is gone is fine."""
        ...
