"""Where a project's output goes on after a run: the same container again, or the one after it."""

from __future__ import annotations

from debughost_cli.clock import Clock
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import ProjectNotFound
from debughost_cli.models import RestartMode
from debughost_cli.resources import Container, ContainerStatus
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.lock import is_held
from debughost_cli.services.owner_process import is_at_work, this_process
from debughost_cli.services.projects import find_instance, member, read_launcher_status

POLL = 0.2
"""Seconds between two inspections of a container that is about to start again."""
_RESTART_TIMEOUT = 1.0
"""Seconds in which what was stopped may run again, by its restart policy or by somebody elsewhere.
"""
_GOING = (ContainerStatus.REMOVING, ContainerStatus.DEAD)


class Successor:
    """Looks until it is certain whether a project goes on."""

    def __init__(
        self, engine: Engine, project: str, clock: Clock, service: str | None = None
    ) -> None:
        self._engine = engine
        self._project = project
        self._clock = clock
        self._service = service

    def of(self, ref: str) -> Container | None:
        """The project's container once nobody works on it any more; None where it has none.

        It runs, or is another one than ``ref`` that has run, or has ended for good.
        """
        over, was_held = self._clock.monotonic() + _RESTART_TIMEOUT, False
        failures = self._engine.connection_failures
        while True:
            # Before the container is read: what a command leaves is read after it has ended.
            held = is_held(self._engine.identity(), self._project)
            found = self._look()
            if self._engine.connection_failures > failures:
                # The time for a restart begins when the engine is back.
                failures = self._engine.connection_failures
                over = self._clock.monotonic() + _RESTART_TIMEOUT
            if found and _goes_on(found, ref):
                return found
            if not held and (was_held or self._has_ended(found, over)):
                return found
            was_held = held
            self._clock.sleep(POLL)

    def _look(self) -> Container | None:
        instance = find_instance(self._engine, self._project)
        if instance is None:
            return None
        try:
            found = self._engine.containers.inspect(member(instance, self._service).id)
        except (NotFound, ProjectNotFound):
            return None
        return None if found.status in _GOING else found

    def _has_ended(self, found: Container | None, over: float) -> bool:
        if found is None:
            return True
        if found.status is ContainerStatus.RESTARTING:
            return False
        if found.status is ContainerStatus.CREATED:
            # One that takes the place of another is created before that is stopped.
            this = this_process(host_identity())
            return not is_at_work(found.labels, found.created_at, this)
        if found.restart.mode is RestartMode.NO and not self._was_stopped(found):
            return True
        # An engine that ends may have stopped it: the next one starts it again.
        failures = self._engine.connection_failures
        self._engine.ping()
        return self._engine.connection_failures == failures and self._clock.monotonic() >= over

    def _was_stopped(self, found: Container) -> bool:
        return read_launcher_status(self._engine, found.id).asked_to_stop


def _goes_on(found: Container, ref: str) -> bool:
    if found.status is ContainerStatus.RESTARTING:
        return False
    return found.is_running or (found.id != ref and found.started_at is not None)
