"""One look at the engine and the workspace, and the plan that follows from it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from debughost_cli import names
from debughost_cli.container import fingerprint
from debughost_cli.engine.port import Engine, Missing
from debughost_cli.errors import NameConflict, WorkspaceConflict
from debughost_cli.planning.marks import of_this_run
from debughost_cli.planning.ports import choose_port
from debughost_cli.planning.up import Do, Facts, Manner, Plan, Step, find_drift, plan_up
from debughost_cli.resources import Container, ContainerSpec, Image, Network, Volume
from debughost_cli.services.images import ImageService
from debughost_cli.services.maker import is_at_work
from debughost_cli.services.network import NetworkService
from debughost_cli.services.port_table import PortTable
from debughost_cli.services.projects import containers_of, read_marks
from debughost_cli.services.spec import make_spec
from debughost_cli.services.wanted import Wanted
from debughost_cli.workspace import check_mountpoint, is_gone


class Overtaken(Exception):
    """Another client is making, or has just made or removed, the project's container."""

    def __init__(self, name: str, maker: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.maker = maker


@dataclass(frozen=True)
class View:
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
        wanted: Wanted,
        manner: Manner,
        *,
        avoid: frozenset[int] = frozenset(),
        image_step: Step | None = None,
    ) -> View:
        """The plan for ``wanted``. ``image_step`` is shown in it; getting the image comes first.

        Raises InvalidWorkspace, WorkspaceConflict, NetworkConflict, NameConflict, PortInUse,
        PortsExhausted.
        """
        if wanted.mountpoint:
            check_mountpoint(wanted.mountpoint)
        current, leftovers = self._current(wanted.project)
        if current:
            _check_workspace(wanted, current)
        ref, image = self.image(wanted)
        network = self._network.usable()
        ports = PortTable(self._engine, wanted.project, avoid)
        spec = make_spec(
            wanted,
            port=_port(wanted, current, ports),
            ref=ref,
            image=image,
            network=network,
            engine=self._engine.info,
            mountpoint_made=_mountpoint_made(wanted, current),
        )
        facts = self._facts(wanted, spec, current, leftovers, image, network)
        facts = replace(facts, image_step=image_step)
        return View(spec, plan_up(spec, facts, manner), current, leftovers, ports)

    def image(self, wanted: Wanted) -> tuple[str, Image | None]:
        """The reference for the container and the image, None where it is not on the engine."""
        given = wanted.config.get("image")
        if given:
            return given, self._engine.find_image(given)
        entry = self._images.find(wanted.type)
        return entry.ref, entry.image

    def image_step(self, wanted: Wanted, pull: str) -> Step | None:
        """What has to be done for the image; ``pull``: missing, always or never."""
        given = wanted.config.get("image")
        if pull == "never":
            return None
        if given:
            missing = pull == "always" or self._engine.find_image(given) is None
            why = "--pull always" if pull == "always" else "it is not here"
            return Step(Do.PULL_IMAGE, given, why) if missing else None
        entry = self._images.find(wanted.type)
        if pull == "missing" and entry.image and entry.current:
            return None
        why = "it was made from an older Dockerfile" if entry.image else "it is not here"
        return Step(Do.BUILD_IMAGE, entry.ref, "--pull always" if pull == "always" else why)

    def _current(self, project: str) -> tuple[Container | None, tuple[str, ...]]:
        """The container that counts, and the ids of others that a killed run left behind.

        One that was made and never started is such a leftover too: what it needs before its
        first start may be missing. Raises Overtaken while another machine is making one.
        """
        group = containers_of(self._engine, project)
        unborn = [c for c in group if c.status == "created"]
        busy = next((c for c in unborn if is_at_work(c.labels, c.created_at)), None)
        if busy:
            raise Overtaken(busy.name, busy.labels.get(names.MAKER, ""))
        current, leftovers = None, []
        for summary in group:
            if current or summary in unborn:
                leftovers.append(summary.id)
                continue
            with suppress(Missing):
                current = self._engine.inspect_container(summary.id)
        if current and is_at_work(current.labels, current.created_at):
            # Its maker may want to put back what it replaced.
            leftovers = [c.id for c in unborn]
        return current, tuple(leftovers)

    def _facts(
        self,
        wanted: Wanted,
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
            facts = replace(facts, restart_reason=self._restart_reason(wanted, current))
        folder = wanted.mountpoint
        return replace(
            facts,
            missing_volumes=self._missing_volumes(spec),
            missing_folder=str(folder) if folder and not folder.exists() else None,
        )

    def _restart_reason(self, wanted: Wanted, current: Container) -> str:
        """Why a running project cannot run on: a stop is under way, or its packages are old.

        The engine goes on with a stop whose sender was killed. Without the mark of the packages
        the launcher is still installing, or about to.
        """
        if current.status != "running":
            return ""
        marks = of_this_run(read_marks(self._engine, current.id), current)
        if marks.asked_to_stop:
            return "it was told to stop"
        want, have = wanted.dependencies, marks.dependencies
        if want and have and have != fingerprint(wanted.workspace, want, current.image_id):
            return "the lock file changed since its dependencies were installed"
        return ""

    def _missing_volumes(self, spec: ContainerSpec) -> tuple[str, ...]:
        known = {v.name: v for v in self._engine.list_volumes()}
        wanted = [m.source for m in spec.mounts if m.type == "volume"]
        for name in wanted:
            if name in known:
                check_ours(known[name])
        return tuple(n for n in wanted if n not in known)


def check_ours(volume: Volume) -> None:
    """Raises NameConflict for a volume that somebody else made under our name."""
    if volume.labels.get(names.MANAGED) != "true":
        raise NameConflict(
            f"volume {volume.name} exists already and was not made by debughost",
            hint=f"Use another --project, or remove it: docker volume rm {volume.name}",
            details={"volume": volume.name},
        )


def _check_workspace(wanted: Wanted, current: Container) -> None:
    """An id stands for one workspace, unless that one is gone."""
    have = current.labels.get(names.WORKSPACE, "")
    if have == str(wanted.workspace) or not have or is_gone(Path(have)):
        return
    raise WorkspaceConflict(
        f"project {wanted.project} belongs to the workspace {have}",
        hint=f"Use another id with --project, or remove it first: debughost rm -p {wanted.project}",
        details={"project": wanted.project, "workspace": have, "wanted": str(wanted.workspace)},
    )


def _port(wanted: Wanted, current: Container | None, ports: PortTable) -> int:
    asked = wanted.config.get("port")
    if current and current.is_running and current.port and asked in (None, current.port):
        return current.port
    last = current.port if current else ports.remembered()
    return choose_port(
        wanted.project,
        wanted.type,
        wanted=asked,
        last=last,
        holder=ports.holder,
        identify=ports.identify,
    )


def _mountpoint_made(wanted: Wanted, current: Container | None) -> bool:
    """Whether the dependency folder in the workspace is our doing, now or in an earlier run."""
    folder = wanted.mountpoint
    if folder is None:
        return False
    inherited = current is not None and current.labels.get(names.MOUNTPOINT) == "made"
    return inherited or not folder.exists()
