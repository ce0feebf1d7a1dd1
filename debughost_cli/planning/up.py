"""What ``up`` has to do: from what is wanted and what is there to an ordered list of steps.

Pure: ``--dry-run`` shows the very plan that ``up`` carries out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from debughost_cli import names
from debughost_cli.models import Action, Drift
from debughost_cli.resources import Container, ContainerSpec, Limits, Mount


class StepKind(StrEnum):
    """The kinds of steps."""

    BUILD_IMAGE = "build_image"
    PULL_IMAGE = "pull_image"
    CREATE_NETWORK = "create_network"
    CREATE_VOLUME = "create_volume"
    CREATE_FOLDER = "create_folder"
    CREATE_CONTAINER = "create_container"
    STOP_CONTAINER = "stop_container"
    START_CONTAINER = "start_container"
    UNPAUSE_CONTAINER = "unpause_container"
    REMOVE_CONTAINER = "remove_container"
    REMOVE_VOLUME = "remove_volume"
    WAIT_READY = "wait_ready"


@dataclass(frozen=True)
class Step:
    """One thing to do, to what, and why."""

    kind: StepKind
    target: str
    reason: str


@dataclass(frozen=True)
class Facts:
    """What was seen on the engine and in the workspace before planning."""

    current: Container | None
    leftovers: tuple[str, ...] = ()
    """Ids of other containers of the project: what an aborted run left behind."""
    image_step: Step | None = None
    network_exists: bool = True
    missing_volumes: tuple[str, ...] = ()
    missing_folder: str | None = None
    restart_reason: str = ""
    """Why a container that is as wanted cannot just run on; empty where it can."""
    image_environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The action and its steps; ``drift`` says which fields made a recreation necessary."""

    action: Action
    steps: tuple[Step, ...]
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True)
class ConvergeOptions:
    """How the user wants it done. ``restart`` also stops what runs and is as it should be."""

    recreate: bool = False
    restart: bool = False
    wait: bool = True


def plan_up(spec: ContainerSpec, facts: Facts, converge: ConvergeOptions) -> Plan:
    """The steps from ``facts`` to a running ``spec``."""
    current = facts.current
    drift = find_drift(spec, current, facts.image_environment) if current else ()
    cleanup = tuple(
        Step(StepKind.REMOVE_CONTAINER, ref, "left behind by a run that was cut off")
        for ref in facts.leftovers
    )
    tail = (
        (Step(StepKind.WAIT_READY, str(spec.port), "until it listens on its port"),)
        if converge.wait
        else ()
    )
    if current is None:
        steps = _create(spec, facts, None, "the project has no container")
        return Plan(Action.CREATED, (*cleanup, *steps, *tail))
    if drift or converge.recreate:
        why = f"changed: {', '.join(d.field for d in drift)}" if drift else "--recreate"
        return Plan(Action.RECREATED, (*cleanup, *_create(spec, facts, current, why), *tail), drift)
    action, steps = _restart(current) if converge.restart else _keep(current, facts)
    return Plan(action, (*cleanup, *steps, *tail))


def _create(spec: ContainerSpec, facts: Facts, old: Container | None, why: str) -> tuple[Step, ...]:
    steps = [facts.image_step] if facts.image_step else []
    if not facts.network_exists:
        steps.append(Step(StepKind.CREATE_NETWORK, spec.network, "it does not exist"))
    steps += [Step(StepKind.CREATE_VOLUME, v, "it does not exist") for v in facts.missing_volumes]
    if facts.missing_folder:
        steps.append(
            Step(
                StepKind.CREATE_FOLDER,
                facts.missing_folder,
                "the dependency volume is mounted there",
            )
        )
    steps.append(Step(StepKind.CREATE_CONTAINER, spec.project, why))
    if old and old.is_running:
        steps.append(Step(StepKind.STOP_CONTAINER, old.id, "the new container takes its place"))
    steps.append(Step(StepKind.START_CONTAINER, spec.project, "newly made"))
    if old:
        steps.append(Step(StepKind.REMOVE_CONTAINER, old.id, "replaced by the new container"))
    return tuple(steps)


def _keep(current: Container, facts: Facts) -> tuple[Action, tuple[Step, ...]]:
    if current.status == "paused":
        return Action.STARTED, (Step(StepKind.UNPAUSE_CONTAINER, current.id, "it is paused"),)
    if not current.is_running:
        return Action.STARTED, (Step(StepKind.START_CONTAINER, current.id, "it does not run"),)
    if facts.restart_reason:
        return _restart(current, facts.restart_reason)
    return Action.UNCHANGED, ()


def _restart(current: Container, why: str = "restart") -> tuple[Action, tuple[Step, ...]]:
    start = Step(StepKind.START_CONTAINER, current.id, why)
    if not current.is_running:
        return Action.RESTARTED, (start,)
    return Action.RESTARTED, (Step(StepKind.STOP_CONTAINER, current.id, why), start)


def find_drift(
    spec: ContainerSpec, have: Container, image_environment: Mapping[str, str]
) -> tuple[Drift, ...]:
    """The fields in which ``have`` differs from ``spec``; values of variables stay secret."""
    pairs: dict[str, tuple[Any, Any]] = {
        "type": (spec.type.value, have.labels.get(names.TYPE)),
        "workspace": (spec.workspace, have.labels.get(names.WORKSPACE)),
        "image": _image_pair(spec, have),
        "command": (list(spec.command), list(have.command)),
        "port": (spec.port, have.port),
        "user": (spec.user or "", have.user),
        **_limit_pairs(spec.limits, have.limits),
        "restart": (spec.restart, have.restart),
        "mounts": (_mounts(spec.mounts), _mounts(have.mounts)),
        "dependencies": (spec.labels.get(names.INSTALL), have.labels.get(names.INSTALL)),
        "network": _network_pair(spec, have),
    }
    found = [Drift(f, want, got) for f, (want, got) in pairs.items() if want != got]
    found += _environment_drift(spec.environment, have.environment, image_environment)
    if not found and spec.config_hash != have.labels.get(names.CONFIG_HASH):
        found = [Drift("config_hash", spec.config_hash, have.labels.get(names.CONFIG_HASH))]
    return tuple(found)


def _limit_pairs(want: Limits, have: Limits) -> dict[str, tuple[Any, Any]]:
    """The limits that are set; the others are the engine's own choice."""
    pairs = {f.name: (getattr(want, f.name), getattr(have, f.name)) for f in fields(Limits)}
    return {name: pair for name, pair in pairs.items() if pair[0] is not None}


def _image_pair(spec: ContainerSpec, have: Container) -> tuple[str, str]:
    if not spec.image_id or spec.image_id == have.image_id:
        return (spec.image, have.image if not spec.image_id else spec.image)
    if spec.image == have.image:
        return (spec.image_id, have.image_id)
    return (spec.image, have.image)


def _network_pair(spec: ContainerSpec, have: Container) -> tuple[str | None, str | None]:
    """A network that was removed and made again has another id, and starting would fail.

    A container that never ran knows its network by name alone.
    """
    if spec.network not in have.network_ids:
        return (spec.network, None)
    recorded = have.network_ids[spec.network]
    return (spec.network_id or None, recorded) if recorded else (None, None)


def _mounts(mounts: tuple[Mount, ...]) -> list[str]:
    return sorted(f"{m.type}:{m.source}:{m.target}:{'ro' if m.read_only else 'rw'}" for m in mounts)


def _environment_drift(
    want: Mapping[str, str], have: Mapping[str, str], inherited: Mapping[str, str]
) -> list[Drift]:
    changed = sorted(k for k, v in want.items() if have.get(k) != v)
    extra = sorted(k for k, v in have.items() if k not in want and inherited.get(k) != v)
    return [Drift(f"env.{k}", "set", "other" if k in have else None) for k in changed] + [
        Drift(f"env.{k}", None, "set") for k in extra
    ]
