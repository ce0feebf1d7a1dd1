"""What ``up`` has to do, from the requested and the existing."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import make_container, make_spec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.models import Action, ProjectType, RestartPolicy
from debughost_cli.planning.drift import find_drift
from debughost_cli.planning.up import ConvergeOptions, Facts, Step, StepKind, plan_up
from debughost_cli.resources import Container, ContainerStatus
from debughost_cli.specs import HTTP, Limits, Mount, MountType, PortBinding

SPEC = make_spec(
    "/srv/shop",
    mounts=(
        Mount(MountType.BIND, "/srv/shop", "/app"),
        Mount(MountType.VOLUME, "deps", "/app/node_modules"),
    ),
    labels=dict(make_spec("/").labels) | {names.INSTALL: "npm"},
)
RUNNING = make_container(SPEC)
STOPPED = replace(RUNNING, status=ContainerStatus.EXITED, exit_code=143)
WAIT = Step(StepKind.WAIT_READY, "3000", "until it listens on its port")


def plan(current: Any, *, converge: Any = None, spec: Any = SPEC, **facts: Any) -> Any:
    return plan_up(spec, Facts(current, **facts), converge or ConvergeOptions())


def dos(plan: Any) -> Any:
    return [step.kind for step in plan.steps]


def test_nothing_there_is_created_with_all_that_is_missing() -> None:
    made = plan(
        None,
        image_step=Step(StepKind.BUILD_IMAGE, "img", "it is not here"),
        network_exists=False,
        missing_volumes=("deps", "cache"),
        missing_folder="/srv/shop/node_modules",
    )
    assert made.action is Action.CREATED
    assert dos(made) == [
        StepKind.BUILD_IMAGE,
        StepKind.CREATE_NETWORK,
        StepKind.CREATE_VOLUME,
        StepKind.CREATE_VOLUME,
        StepKind.CREATE_FOLDER,
        StepKind.CREATE_CONTAINER,
        StepKind.START_CONTAINER,
        StepKind.WAIT_READY,
    ]
    assert all(step.reason for step in made.steps)


def test_what_is_there_already_is_not_made() -> None:
    assert dos(plan(None)) == [
        StepKind.CREATE_CONTAINER,
        StepKind.START_CONTAINER,
        StepKind.WAIT_READY,
    ]


def test_without_waiting_there_is_no_wait() -> None:
    assert dos(plan(None, converge=ConvergeOptions(wait=False))) == [
        StepKind.CREATE_CONTAINER,
        StepKind.START_CONTAINER,
    ]


def test_a_running_one_as_requested_is_left_alone() -> None:
    made = plan(RUNNING)
    assert made.action is Action.UNCHANGED
    assert made.steps == (WAIT,)
    assert made.drift == ()


@pytest.mark.parametrize("status", ["exited", "created", "dead"])
def test_a_stopped_one_is_started(status: ContainerStatus) -> None:
    made = plan(replace(RUNNING, status=status))
    assert made.action is Action.STARTED
    assert dos(made) == [StepKind.START_CONTAINER, StepKind.WAIT_READY]


def test_a_paused_one_is_unpaused() -> None:
    made = plan(replace(RUNNING, status=ContainerStatus.PAUSED))
    assert made.action is Action.STARTED
    assert dos(made) == [StepKind.UNPAUSE_CONTAINER, StepKind.WAIT_READY]


def test_what_cannot_run_on_is_restarted() -> None:
    made = plan(RUNNING, restart_reason="a stop is under way")
    assert made.action is Action.RESTARTED
    assert dos(made) == [StepKind.STOP_CONTAINER, StepKind.START_CONTAINER, StepKind.WAIT_READY]


def test_restart_stops_and_starts_what_is_as_requested() -> None:
    made = plan(RUNNING, converge=ConvergeOptions(restart=True))
    assert made.action is Action.RESTARTED
    assert dos(made) == [StepKind.STOP_CONTAINER, StepKind.START_CONTAINER, StepKind.WAIT_READY]


def test_restart_only_starts_what_does_not_run() -> None:
    made = plan(STOPPED, converge=ConvergeOptions(restart=True))
    assert made.action is Action.RESTARTED
    assert dos(made) == [StepKind.START_CONTAINER, StepKind.WAIT_READY]


def test_drift_recreates_and_the_old_one_goes_last() -> None:
    made = plan(replace(RUNNING, command=("other",)))
    assert made.action is Action.RECREATED
    assert dos(made) == [
        StepKind.CREATE_CONTAINER,
        StepKind.STOP_CONTAINER,
        StepKind.START_CONTAINER,
        StepKind.WAIT_READY,
        StepKind.REMOVE_CONTAINER,
    ]
    assert [d.field for d in made.drift] == ["command"]
    assert "command" in made.steps[0].reason


def test_one_that_an_engine_left_half_removed_is_recreated() -> None:
    made = plan(replace(STOPPED, status=ContainerStatus.DEAD))
    assert made.action is Action.RECREATED
    assert made.drift == ()
    assert "half removed" in made.steps[0].reason
    assert made.steps[-1].kind is StepKind.REMOVE_CONTAINER


def test_a_stopped_one_with_drift_is_not_stopped_again() -> None:
    made = plan(replace(STOPPED, command=("other",)))
    assert StepKind.STOP_CONTAINER not in dos(made)


def test_recreate_is_done_without_drift_as_well() -> None:
    made = plan(RUNNING, converge=ConvergeOptions(recreate=True))
    assert made.action is Action.RECREATED
    assert "--recreate" in made.steps[0].reason
    assert made.drift == ()


def test_leftovers_go_first() -> None:
    made = plan(RUNNING, leftovers=("old1", "old2"))
    assert [(s.kind, s.target) for s in made.steps[:2]] == [
        (StepKind.REMOVE_CONTAINER, "old1"),
        (StepKind.REMOVE_CONTAINER, "old2"),
    ]


def relabelled(key: str, value: str) -> Container:
    return replace(RUNNING, labels=dict(RUNNING.labels) | {key: value})


DRIFTS = {
    "type": relabelled(names.TYPE, "python"),
    "workspace": relabelled(names.WORKSPACE, "/srv/other"),
    "image": replace(RUNNING, image="node:22", image_id="sha256:2"),
    "command": replace(RUNNING, command=("npm", "start")),
    "port": relabelled(names.PORT, "3001"),
    "debug_port": relabelled(names.DEBUG, "9229"),
    "ports": replace(RUNNING, ports=(PortBinding(HTTP, 8080, 3000),)),
    "user": replace(RUNNING, user="0:0"),
    "cpus": replace(RUNNING, limits=replace(RUNNING.limits, cpus=1.0)),
    "memory_bytes": replace(RUNNING, limits=replace(RUNNING.limits, memory_bytes=1)),
    "pids": replace(RUNNING, limits=replace(RUNNING.limits, pids=64)),
    "restart": replace(RUNNING, restart=RestartPolicy.parse("always")),
    "mounts": replace(RUNNING, mounts=RUNNING.mounts[:1]),
    "dependencies": relabelled(names.INSTALL, "none"),
    "network": replace(RUNNING, network_ids={names.NETWORK: "another"}),
    "own_network": replace(
        RUNNING,
        network_ids=dict(RUNNING.network_ids) | {names.network_name(SPEC.project): "of services"},
    ),
}


@pytest.mark.parametrize("field", DRIFTS)
def test_drift_is_found_field_by_field(field: Any) -> None:
    (found,) = find_drift(SPEC, DRIFTS[field], {})
    assert found.field == field
    assert found.want != found.have


def test_drift_compares_every_field_of_the_specification() -> None:
    compared_otherwise = {
        "project", "image_id", "environment", "labels", "aliases", "network_id", "role", "name",
        "own_network_id", "links",
    }  # fmt: skip
    named = {f.rstrip("_") for f in SPEC.__struct_fields__} - compared_otherwise
    covered = set(DRIFTS) | {"limits", "config_hash"}
    assert named <= covered, "a new field of ServiceSpec needs a comparison, and a case here"


@pytest.mark.parametrize(
    "have",
    [
        pytest.param(replace(RUNNING, image="moved:tag", image_id=SPEC.image_id), id="retagged"),
        pytest.param(replace(RUNNING, mounts=RUNNING.mounts[::-1]), id="order of the mounts"),
        pytest.param(replace(RUNNING, network_ids={names.NETWORK: ""}), id="never started"),
        pytest.param(replace(RUNNING, limits=Limits(0, 0, 0)), id="an engine that takes no limits"),
        pytest.param(
            replace(RUNNING, network_ids=dict(RUNNING.network_ids) | {"mine": "x"}),
            id="attached to another network by hand",
        ),
    ],
)
def test_what_makes_no_difference_is_no_drift(have: Any) -> None:
    assert find_drift(SPEC, have, {}) == ()


def test_an_image_of_the_same_name_that_was_rebuilt_is_drift() -> None:
    (found,) = find_drift(SPEC, replace(RUNNING, image_id="sha256:old"), {})
    assert (found.field, found.want, found.have) == ("image", SPEC.image_id, "sha256:old")


def test_a_network_that_is_gone_is_drift() -> None:
    """A stopped container keeps the id of a network that no start will ever find again."""
    spec = replace(SPEC, network_id="")
    assert [d.field for d in find_drift(spec, STOPPED, {})] == ["network"]


def test_a_detached_container_has_drift() -> None:
    (found,) = find_drift(SPEC, replace(RUNNING, network_ids={}), {})
    assert (found.field, found.have) == ("network", None)


def test_variables_are_compared_by_name_and_their_values_stay_secret() -> None:
    secrets = {"TOKEN": "hunter2", "NEW": "s3cret"}
    spec = replace(SPEC, environment=dict(SPEC.environment) | secrets)
    have = replace(
        RUNNING, environment=dict(SPEC.environment) | {"TOKEN": "old-hunter", "GONE": "old-s3cret"}
    )
    found = {d.field: (d.want, d.have) for d in find_drift(spec, have, {})}
    assert found == {
        "env.TOKEN": ("set", "other"),
        "env.NEW": ("set", None),
        "env.GONE": (None, "set"),
    }


@given(st.dictionaries(st.text(min_size=1), st.from_regex(r"v[0-9]{9}", fullmatch=True)))
def test_no_value_of_a_variable_ever_shows_in_a_plan(environment: Any) -> None:
    spec = replace(SPEC, environment=environment)
    text = repr(plan(RUNNING, spec=spec)) + repr(plan(replace(RUNNING, environment=environment)))
    assert not [v for v in environment.values() if v in text]


def test_variables_that_come_from_the_image_are_no_drift() -> None:
    have = replace(RUNNING, environment=dict(RUNNING.environment) | {"NODE_VERSION": "24"})
    assert find_drift(SPEC, have, {"NODE_VERSION": "24"}) == ()
    (found,) = find_drift(SPEC, have, {"NODE_VERSION": "25"})
    assert found.field == "env.NODE_VERSION"


def test_a_hash_that_alone_differs_is_reported() -> None:
    (found,) = find_drift(SPEC, relabelled(names.CONFIG_HASH, "older"), {})
    assert found.field == "config_hash"


def test_limits_that_changed_on_an_engine_that_takes_none_are_named() -> None:
    bare = replace(relabelled(names.CONFIG_HASH, "older"), limits=Limits(0, 0, 0))
    assert [d.field for d in find_drift(SPEC, bare, {})] == ["cpus", "memory_bytes", "pids"]
    found = find_drift(SPEC, replace(bare, command=("npm", "start")), {})
    assert [d.field for d in found] == ["command"]


def test_drift_with_a_container_that_has_no_labels_at_all() -> None:
    bare = replace(
        RUNNING,
        labels={},
        command=(),
        environment={},
        mounts=(),
        limits=Limits(0, 0, 0),
        network_ids={},
        image="",
        image_id="",
    )
    fields = {d.field for d in find_drift(replace(SPEC, type=ProjectType.PHP), bare, {})}
    assert {"type", "workspace", "image", "command", "port", "mounts", "network"} <= fields
