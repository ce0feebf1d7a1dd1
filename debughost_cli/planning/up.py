"""What ``up`` has to do: from the requested and the existing to an ordered list of steps.

Pure: ``--dry-run`` shows the plan that ``up`` carries out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from debughost_cli.models import Action, Drift
from debughost_cli.planning.drift import find_drift, in_words
from debughost_cli.resources import Container, ContainerStatus
from debughost_cli.specs import ServiceSpec

REQUESTED = ("--recreate", "restart")
"""The reasons of steps that nothing but the user's request made necessary."""


class StepKind(StrEnum):
    """The kinds of steps."""

    BUILD_IMAGE = "build_image"
    PULL_IMAGE = "pull_image"
    CREATE_NETWORK = "create_network"
    CREATE_VOLUME = "create_volume"
    CREATE_FOLDER = "create_folder"
    CREATE_CONTAINER = "create_container"
    STOP_CONTAINER = "stop_container"
    UPLOAD_WORKSPACE = "upload_workspace"
    START_CONTAINER = "start_container"
    UNPAUSE_CONTAINER = "unpause_container"
    REMOVE_CONTAINER = "remove_container"
    REMOVE_VOLUME = "remove_volume"
    REMOVE_NETWORK = "remove_network"
    WAIT_READY = "wait_ready"
    CREATE_SERVICE = "create_service"
    START_SERVICE = "start_service"
    STOP_SERVICE = "stop_service"
    WAIT_SERVICES = "wait_services"


class Step(Struct, frozen=True):
    """One thing to do, to what, and why."""

    kind: StepKind
    target: str
    reason: str
    after_ready: bool = False
    """It removes what is replaced, once the new container runs."""


class Facts(Struct, frozen=True):
    """What was observed on the engine and in the workspace before planning."""

    current: Container | None
    leftovers: tuple[str, ...] = ()
    """Ids of other containers of the main role: what an interrupted run left."""
    image_step: Step | None = None
    network_exists: bool = True
    missing_volumes: tuple[str, ...] = ()
    foreign_volumes: Mapping[str, str] = field(default_factory=dict)
    """Volumes of the project's names that another workspace filled, each with why it is not used;
    they are missing as well."""
    missing_folder: str | None = None
    stale_network: str = ""
    """The network of its own that the project had, and does not join any more; empty for none."""
    port_note: str = ""
    """The volume that remembers the port of a project without a container; empty for none."""
    restart_reason: str = ""
    """Why a container without drift cannot just run on; empty where it can."""
    image_environment: Mapping[str, str] = field(default_factory=dict)
    upload_reason: str = ""
    """Why the workspace has to be uploaded, or may have to; empty where it is mounted, or where
    the container runs on with what it has."""
    workspace_volume: str = ""
    """Where the workspace is uploaded to."""


class Plan(Struct, frozen=True):
    """The action and its steps; ``drift`` names the fields that made a recreation necessary."""

    action: Action
    steps: tuple[Step, ...]
    drift: tuple[Drift, ...] = ()

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that are carried out while the project is locked, image and wait aside."""
        apart = (StepKind.BUILD_IMAGE, StepKind.PULL_IMAGE, StepKind.WAIT_READY)
        return tuple(s for s in self.steps if s.kind not in apart and not s.after_ready)

    @property
    def removals(self) -> tuple[Step, ...]:
        """The containers that are removed before the new one exists."""
        return tuple(s for s in self.changes if s.kind is StepKind.REMOVE_CONTAINER)

    @property
    def wait(self) -> tuple[Step, ...]:
        """The step that waits for readiness; none with ``--no-wait``."""
        return tuple(s for s in self.steps if s.kind is StepKind.WAIT_READY)

    @property
    def cleanup(self) -> tuple[Step, ...]:
        """The steps once the container runs."""
        return tuple(s for s in self.steps if s.after_ready)


class ConvergeOptions(Struct, frozen=True):
    """What the user requests beyond the project itself.

    ``restart``: also stop a container that runs and has no drift.
    """

    recreate: bool = False
    restart: bool = False
    wait: bool = True


def plan_up(spec: ServiceSpec, facts: Facts, converge: ConvergeOptions) -> Plan:
    """The steps from ``facts`` to a running ``spec``."""
    current = facts.current
    drift = find_drift(spec, current, facts.image_environment) if current else ()
    if current is None:
        action, steps = Action.CREATED, _create(spec, facts, "the project has no container")
    elif drift or converge.recreate or _cannot_stay(current, facts):
        action, steps = Action.RECREATED, _create(spec, facts, _why_recreated(facts, drift))
    elif converge.restart:
        action, steps = _restart(current)
    else:
        action, steps = _keep(current, facts)
    return Plan(
        action,
        (
            *((facts.image_step,) if facts.image_step else ()),
            *(_remove(ref, "left by an interrupted run") for ref in facts.leftovers),
            *_with_upload(steps, facts),
            *_wait(spec, converge),
            *_remove_replaced(facts, action),
        ),
        drift,
    )


def _with_upload(steps: tuple[Step, ...], facts: Facts) -> tuple[Step, ...]:
    """Once there is a container to upload into, and before what ran before is stopped for it."""
    if not facts.upload_reason:
        return steps
    kinds = [step.kind for step in steps]
    created = StepKind.CREATE_CONTAINER
    at = kinds.index(created) + 1 if created in kinds else 0
    target = facts.workspace_volume
    step = Step(StepKind.UPLOAD_WORKSPACE, target, facts.upload_reason)
    return (*steps[:at], step, *steps[at:])


def _cannot_stay(current: Container, facts: Facts) -> bool:
    return current.status is ContainerStatus.DEAD or bool(facts.foreign_volumes)


def _why_recreated(facts: Facts, drift: tuple[Drift, ...]) -> str:
    if drift:
        return ", ".join(in_words(drift))
    if facts.foreign_volumes:
        return "its packages are those of another workspace or user"
    # An engine that was killed while it removed a container never starts it again.
    is_dead = facts.current and facts.current.status is ContainerStatus.DEAD
    return "it is half removed" if is_dead else "--recreate"


def _create(spec: ServiceSpec, facts: Facts, why: str) -> tuple[Step, ...]:
    steps = [*_remove_foreign(facts)]
    if not facts.network_exists:
        steps.append(Step(StepKind.CREATE_NETWORK, spec.network, "it does not exist"))
    steps += [Step(StepKind.CREATE_VOLUME, v, "it does not exist") for v in facts.missing_volumes]
    if facts.missing_folder:
        reason = "the dependency volume is mounted there"
        steps.append(Step(StepKind.CREATE_FOLDER, facts.missing_folder, reason))
    steps.append(Step(StepKind.CREATE_CONTAINER, spec.project, why))
    if facts.current and not facts.foreign_volumes:
        steps += _stop(facts.current, "the new container takes its place")
    steps.append(Step(StepKind.START_CONTAINER, spec.project, "just created"))
    return tuple(steps)


def _stop(current: Container, reason: str) -> tuple[Step, ...]:
    return (Step(StepKind.STOP_CONTAINER, current.id, reason),) if current.is_running else ()


def _remove_foreign(facts: Facts) -> tuple[Step, ...]:
    """What another workspace installed goes first, and with it a container that still uses it."""
    if not facts.foreign_volumes:
        return ()
    volumes = [Step(StepKind.REMOVE_VOLUME, v, why) for v, why in facts.foreign_volumes.items()]
    if facts.current is None:
        return tuple(volumes)
    reason = "it uses a volume of another workspace or user"
    return (*_stop(facts.current, reason), _remove(facts.current.id, reason), *volumes)


def _keep(current: Container, facts: Facts) -> tuple[Action, tuple[Step, ...]]:
    if current.status is ContainerStatus.PAUSED:
        return Action.STARTED, (Step(StepKind.UNPAUSE_CONTAINER, current.id, "it is paused"),)
    if not current.is_running:
        return Action.STARTED, (Step(StepKind.START_CONTAINER, current.id, "it does not run"),)
    if facts.restart_reason:
        return _restart(current, facts.restart_reason)
    return Action.UNCHANGED, ()


def _restart(current: Container, why: str = "restart") -> tuple[Action, tuple[Step, ...]]:
    start = Step(StepKind.START_CONTAINER, current.id, why)
    return Action.RESTARTED, (*_stop(current, why), start)


def _wait(spec: ServiceSpec, converge: ConvergeOptions) -> tuple[Step, ...]:
    why = "until it listens on its port" if spec.port else "until it has run for 3 s"
    return (Step(StepKind.WAIT_READY, str(spec.port), why),) if converge.wait else ()


def _remove_replaced(facts: Facts, action: Action) -> tuple[Step, ...]:
    """What is replaced goes last, once the new container runs."""
    steps = []
    if action is Action.RECREATED and facts.current and not facts.foreign_volumes:
        steps.append(_remove(facts.current.id, "replaced by the new container"))
    if action is Action.CREATED and facts.port_note:
        reason = "the container has the port now"
        steps.append(Step(StepKind.REMOVE_VOLUME, facts.port_note, reason))
    if action in (Action.RECREATED, Action.CREATED) and facts.stale_network:
        reason = "the project is not isolated any more"
        steps.append(Step(StepKind.REMOVE_NETWORK, facts.stale_network, reason))
    return tuple(replace(step, after_ready=True) for step in steps)


def _remove(ref: str, reason: str) -> Step:
    return Step(StepKind.REMOVE_CONTAINER, ref, reason)
