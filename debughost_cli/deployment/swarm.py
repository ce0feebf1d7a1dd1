"""Projects of a swarm: services of one replica, which their manager starts, stops and removes."""

from __future__ import annotations

from contextlib import suppress

from debughost_cli import names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment.managers import no_majority
from debughost_cli.deployment.single import SingleEngineDeployment
from debughost_cli.deployment.swarm_engine import SwarmEngine
from debughost_cli.deployment.swarm_view import SwarmMember
from debughost_cli.engine.port import Conflict, NotFound
from debughost_cli.errors import EngineTimeout, EngineUnavailable, InUse
from debughost_cli.resources import Container, ContainerSummary
from debughost_cli.specs import ServiceSpec

STOP_TIMEOUT = 30
"""Seconds between SIGTERM and SIGKILL where the swarm itself ends a task."""
_LATE = 4.0
"""Seconds until the swarm sends SIGTERM."""
_SLOWER = 15.0
"""Seconds that a swarm takes longer for an end than the container itself."""
_PAUSE = 0.1


class SwarmDeployment:
    """The deployment on a manager; what is no project of the swarm is on its own engine."""

    def __init__(self, engine: SwarmEngine, clock: Clock = SYSTEM_CLOCK) -> None:
        self._engine = engine
        self._own = SingleEngineDeployment(engine)
        self._clock = clock

    def create(self, name: str, spec: ServiceSpec) -> str:
        return self._own.create(name, spec)

    def start(self, ref: str) -> None:
        member = self._engine.view.member_of(ref)
        if member is None:
            self._own.start(ref)
        else:
            self._engine.swarm.scale(member.service.id, 1)

    def stop(self, container: Container | ContainerSummary, timeout: int) -> None:
        """Ends when its container is gone, or at once where its node is not reached."""
        member = self._engine.view.member_of(container.id)
        if member is None:
            if names.SWARM_SERVICE in container.labels:
                raise no_majority(self._engine, container.project)
            self._own.stop(container, timeout)
            return
        self._engine.swarm.scale(member.service.id, 0)
        self._await_end(member, timeout)

    def resume(self, ref: str) -> None:
        self._own.resume(ref)

    def remove(self, ref: str) -> None:
        member = self._engine.view.member_of(ref)
        if member is None:
            self._own.remove(ref)
            return
        self._engine.swarm.remove(member.service.id)
        self._await_end(member, STOP_TIMEOUT)
        with suppress(EngineUnavailable, EngineTimeout):
            _clear(member)

    def _await_end(self, member: SwarmMember, timeout: int) -> None:
        """Until what runs of it has ended, or its node is not reached.

        A swarm has one stop timeout for all stops, and sends SIGTERM a few seconds late: what runs
        ``timeout`` seconds after that is killed.
        """
        began, is_killed = self._clock.monotonic(), False
        for container in member.containers if member.engine else ():
            while self._clock.monotonic() < began + timeout + _SLOWER:
                if not self._runs(member, container.id):
                    break
                if not is_killed and self._clock.monotonic() > began + timeout + _LATE:
                    is_killed = True
                    self._kill(member, container.id)
                self._clock.sleep(_PAUSE)

    def _runs(self, member: SwarmMember, ref: str) -> bool:
        try:
            assert member.engine
            return member.engine.containers.inspect(ref).is_running
        except (NotFound, EngineUnavailable, EngineTimeout):
            return False

    def _kill(self, member: SwarmMember, ref: str) -> None:
        assert member.engine
        with suppress(NotFound, Conflict, EngineUnavailable, EngineTimeout):
            member.engine.containers.kill(ref, "SIGKILL")


def _clear(member: SwarmMember) -> None:
    """The containers of earlier tasks, which a swarm leaves and which use the volumes, and the
    image that was made for them.
    """
    if member.engine is None:
        return
    service, project = member.service.id, member.service.project
    for container in member.engine.containers.list([f"{names.SWARM_SERVICE}={service}"]):
        member.engine.containers.remove(container.id, force=True)
    with suppress(InUse):
        member.engine.images.remove(names.task_image(project))
