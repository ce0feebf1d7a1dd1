"""``up --swarm``: choose the node, bring there what the project needs, have the swarm run it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.deployment.managers import no_majority
from debughost_cli.deployment.swarm import STOP_TIMEOUT, SwarmDeployment
from debughost_cli.deployment.swarm_engine import SwarmEngine, unreachable
from debughost_cli.deployment.swarm_view import SwarmMember
from debughost_cli.engine.port import Engine
from debughost_cli.engine.port_swarm_types import Reservation, SwarmNode, SwarmSpec
from debughost_cli.errors import DebughostError, Interrupted, Usage
from debughost_cli.models import Action
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.planning.swarm_support import check_support
from debughost_cli.planning.up import Plan, Step, StepKind
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import Container, ProjectInstance
from debughost_cli.services.drift import freshness
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.image_steps import ImageSteps
from debughost_cli.services.images import ImageChoice, ImageService
from debughost_cli.services.known_engines import checked_identity
from debughost_cli.services.lock import project_lock
from debughost_cli.services.observed_facts import restart_reason
from debughost_cli.services.owner_process import this_process
from debughost_cli.services.ownership import check_up
from debughost_cli.services.progress import PhaseKind, Progress
from debughost_cli.services.projects import describe, find_instance, observe, planned
from debughost_cli.services.readiness import wait_ready
from debughost_cli.services.results import ProjectResult
from debughost_cli.services.swarm_files import NodeFiles
from debughost_cli.services.swarm_network import ensure_overlay
from debughost_cli.services.swarm_placement import Placement
from debughost_cli.services.swarm_spec import reservation_of, swarm_spec
from debughost_cli.services.swarm_tasks import TaskWait
from debughost_cli.services.up_checks import check_limits
from debughost_cli.services.up_state import UpOptions
from debughost_cli.specs import ServiceSpec

NOTHING = Reservation()


class _Target(Struct, frozen=True):
    """The node that a project is brought to."""

    node: SwarmNode
    engine: Engine


class SwarmUp:
    """Brings a project of a swarm into the requested state."""

    def __init__(
        self, engine: SwarmEngine, progress: Progress, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._engine = engine
        self._progress = progress
        self._clock = clock
        self._owner = this_process(host_identity())
        self._placement = Placement(engine, clock)
        self._images = ImageSteps(engine, progress, ImageService(engine, progress))

    def dry_run(self, resolved: ResolvedProject, options: UpOptions) -> ProjectResult:
        """The plan in outline: the swarm decides the rest."""
        self._check(resolved)
        member = self._member(resolved)
        image = ImageService(self._engine, self._progress).choose(resolved, options.pull)
        spec = swarm_spec(resolved, image, self._engine, self._owner)
        why = "the project has no service" if member is None else "up"
        steps = [*((image.step,) if image.step else ())]
        steps.append(Step(StepKind.CREATE_CONTAINER, resolved.project, why))
        steps.append(Step(StepKind.WAIT_READY, resolved.project, "until it listens"))
        action = Action.CREATED if member is None else Action.RECREATED
        if member and not self._changes(member, spec, options):
            action, steps = Action.UNCHANGED, []
        return ProjectResult(planned(spec), action, plan=Plan(action, tuple(steps)))

    def run(
        self, resolved: ResolvedProject, options: UpOptions, known: ProjectInstance | None = None,
        node: str = "",
    ) -> ProjectResult:  # fmt: skip
        """``node``: the id of the node that it is to be on from now on; empty: where it is.

        Raises what ``up`` raises, NotPlaced, NodeUnreachable, and Usage for no node of the swarm.
        """
        self._check(resolved)
        image, _ = self._images.get(resolved, options.pull, options.given_up)
        with project_lock(
            checked_identity(self._engine), resolved.project, on_wait=self._progress.phase
        ):
            member = self._member(resolved)
            target = self._target(resolved, member, image, node)
            files = NodeFiles(self._engine.manager, target.engine, self._progress)
            image = files.bring_image(image)
            spec = swarm_spec(resolved, image, target.engine, self._owner, target.node)
            action = self._action(member, spec, resolved, options)
            if action is Action.UNCHANGED:
                assert member
                ref = member.task.container if member.task else ""
                files.upload(ref, spec, resolved, options.cancelled, is_running=True)
            else:
                ref = self._converge(resolved, member, target, spec, files, options)
        return self._finish(resolved, target, ref, options, action)

    def _check(self, resolved: ResolvedProject) -> None:
        check_support(resolved.settings)
        check_limits(self._engine, resolved, self._owner, self._progress)

    def _member(self, resolved: ResolvedProject) -> SwarmMember | None:
        """The project as it is in the swarm. Raises Usage where it is on the engine alone."""
        instance = find_instance(self._engine, resolved.project)
        if not self._engine.view.has_majority:
            raise no_majority(self._engine, resolved.project)
        if instance is None:
            return None
        check_up(resolved.project, instance.main.labels, str(resolved.workspace), self._owner.host)
        member = self._engine.view.member_of(instance.main.id)
        if member is None:
            raise Usage(
                f"{resolved.project} exists already, and not as a service of the swarm",
                hint=f"Remove it first, its volumes are kept: debughost rm -p {resolved.project}",
                details={"project": resolved.project},
            )
        return member

    def _target(
        self, resolved: ResolvedProject, member: SwarmMember | None, image: ImageChoice, to: str
    ) -> _Target:
        """The node ``to``, else that which it has, or that the swarm gives it now."""
        nodes = {n.id: n for n in self._engine.swarm.nodes()}
        if to:
            engine = self._placement.engine_of(to, nodes)
            return _Target(nodes[to], engine)
        if member:
            if member.engine is None or member.place.is_lost:
                raise unreachable(member)
            return _Target(nodes[member.service.node], member.engine)
        engines = self._placement.engines(nodes)
        node = self._placement.node_with_files(engines, resolved.project)
        if not node:
            self._progress.phase(PhaseKind.CREATE, f"Asking the swarm to place {resolved.project}")
            node = self._placement.choose(self._question(resolved, image, nodes, engines), nodes)
        return _Target(nodes[node], engines[node])

    def _question(
        self, resolved: ResolvedProject, image: ImageChoice, nodes: dict[str, SwarmNode],
        engines: dict[str, Engine],
    ) -> SwarmSpec:  # fmt: skip
        spec = swarm_spec(resolved, image, self._engine, self._owner)
        excluded = tuple(node for node in nodes if node not in engines)
        name = names.swarm_service_name(resolved.project)
        return SwarmSpec(name, spec, "", reservation_of(resolved), excluded=excluded)

    def _action(
        self, member: SwarmMember | None, spec: ServiceSpec, resolved: ResolvedProject,
        options: UpOptions,
    ) -> Action:  # fmt: skip
        if member is None:
            return Action.CREATED
        has_moved = member.service.node != spec.labels[names.NODE]
        if has_moved or self._changes(member, spec, options):
            return Action.RECREATED
        if not member.service.replicas:
            return Action.STARTED
        task = member.task
        is_running = task and task.container and task.state in ("starting", "running")
        if options.converge.restart or not is_running or self._is_due(member, resolved):
            return Action.RESTARTED
        return Action.UNCHANGED

    def _is_due(self, member: SwarmMember, resolved: ResolvedProject) -> bool:
        """Whether what runs has to be restarted, such as for a lock file that changed."""
        assert member.task
        container, launcher = observe(self._engine, member.task.container)
        return bool(restart_reason(self._engine, resolved, container, launcher))

    def _changes(self, member: SwarmMember, spec: ServiceSpec, options: UpOptions) -> bool:
        same = member.service.labels.get(names.CONFIG_HASH) == spec.config_hash
        values = {k: member.service.environment.get(k) for k in spec.environment}
        return options.converge.recreate or not same or values != dict(spec.environment)

    def _converge(
        self, resolved: ResolvedProject, member: SwarmMember | None, target: _Target,
        spec: ServiceSpec, files: NodeFiles, options: UpOptions,
    ) -> str:  # fmt: skip
        """Has the swarm run ``spec``; the id of the container on its node."""
        self._progress.phase(
            PhaseKind.CREATE, f"Bringing {spec.project} to node {target.node.name}"
        )
        files.create_volumes(spec)
        image = files.make_image(spec, resolved, self._clock.now(), options.cancelled)
        network = ensure_overlay(self._engine, self._progress)
        wanted = SwarmSpec(
            names.swarm_service_name(spec.project), spec, image, reservation_of(resolved),
            node=target.node.id, network=network.id, stop_timeout=STOP_TIMEOUT,
        )  # fmt: skip
        if member and member.service.node != target.node.id:
            self._leave(member, wanted, target)
            member = None
        if member is None:
            ref = self._create(wanted, target, options)
        else:
            ref = self._update(member, wanted, target, options)
        files.remove_images(spec.project, keep=image)
        return ref

    def _leave(self, member: SwarmMember, wanted: SwarmSpec, target: _Target) -> None:
        """Ends it where it is, once the swarm would place it on the other node.

        A lost node ends what still runs there as soon as it is back.
        """
        self._placement.choose(wanted, {target.node.id: target.node})
        self._progress.phase(PhaseKind.STOP, f"Ending it on node {member.place.node}")
        SwarmDeployment(self._engine, self._clock).remove(member.service.id)
        project = wanted.spec.project
        self._progress.warn(
            "OLD_NOT_REMOVED",
            f"node {member.place.node} still has the volumes of {project}, with what the program "
            f"wrote; see 'docker volume ls --filter label={names.PROJECT}={project}' there",
        )

    def _create(self, wanted: SwarmSpec, target: _Target, options: UpOptions) -> str:
        service = self._engine.swarm.create(wanted)
        try:
            return self._started(service, wanted, target, options)
        except BaseException:
            self._engine.swarm.remove(service)
            raise

    def _update(
        self, member: SwarmMember, wanted: SwarmSpec, target: _Target, options: UpOptions
    ) -> str:
        """Where the new one does not start, what was before is again.

        A swarm stops the old one before it knows whether the new one can be placed: it is asked
        first.
        """
        service = member.service
        more = wanted.reservation.beyond(service.reservation if service.replicas else NOTHING)
        if more != NOTHING:
            question = replace(wanted, reservation=more)
            self._placement.choose(question, {target.node.id: target.node})
        self._engine.swarm.update(service.id, wanted)
        try:
            return self._started(service.id, wanted, target, options)
        except BaseException as exc:
            if not service.replicas:
                self._engine.swarm.scale(service.id, 0)
                raise
            self._engine.swarm.undo(service.id)
            if isinstance(exc, DebughostError):
                hint = f"{exc.hint}; what ran before is started again"
                raise exc.with_context(hint=hint) from exc
            raise

    def _started(self, service: str, wanted: SwarmSpec, target: _Target, options: UpOptions) -> str:
        wait = TaskWait(self._engine, target.node, self._progress, self._clock)
        return wait.container(service, wanted.spec.project, options.cancelled)

    def _finish(
        self, resolved: ResolvedProject, target: _Target, ref: str, options: UpOptions,
        action: Action,
    ) -> ProjectResult:  # fmt: skip
        """The project once it is ready. Raises what ``up`` raises for one that is not."""
        try:
            container, launcher = self._await_ready(resolved, target, ref, options)
        except Interrupted:
            if action is Action.CREATED:
                self._engine.swarm.remove(names.swarm_service_name(resolved.project))
            raise
        except DebughostError as exc:
            raise exc.with_context(changed=action is not Action.UNCHANGED) from exc
        find_instance(self._engine, resolved.project)
        member = self._engine.view.member_of(container.id)
        shown = member.placed(container) if member else container
        project = describe(self._engine, shown, launcher)
        fresh = freshness(target.engine, resolved, shown, launcher)
        return ProjectResult(replace(project, dependencies=fresh), action)

    def _await_ready(
        self, resolved: ResolvedProject, target: _Target, ref: str, options: UpOptions
    ) -> tuple[Container, LauncherStatus]:
        if not options.converge.wait:
            return observe(target.engine, ref)
        return wait_ready(
            target.engine,
            ref,
            resolved.settings.waits,
            progress=self._progress,
            cancelled=options.cancelled,
            clock=self._clock,
        )
