"""What ``up`` has to do for the companion services of a project, before its program starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.models import Action
from debughost_cli.planning.drift import find_drift, in_words
from debughost_cli.planning.up import ConvergeOptions, Plan, Step, StepKind
from debughost_cli.resources import Container, ContainerStatus, ContainerSummary
from debughost_cli.specs import ServiceSpec


class CompanionFacts(Struct, frozen=True):
    """What was observed of one companion service. ``leftovers``: ids of further containers."""

    current: Container | None
    leftovers: tuple[str, ...] = ()
    image_step: Step | None = None
    image_environment: Mapping[str, str] = field(default_factory=dict)
    missing_volumes: tuple[str, ...] = ()


def is_managed(container: ContainerSummary) -> bool:
    """Whether ``up`` created it: a companion that somebody else added is left as it is."""
    return bool(container.labels.get(names.CONFIG_HASH) and container.service)


def plan_companion(
    spec: ServiceSpec, facts: CompanionFacts, converge: ConvergeOptions
) -> tuple[Step, ...]:
    """The steps from ``facts`` to a running ``spec``; its old container goes last of all."""
    left = [_remove(ref, "left by an interrupted run") for ref in facts.leftovers]
    current = facts.current
    if current is None:
        return (*left, *_create(spec, facts, "the service has no container"))
    drift = find_drift(spec, current, facts.image_environment)
    if drift or converge.recreate or current.status is ContainerStatus.DEAD:
        why = ", ".join(in_words(drift)) or "--recreate"
        replaced = replace(_remove(current.id, "replaced by the new container"), after_ready=True)
        return (*left, *_create(spec, facts, why), replaced)
    if not current.is_running or current.status is ContainerStatus.PAUSED:
        return (*left, Step(StepKind.START_SERVICE, spec.name, "it does not run"))
    if converge.restart:
        stop = Step(StepKind.STOP_SERVICE, spec.name, "restart")
        return (*left, stop, Step(StepKind.START_SERVICE, spec.name, "restart"))
    return tuple(left)


def _create(spec: ServiceSpec, facts: CompanionFacts, why: str) -> tuple[Step, ...]:
    """Two containers never use the same data at once."""
    steps = [Step(StepKind.CREATE_VOLUME, v, "it does not exist") for v in facts.missing_volumes]
    if facts.current and facts.current.is_running:
        reason = "the new container takes its place"
        steps.append(Step(StepKind.STOP_SERVICE, spec.name, reason))
    steps.append(Step(StepKind.CREATE_SERVICE, spec.name, why))
    return (*steps, Step(StepKind.START_SERVICE, spec.name, "just created"))


def with_companions(
    plan: Plan,
    of_services: Sequence[Sequence[Step]],
    *,
    images: Sequence[Step] = (),
    missing_network: str = "",
    gone: Sequence[ContainerSummary] = (),
) -> Plan:
    """The project's plan with that of its services: they start side by side, before the program.

    ``gone``: containers of services that the configuration does not have any more.
    """
    steps = [step for of_one in of_services for step in of_one]
    removals = [
        replace(_remove(c.id, f"the service {c.service} is not configured"), after_ready=True)
        for c in gone
    ]
    if not (steps or removals or images):
        return plan
    if missing_network:
        reason = "the project's services are reached there"
        steps.insert(0, Step(StepKind.CREATE_NETWORK, missing_network, reason))
    started = [s.target for s in steps if s.kind is StepKind.START_SERVICE]
    if started:
        reason = "until they can be used"
        steps.append(Step(StepKind.WAIT_SERVICES, ", ".join(started), reason))
    before, program = [s for s in steps if not s.after_ready], list(plan.steps)
    if any(s.kind is StepKind.STOP_SERVICE for s in before):
        # A program that has to stop anyway does so before what it uses.
        first = [s for s in program if s.kind is StepKind.STOP_CONTAINER]
        before, program = first + before, [s for s in program if s not in first]
    after = [s for s in steps if s.after_ready] + removals
    is_changed = bool(steps or removals)
    # A network goes after all that is attached to it.
    after += [s for s in program if s.after_ready]
    program = [s for s in program if not s.after_ready]
    action = Action.STARTED if plan.action is Action.UNCHANGED and is_changed else plan.action
    return replace(plan, action=action, steps=(*images, *before, *program, *after))


def _remove(ref: str, reason: str) -> Step:
    return Step(StepKind.REMOVE_CONTAINER, ref, reason)
