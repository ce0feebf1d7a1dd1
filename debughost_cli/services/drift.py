"""How a container differs from what the workspace's configuration requests now."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from debughost_cli.deployment.transport import Transport, transport_of
from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError
from debughost_cli.models import Drift, Freshness, PullPolicy, Warn
from debughost_cli.names import HOST, MOUNTPOINT, SWARM_SERVICE, WORKSPACE
from debughost_cli.planning.drift import find_drift
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.planning.network import choose
from debughost_cli.planning.up import ConvergeOptions
from debughost_cli.project.resolve import ResolvedProject, resolve_existing
from debughost_cli.project.workspace import is_gone
from debughost_cli.resources import Container, Network, ProjectInstance
from debughost_cli.services.companions import CompanionObserver, ObservedCompanions
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.images import ImageChoice, ImageService
from debughost_cli.services.installed import is_installed
from debughost_cli.services.listings import Listings
from debughost_cli.services.owner_process import this_process
from debughost_cli.services.progress import NullProgress
from debughost_cli.services.project_ports import kept_ports
from debughost_cli.services.spec import adopted_port, make_spec
from debughost_cli.services.worker_pool import TimeLimit
from debughost_cli.synced import Sync

TIMEOUT = 1.0
"""Seconds for reading one workspace, which may be on a file system that does not answer."""


class Comparison(Struct, frozen=True):
    """``drift``, ``dependencies`` and ``sync`` of a project, or why they are not known."""

    drift: tuple[Drift, ...] = ()
    dependencies: Freshness = Freshness.NONE
    sync: Sync | None = None
    warning: Warn | None = None


class DriftService:
    """Compares many projects; what they share on the engine is read once."""

    def __init__(self, engine: Engine, environ: Mapping[str, str]) -> None:
        self._engine = engine
        self._environ = environ
        self._image_service = ImageService(engine, NullProgress())
        self._images: dict[object, ImageChoice] = {}
        self._networks: dict[str, Network | None] = {}
        self._guard = threading.Lock()
        self._owner = this_process(host_identity())

    def compare(
        self,
        container: Container,
        launcher: LauncherStatus,
        instance: ProjectInstance | None = None,
    ) -> Comparison:
        """Reads the workspace as ``up`` would, for a limited time.

        ``instance``: the project as it was listed, where its services are to be considered. Only
        the engine's own failures are raised.
        """
        workspace = container.labels.get(WORKSPACE, "")
        if container.place and (container.place.reason or not container.is_running):
            return Comparison()
        if not self._can_read_workspace(container):
            return Comparison(sync=self._sync(container))
        limit = TimeLimit(TIMEOUT)
        try:
            if limit.run(lambda: is_gone(Path(workspace))):
                return _unknown("WORKSPACE_GONE", container, f"its workspace {workspace} is gone")
            resolved = limit.run(lambda: resolve_existing(container, None, self._environ))
            # Of the engine, whose own time limits apply.
            image, network = self._image(resolved), self._network(resolved.network)
            companions = self._companions(resolved, instance)
            return limit.run(
                lambda: Comparison(
                    self._drift(resolved, container, image, network, companions),
                    freshness(self._engine, resolved, container, launcher),
                    self._sync(container, resolved),
                )
            )
        except TimeoutError:
            why = f"its configuration in {workspace} could not be read within {TIMEOUT:g} s"
            return _unknown("CONFIG_TIMEOUT", container, why)
        except DebughostError as exc:
            if exc.status in (1, 4):
                raise
            return _unknown("CONFIG_INVALID", container, exc.message)

    def _companions(
        self, resolved: ResolvedProject, instance: ProjectInstance | None
    ) -> ObservedCompanions:
        if not (resolved.settings.services and instance):
            return ObservedCompanions()
        observer = CompanionObserver(self._engine, self._image_service, self._owner)
        return observer.observe(
            resolved,
            ConvergeOptions(),
            Listings(self._engine, instance),
            pull=PullPolicy.NEVER,
            dry_run=True,
        )

    def _can_read_workspace(self, container: Container) -> bool:
        """Only on the machine whose path it is; containers of 0.1.0 do not name theirs.

        What an engine elsewhere mounts is its own machine's.
        """
        is_here = container.labels.get(HOST, self._owner.host) == self._owner.host
        is_uploaded = transport_of(container.labels) is Transport.VOLUME
        return is_here and (self._engine.info.shares_machine or is_uploaded)

    def _drift(
        self,
        resolved: ResolvedProject,
        container: Container,
        image: ImageChoice,
        network: Network | None,
        companions: ObservedCompanions,
    ) -> tuple[Drift, ...]:
        if SWARM_SERVICE in container.labels:
            # Its specification is not that of a single engine; 'up' compares it.
            return ()
        spec = make_spec(
            resolved,
            ports=kept_ports(resolved, container),
            container_port=adopted_port(resolved, image.image, container),
            image=image,
            network=network,
            companions=companions.assuming(container),
            engine=self._engine,
            owner=self._owner,
            mountpoint_made=container.labels.get(MOUNTPOINT) == "made",
            transport=transport_of(container.labels),
        )
        inherited = image.image.environment if image.image else {}
        return find_drift(spec.main, container, inherited)

    def _sync(self, container: Container, resolved: ResolvedProject | None = None) -> Sync | None:
        """``resolved``: the project in its workspace, where that is here."""
        if transport_of(container.labels) is not Transport.VOLUME:
            return None
        from debughost_cli.services.workspace_state import compare, of_another_machine

        if resolved is None:
            return of_another_machine(self._engine, container)
        return compare(self._engine, container, resolved.workspace, resolved.type)

    def _image(self, resolved: ResolvedProject) -> ImageChoice:
        settings = resolved.settings
        key = (
            settings.image or resolved.type, resolved.compilers, resolved.packages,
            settings.runtime, resolved.pins,
        )  # fmt: skip
        with self._guard:
            if key not in self._images:
                self._images[key] = self._image_service.choose(resolved, PullPolicy.NEVER)
            return self._images[key]

    def _network(self, name: str) -> Network | None:
        with self._guard:
            if name not in self._networks:
                self._networks[name] = choose(self._engine.networks.find(name))
            return self._networks[name]


def freshness(
    engine: Engine, resolved: ResolvedProject, container: Container, launcher: LauncherStatus
) -> Freshness:
    """Whether what is installed is what the manifests ask for now. Raises InvalidConfig."""
    if not resolved.dependencies:
        return Freshness.NONE
    if not launcher.dependencies:
        return Freshness.MISSING
    fresh = is_installed(engine, resolved, container, launcher.dependencies)
    return Freshness.FRESH if fresh else Freshness.STALE


def _unknown(code: str, container: Container, why: str) -> Comparison:
    return Comparison(warning=Warn(code, f"{container.project}: {why}"))
