"""One look at the engine and the workspace, and the plan that follows from it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from debughost_cli import names
from debughost_cli.container import fingerprint
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import NameConflict, WorkspaceConflict
from debughost_cli.planning.launcher_status import of_this_run
from debughost_cli.planning.ports import choose_port
from debughost_cli.planning.up import (
    ConvergeOptions,
    Facts,
    Plan,
    Step,
    StepKind,
    find_drift,
    plan_up,
)
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.workspace import check_mountpoint, is_gone
from debughost_cli.resources import Container, ContainerSpec, Image, Network, Volume
from debughost_cli.services.images import ImageService
from debughost_cli.services.network import NetworkService
from debughost_cli.services.owner_process import is_at_work
from debughost_cli.services.port_table import PortTable
from debughost_cli.services.projects import containers_of, read_launcher_status
from debughost_cli.services.spec import make_spec


class ConcurrentModification(Exception):
    """Another client is making, or has just made or removed, the project's container."""

    def __init__(self, name: str, owner: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.owner = owner


@dataclass(frozen=True)
class Observation:
    """What one look came to."""

    spec: ContainerSpec
    plan: Plan
    current: Container | None
    leftovers: tuple[str, ...]
    ports: PortTable


class Observer:
    """Looks for ``up`` and ``restart``; changes nothing."""

    def __init__(self, engine: Engine, network: NetworkService, images: ImageService) -> None:
        self._engine = engine
        self._network = network
        self._images = images

    def look(
        self,
        resolved: ResolvedProject,
        converge: ConvergeOptions,
        *,
        avoid: frozenset[int] = frozenset(),
        image_step: Step | None = None,
    ) -> Observation:
        """The plan for ``resolved``. ``image_step`` is shown in it; getting the image comes first.

        Raises InvalidWorkspace, WorkspaceConflict, NetworkConflict, NameConflict, PortInUse,
        PortsExhausted.
        """
        if resolved.mountpoint:
            check_mountpoint(resolved.mountpoint)
        current, leftovers = self._current(resolved.project)
        if current:
            _check_workspace(resolved, current)
        ref, image = self.image(resolved)
        network = self._network.usable()
        ports = PortTable(self._engine, resolved.project, avoid)
        spec = make_spec(
            resolved,
            port=_port(resolved, current, ports),
            ref=ref,
            image=image,
            network=network,
            engine=self._engine.info,
            mountpoint_made=_mountpoint_made(resolved, current),
        )
        facts = self._facts(resolved, spec, current, leftovers, image, network)
        facts = replace(facts, image_step=image_step)
        return Observation(spec, plan_up(spec, facts, converge), current, leftovers, ports)

    def image(self, resolved: ResolvedProject) -> tuple[str, Image | None]:
        """The reference for the container and the image, None where it is not on the engine."""
        given = resolved.settings.image
        if given:
            return given, self._engine.images.find(given)
        entry = self._images.find(resolved.type)
        return entry.ref, entry.image

    def image_step(self, resolved: ResolvedProject, pull: str) -> Step | None:
        """What has to be done for the image; ``pull``: missing, always or never."""
        given = resolved.settings.image
        if pull == "never":
            return None
        if given:
            missing = pull == "always" or self._engine.images.find(given) is None
            why = "--pull always" if pull == "always" else "it is not here"
            return Step(StepKind.PULL_IMAGE, given, why) if missing else None
        entry = self._images.find(resolved.type)
        if pull == "missing" and entry.image and entry.current:
            return None
        why = "it was made from an older Dockerfile" if entry.image else "it is not here"
        return Step(StepKind.BUILD_IMAGE, entry.ref, "--pull always" if pull == "always" else why)

    def _current(self, project: str) -> tuple[Container | None, tuple[str, ...]]:
        """The container that counts, and the ids of others that a killed run left behind.

        One that was created and never started is such a leftover too: what it needs before its
        first start may be missing. Raises ConcurrentModification while another machine creates one.
        """
        group = containers_of(self._engine, project)
        unborn = [c for c in group if c.status == "created"]
        busy = next((c for c in unborn if is_at_work(c.labels, c.created_at)), None)
        if busy:
            raise ConcurrentModification(busy.name, busy.labels.get(names.OWNER, ""))
        current, leftovers = None, []
        for summary in group:
            if current or summary in unborn:
                leftovers.append(summary.id)
                continue
            with suppress(NotFound):
                current = self._engine.containers.inspect(summary.id)
        if current and is_at_work(current.labels, current.created_at):
            # Its maker may want to put back what it replaced.
            leftovers = [c.id for c in unborn]
        return current, tuple(leftovers)

    def _facts(
        self,
        resolved: ResolvedProject,
        spec: ContainerSpec,
        current: Container | None,
        leftovers: tuple[str, ...],
        image: Image | None,
        network: Network | None,
    ) -> Facts:
        inherited = image.environment if image else {}
        facts = Facts(
            current, leftovers, network_exists=network is not None, image_environment=inherited
        )
        if current and not find_drift(spec, current, inherited):
            facts = replace(facts, restart_reason=self._restart_reason(resolved, current))
        folder = resolved.mountpoint
        return replace(
            facts,
            missing_volumes=self._missing_volumes(spec),
            missing_folder=str(folder) if folder and not folder.exists() else None,
        )

    def _restart_reason(self, resolved: ResolvedProject, current: Container) -> str:
        """Why a running project cannot run on: a stop is under way, or its packages are old.

        The engine goes on with a stop whose sender was killed. Without the mark of the packages
        the launcher is still installing, or about to.
        """
        if current.status != "running":
            return ""
        launcher = of_this_run(read_launcher_status(self._engine, current.id), current)
        if launcher.asked_to_stop:
            return "it was told to stop"
        want, have = resolved.dependencies, launcher.dependencies
        if want and have and have != fingerprint(resolved.workspace, want, current.image_id):
            return "the lock file changed since its dependencies were installed"
        return ""

    def _missing_volumes(self, spec: ContainerSpec) -> tuple[str, ...]:
        known = {v.name: v for v in self._engine.volumes.list()}
        resolved = [m.source for m in spec.mounts if m.type == "volume"]
        for name in resolved:
            if name in known:
                check_owned(known[name])
        return tuple(n for n in resolved if n not in known)


def check_owned(volume: Volume) -> None:
    """Raises NameConflict for a volume that somebody else made under our name."""
    if volume.labels.get(names.MANAGED) != "true":
        raise NameConflict(
            f"volume {volume.name} exists already and was not made by debughost",
            hint=f"Use another --project, or remove it: docker volume rm {volume.name}",
            details={"volume": volume.name},
        )


def _check_workspace(resolved: ResolvedProject, current: Container) -> None:
    """An id stands for one workspace, unless that one is gone."""
    have = current.labels.get(names.WORKSPACE, "")
    if have == str(resolved.workspace) or not have or is_gone(Path(have)):
        return
    raise WorkspaceConflict(
        f"project {resolved.project} belongs to the workspace {have}",
        hint="Use another id with --project, or remove it first: "
        f"debughost rm -p {resolved.project}",
        details={"project": resolved.project, "workspace": have, "wanted": str(resolved.workspace)},
    )


def _port(resolved: ResolvedProject, current: Container | None, ports: PortTable) -> int:
    asked = resolved.settings.port
    if current and current.is_running and current.port and asked in (None, current.port):
        return current.port
    last = current.port if current else ports.remembered()
    return choose_port(
        resolved.project,
        resolved.type,
        requested=asked,
        last=last,
        holder=ports.holder,
        identify=ports.identify,
    )


def _mountpoint_made(resolved: ResolvedProject, current: Container | None) -> bool:
    """Whether the dependency folder in the workspace is our doing, now or in an earlier run."""
    folder = resolved.mountpoint
    if folder is None:
        return False
    inherited = current is not None and current.labels.get(names.MOUNTPOINT) == "made"
    return inherited or not folder.exists()
