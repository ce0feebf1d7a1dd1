"""One observation of the engine and the workspace, and the plan that follows from it."""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.deployment.transport import Transport
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.models import PullPolicy
from debughost_cli.planning.drift import find_drift
from debughost_cli.planning.launcher_status import LauncherStatus, of_this_run
from debughost_cli.planning.up import ConvergeOptions, Facts, Plan, plan_up
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.workspace import check_mountpoint
from debughost_cli.resources import (
    Container,
    ContainerStatus,
    ContainerSummary,
    Network,
    ProjectInstance,
)
from debughost_cli.services.companions import CompanionObserver, ObservedCompanions
from debughost_cli.services.images import ImageChoice, ImageService
from debughost_cli.services.listings import Listings
from debughost_cli.services.nesting import check_not_nested
from debughost_cli.services.network import NetworkService
from debughost_cli.services.observed_facts import (
    is_contested,
    missing_folder,
    mountpoint_made,
    named,
    restart_reason,
    stale_network,
)
from debughost_cli.services.own_network import check_own
from debughost_cli.services.owner_process import OwnerProcess, is_at_work
from debughost_cli.services.ownership import check_up, is_volume_of, place_of
from debughost_cli.services.port_table import PortTable
from debughost_cli.services.project_ports import choose_ports
from debughost_cli.services.projects import read_launcher_status
from debughost_cli.services.spec import adopted_port, make_spec
from debughost_cli.services.volumes import check_owned
from debughost_cli.specs import MountType, ProjectSpec, ServiceSpec


class ConcurrentModification(Exception):
    """Another client is creating, or has just created or removed, the project's container."""

    def __init__(self, name: str, owner: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.owner = owner


class Observation(Struct, frozen=True):
    """What was observed: the specification, what exists of it, and the plan.

    ``launcher``: what the launcher of ``current`` reported, where that runs and has no drift.
    ``is_contested``: another process has started ``current``, and may yet restore what it replaced.
    """

    spec: ProjectSpec
    plan: Plan
    current: Container | None
    leftovers: tuple[str, ...]
    launcher: LauncherStatus | None = None
    companions: ObservedCompanions = ObservedCompanions()
    is_contested: bool = False

    def check_uncontested(self) -> None:
        """Raises ConcurrentModification where two would change the project at once."""
        if self.is_contested and self.current and self.plan.changes:
            owner = self.current.labels.get(names.OWNER, "")
            raise ConcurrentModification(self.current.name, owner)


class Observer:
    """Reads for ``up`` and ``restart``; changes nothing.

    ``owner``: this process, to which what the plan creates will belong.
    """

    def __init__(
        self, engine: Engine, network: NetworkService, images: ImageService, owner: OwnerProcess
    ) -> None:
        self._engine = engine
        self._network = network
        self._images = images
        self._owner = owner
        self._companions = CompanionObserver(engine, images, owner)

    def observe(
        self,
        resolved: ResolvedProject,
        converge: ConvergeOptions,
        *,
        pull: PullPolicy = PullPolicy.NEVER,
        avoid: frozenset[int] = frozenset(),
        container_port: int = 0,
        image: ImageChoice | None = None,
        known: ProjectInstance | None = None,
        dry_run: bool = False,
    ) -> Observation:
        """The plan for ``resolved``; with ``pull``, the step that gets the image is part of it.

        ``container_port``: where the program was found to listen, 0 where that is not known.
        ``image``: the project's image, where it is known already. ``known``: the project, where
        it has just been listed and runs. ``dry_run``: without any change.

        Raises InvalidWorkspace, WorkspaceConflict, NetworkConflict, NameConflict, PortInUse,
        PortsExhausted, and ConcurrentModification while another client is at work.
        """
        if resolved.mountpoint:
            check_mountpoint(resolved.mountpoint)
        listings = Listings(self._engine, known)
        instance = listings.projects.get(resolved.project)
        current, leftovers = self._current(instance)
        self._check_workspace(resolved, current, listings)
        image = image or self._images.choose(resolved, pull)
        network = self._usable_network(resolved, listings)
        companions = self._companions.observe(
            resolved, converge, listings, pull=pull, dry_run=dry_run
        ).assuming(current)
        transport = self._transport(resolved, current, image, converge, dry_run=dry_run)
        table = PortTable(self._engine, resolved.project, avoid, listings, current)
        note = None if current else table.note()
        spec = make_spec(
            resolved,
            ports=choose_ports(resolved, current, table, note),
            container_port=container_port or adopted_port(resolved, image.image, current),
            image=image,
            network=network,
            companions=companions,
            engine=self._engine,
            owner=self._owner,
            mountpoint_made=mountpoint_made(resolved, current, transport),
            transport=transport,
        )
        facts, launcher = self._facts(
            resolved, spec.main, current, leftovers, image, network, companions, listings
        )
        if note:
            facts = replace(facts, port_note=names.port_note_name(resolved.project))
        plan = companions.added_to(plan_up(spec.main, facts, converge))
        contested = is_contested(instance, current, leftovers)
        return Observation(spec, plan, current, leftovers, launcher, companions, contested)

    def _facts(
        self, resolved: ResolvedProject, spec: ServiceSpec, current: Container | None,
        leftovers: tuple[str, ...], image: ImageChoice, network: Network | None,
        companions: ObservedCompanions, listings: Listings,
    ) -> tuple[Facts, LauncherStatus | None]:  # fmt: skip
        """What the plan follows from, and what the launcher of a container without drift says."""
        inherited = image.image.environment if image.image else {}
        has_drift = current is None or bool(find_drift(spec, current, inherited))
        launcher = None if has_drift else self._launcher(current)
        missing, foreign = self._missing_volumes(spec, listings) if has_drift else ((), {})
        facts = Facts(
            current,
            leftovers=(*leftovers, *listings.abandoned(resolved.project, self._owner)),
            image_step=image.step,
            image_environment=inherited,
            # What its services need is made before it.
            network_exists=network is not None or resolved.network == companions.network,
            stale_network=stale_network(resolved, current, listings),
            missing_volumes=missing,
            foreign_volumes=foreign,
            missing_folder=missing_folder(resolved, spec),
            restart_reason=restart_reason(self._engine, resolved, current, launcher),
            upload_reason=self._upload_reason(resolved, spec, current, has_drift=has_drift),
            workspace_volume=names.workspace_volume_name(resolved.project),
        )
        return facts, launcher

    def _upload_reason(
        self, resolved: ResolvedProject, spec: ServiceSpec, current: Container | None, *,
        has_drift: bool,
    ) -> str:  # fmt: skip
        if spec.labels.get(names.TRANSPORT) != Transport.VOLUME:
            return ""
        if current is None or has_drift:
            return "the engine does not see this machine's files"
        from debughost_cli.services.workspace_state import count_stale

        found = count_stale(self._engine, current, resolved.workspace, resolved.type)
        return f"{found} file{'s' * (found != 1)} changed" if found else ""

    def _transport(
        self, resolved: ResolvedProject, current: Container | None, image: ImageChoice,
        converge: ConvergeOptions, *, dry_run: bool,
    ) -> Transport:  # fmt: skip
        """How the workspace gets there; what was found earlier holds until ``--recreate``."""
        if self._engine.info.shares_files:
            return Transport.BIND
        from debughost_cli.services.workspace_transport import choose_transport

        return choose_transport(
            self._engine, resolved.project, resolved.workspace, image.ref, self._owner, current,
            again=converge.recreate and not dry_run, dry_run=dry_run,
        )  # fmt: skip

    def _check_workspace(
        self, resolved: ResolvedProject, current: Container | None, listings: Listings
    ) -> None:
        if not (current and current.is_running):
            others = (p.main for p in listings.projects.values())
            check_not_nested(resolved, others, self._owner.host)
        if current:
            check_up(resolved.project, current.labels, str(resolved.workspace), self._owner.host)

    def _usable_network(self, resolved: ResolvedProject, listings: Listings) -> Network | None:
        found = named(listings, resolved.network)
        if found and resolved.settings.isolated:
            check_own(found, resolved.project)
        elif found:
            self._network.check(found)
        return found

    def _current(
        self, instance: ProjectInstance | None
    ) -> tuple[Container | None, tuple[str, ...]]:
        """The container that counts, and the ids of others that an interrupted run left.

        One that was created and never started is such a leftover too: what it needs before its
        first start may be missing.
        """
        if instance is None:
            return None, ()
        never_started = [c for c in instance.of_main_role if c.status is ContainerStatus.CREATED]
        for container in never_started:
            if is_at_work(container.labels, container.created_at, self._owner):
                owner = container.labels.get(names.OWNER, "")
                raise ConcurrentModification(container.name, owner)
            self._check_never_started(container)
        current, leftovers = self._inspect_first(instance)
        if leftovers and current and is_at_work(current.labels, current.created_at, self._owner):
            # Its owner process may want to restore what it replaced.
            leftovers = [c.id for c in never_started]
        return current, tuple(leftovers)

    def _inspect_first(self, instance: ProjectInstance) -> tuple[Container | None, list[str]]:
        """The first container that has been started and still exists, and the ids of the rest."""
        current, leftovers = None, []
        for summary in instance.of_main_role:
            if current or summary.status is ContainerStatus.CREATED:
                leftovers.append(summary.id)
                continue
            with suppress(NotFound):
                current = self._engine.containers.inspect(summary.id)
        return current, leftovers

    def _check_never_started(self, summary: ContainerSummary) -> None:
        """Raises ConcurrentModification where it was started after it was listed.

        Its owner process has ended, but perhaps only after it had started the container: removing
        it as a leftover would remove a project that runs.
        """
        with suppress(NotFound):
            container = self._engine.containers.inspect(summary.id)
            if container.status is not ContainerStatus.CREATED:
                raise ConcurrentModification(container.name, container.labels.get(names.OWNER, ""))

    def _launcher(self, current: Container | None) -> LauncherStatus | None:
        if current is None or current.status is not ContainerStatus.RUNNING:
            return None
        return of_this_run(read_launcher_status(self._engine, current.id), current)

    def _missing_volumes(
        self, spec: ServiceSpec, listings: Listings
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """The volumes to be created, and those of them that replace what cannot be used.

        That is what another workspace installed, or the workspace's owner before a ``chown``. A
        container without drift has all that it needs.
        """
        required = [m.source for m in spec.mounts if m.type is MountType.VOLUME]
        known = {v.name: v for v in listings.volumes} if required else {}
        foreign = {}
        for name in required:
            if name in known:
                check_owned(known[name])
                labels = known[name].labels
                if labels.get(names.ROLE) == "workspace":
                    # What the program wrote may be nowhere else.
                    check_up(spec.project, labels, spec.workspace, self._owner.host)
                    continue
                if not is_volume_of(labels, spec.workspace, self._owner.host):
                    place = place_of(labels, self._owner.host)
                    foreign[name] = f"it belongs to the workspace {place}"
                user = labels.get(names.VOLUME_USER)
                if spec.user and user not in (None, str(spec.user)):
                    foreign[name] = f"its files belong to the user {user}"
        return tuple(n for n in required if n not in known or n in foreign), foreign
