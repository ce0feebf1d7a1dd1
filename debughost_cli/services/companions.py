"""The companion services of a project as they are on an engine, and as they should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.models import PullPolicy
from debughost_cli.planning.companions import (
    CompanionFacts,
    is_managed,
    plan_companion,
    with_companions,
)
from debughost_cli.planning.known_services import KnownService, known_service
from debughost_cli.planning.network import choose
from debughost_cli.planning.up import ConvergeOptions, Plan, Step
from debughost_cli.project.companions import CompanionSettings, repository_of
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Container, ContainerStatus, ContainerSummary, ProjectInstance
from debughost_cli.services.companion_secrets import CompanionSecrets
from debughost_cli.services.companion_spec import make_companion, variables_of
from debughost_cli.services.images import ImageChoice, ImageService
from debughost_cli.services.listings import Listings
from debughost_cli.services.own_network import check_own
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.services.ownership import belongs_to, workspace_conflict
from debughost_cli.services.volumes import check_owned
from debughost_cli.specs import Role, ServiceSpec


class ObservedCompanion(Struct, frozen=True):
    """A companion service. ``ready``: a command that succeeds once it can be used; empty where it
    is ready as soon as it listens on ``port``, which is 0 where nothing is known of it.
    ``secret``: its generated password, None where that was not read, empty for none.
    """

    spec: ServiceSpec
    current: Container | None
    steps: tuple[Step, ...]
    image_step: Step | None
    variables: Mapping[str, str]
    ready: tuple[str, ...]
    port: int
    secret: str | None


class ObservedCompanions(Struct, frozen=True):
    """All of a project. ``gone``: containers of services that are not configured any more."""

    services: tuple[ObservedCompanion, ...] = ()
    gone: tuple[ContainerSummary, ...] = ()
    network: str = ""
    network_id: str = ""

    @property
    def specs(self) -> tuple[ServiceSpec, ...]:
        """What their containers are created from."""
        return tuple(s.spec for s in self.services)

    @property
    def links(self) -> tuple[str, ...]:
        """By which the program means its own services, should a project have the same name."""
        return tuple(
            f"{names.service_alias(s.spec.project, s.spec.name)}:{s.spec.name}"
            for s in self.services
        )

    @property
    def variables(self) -> dict[str, str]:
        """What the program gets; of two services of a kind the first has the common names."""
        found: dict[str, str] = {}
        for service in self.services:
            found = {**service.variables, **found}
        return found

    def assuming(self, main: Container | None) -> ObservedCompanions:
        """With what the program has already, where a password was not read."""
        has = main.environment if main else {}

        def assumed(service: ObservedCompanion) -> ObservedCompanion:
            if service.secret is not None:
                return service
            known = {name: has.get(name, value) for name, value in service.variables.items()}
            return replace(service, variables=known)

        return replace(self, services=tuple(map(assumed, self.services)))

    def named(self, name: str) -> ObservedCompanion:
        """The service of that name, which exists."""
        return next(s for s in self.services if s.spec.name == name)

    def added_to(self, plan: Plan) -> Plan:
        """The project's plan with what its services need."""
        return with_companions(
            plan,
            [s.steps for s in self.services],
            images=[s.image_step for s in self.services if s.image_step],
            missing_network="" if self.network_id else self.network,
            gone=self.gone,
        )


class CompanionObserver:
    """Reads for ``up``. A kept password that no container has is read through a container that is
    never started, unless nothing at all may be changed.
    """

    def __init__(self, engine: Engine, images: ImageService, owner: OwnerProcess) -> None:
        self._engine = engine
        self._images = images
        self._owner = owner
        self._secrets = CompanionSecrets(engine, owner)

    def observe(
        self,
        resolved: ResolvedProject,
        converge: ConvergeOptions,
        listings: Listings,
        *,
        pull: PullPolicy,
        dry_run: bool = False,
    ) -> ObservedCompanions:
        """What there is and what there should be. ``dry_run``: without any change.

        Raises NameConflict, NetworkConflict, WorkspaceConflict.
        """
        wanted = resolved.settings.services
        instance = listings.projects.get(resolved.project)
        found = _by_name(instance, listings, resolved.project) if wanted or instance else {}
        gone = [c for name, cs in found.items() for c in cs if name not in {s.name for s in wanted}]
        if not wanted:
            return ObservedCompanions(gone=tuple(gone))
        name = names.network_name(resolved.project)
        network = choose(n for n in listings.networks if n.name == name)
        if network:
            check_own(network, resolved.project)
        network_id = network.id if network else ""

        def observed(settings: CompanionSettings) -> ObservedCompanion:
            containers = found.get(settings.name, ())
            return self._service(
                resolved, settings, containers, listings, converge, pull, network_id, dry_run
            )

        services = [observed(settings) for settings in wanted]
        return ObservedCompanions(tuple(services), tuple(gone), name, network_id)

    def _service(
        self, resolved: ResolvedProject, settings: CompanionSettings,
        containers: Sequence[ContainerSummary], listings: Listings, converge: ConvergeOptions,
        pull: PullPolicy, network_id: str, dry_run: bool,
    ) -> ObservedCompanion:  # fmt: skip
        current, leftovers = self._current(containers)
        image = self._images.choose_named(settings.image, pull)
        known = known_service(repository_of(settings.image))
        secret = self._secret(resolved, settings, known, current, image, listings, dry_run)
        spec = make_companion(
            resolved,
            settings,
            known,
            image=image,
            secret=secret or "",
            network_id=network_id,
            owner=self._owner,
        )
        facts = CompanionFacts(
            current,
            leftovers,
            image.step,
            image.image.environment if image.image else {},
            self._missing_volumes(spec, listings),
        )
        port = settings.port or (known.port if known else 0)
        return ObservedCompanion(
            spec,
            current,
            plan_companion(spec, facts, converge),
            image.step,
            variables_of(settings, known, spec, port),
            settings.ready or (("/bin/sh", "-c", known.ready) if known and known.ready else ()),
            port,
            secret,
        )

    def _current(
        self, containers: Sequence[ContainerSummary]
    ) -> tuple[Container | None, tuple[str, ...]]:
        """The first one that was ever started, and the ids of the others."""
        started = [c for c in containers if c.status is not ContainerStatus.CREATED]
        for summary in started:
            try:
                current = self._engine.containers.inspect(summary.id)
            except NotFound:
                continue
            return current, tuple(c.id for c in containers if c.id != current.id)
        return None, tuple(c.id for c in containers)

    def _secret(
        self, resolved: ResolvedProject, settings: CompanionSettings, known: KnownService | None,
        current: Container | None, image: ImageChoice, listings: Listings, dry_run: bool,
    ) -> str | None:  # fmt: skip
        if known is None or all(name in settings.env for name in known.passwords):
            return ""
        held = [current.environment.get(n, "") for n in known.passwords] if current else []
        if any(held):
            return next(filter(None, held))
        volume = names.service_secret_name(resolved.project, settings.name)
        if not image.image or all(v.name != volume for v in listings.volumes):
            return self._secrets.generate()
        if dry_run:
            return None
        return self._secrets.read(resolved.project, volume, image.ref) or self._secrets.generate()

    def _missing_volumes(self, spec: ServiceSpec, listings: Listings) -> tuple[str, ...]:
        """Those to be created. Data of another workspace is neither used nor replaced."""
        known = {v.name: v for v in listings.volumes}
        missing = []
        for mount in spec.mounts:
            volume = known.get(mount.source)
            if volume is None:
                missing.append(mount.source)
                continue
            check_owned(volume)
            if not belongs_to(volume.labels, spec.workspace, self._owner.host):
                hint = f"Use another --project, or remove it: docker volume rm {volume.name}"
                raise workspace_conflict(
                    spec.project, volume.labels, spec.workspace, self._owner.host, hint
                )
        return tuple(missing)


def _by_name(
    instance: ProjectInstance | None, listings: Listings, project: str
) -> dict[str, list[ContainerSummary]]:
    """The containers of services by name, those that run and newer ones first.

    Those of a project without a main container are what an interrupted run left.
    """
    if instance:
        companions: Sequence[ContainerSummary] = instance.companions
    else:
        companions = [
            c for c in listings.containers if c.project == project and c.role == Role.SERVICE
        ]
    found: dict[str, list[ContainerSummary]] = {}
    for container in sorted(companions, key=lambda c: (c.is_running, c.created_at), reverse=True):
        if is_managed(container):
            found.setdefault(container.service, []).append(container)
    return found
