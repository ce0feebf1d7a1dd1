"""All containers of a project on one engine."""

from __future__ import annotations

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.resources import Container, ContainerStatus, ContainerSummary, FileEntry
from debughost_cli.specs import Role, ServiceSpec

_STOPPED = (
    FileEntry(names.CONTROL_DIR, None, mode=0o755),
    FileEntry(names.STATE_DIR, None, mode=0o755),
    FileEntry(names.STATE_LINK, None, link="running+term"),
)


class SingleEngineDeployment:
    """The deployment on the engine that the command is connected to."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._engine = engine
        self._containers = engine.containers
        self._networks = engine.networks

    def create(self, name: str, spec: ServiceSpec) -> str:
        labels = {**spec.labels, names.ENGINE: self._engine.identity()}
        ref = self._containers.create(name, replace(spec, labels=labels))
        if spec.own_network:
            self._networks.connect(spec.own_network, ref, (), spec.links)
        return ref

    def start(self, ref: str) -> None:
        self._containers.start(ref)

    def stop(self, container: Container | ContainerSummary, timeout: int) -> None:
        if names.SWARM_SERVICE in container.labels:
            from debughost_cli.deployment.managers import not_a_manager

            # Its manager would start another one at once.
            raise not_a_manager(self._engine)
        if container.status is ContainerStatus.RESTARTING:
            # Between two tries of a restart policy no launcher runs that could record the stop.
            status = FileEntry(names.STATE_LINK, None, link="running+term")
            self._containers.put_files(container.id, [status])
        if container.role == Role.SERVICE:
            # No launcher runs in it that could tell a stop from an end of its own.
            self._containers.put_files(container.id, _STOPPED)
        if container.status is ContainerStatus.PAUSED:
            # A frozen process cannot handle SIGTERM.
            self._containers.unpause(container.id)
        self._containers.stop(container.id, timeout)

    def resume(self, ref: str) -> None:
        self._containers.unpause(ref)

    def remove(self, ref: str) -> None:
        self._containers.remove(ref, force=True)
