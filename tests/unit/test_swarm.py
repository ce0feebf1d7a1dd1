"""Projects of a swarm: what is sent, what its answers mean, and what is refused."""

from __future__ import annotations

from dataclasses import replace as with_settings
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes import make_spec
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine import swarm_decode, swarm_encode
from debughost_cli.engine.port_swarm_types import (
    Reservation,
    SwarmNode,
    SwarmRole,
    SwarmService,
    SwarmSpec,
    SwarmTask,
)
from debughost_cli.errors import InvalidConfig, Usage
from debughost_cli.models import RestartMode, RestartPolicy, State
from debughost_cli.planning.exit_reason import explain, state_of
from debughost_cli.planning.launcher_status import parse
from debughost_cli.planning.swarm import current_task, in_words, place_of, stand_in
from debughost_cli.planning.swarm_support import check_support
from debughost_cli.project.settings import Settings, Source
from debughost_cli.resources import ContainerStatus, Link
from debughost_cli.specs import Limits, Mount, MountType

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LABELS = {names.PROJECT: "shop", names.NODE: "n1", names.CREATED: "then"}
SPEC = make_spec(
    "/srv/shop",
    labels=LABELS,
    mounts=(Mount(MountType.VOLUME, "debug-host-shop-app", "/app"),),
    limits=Limits(cpus=1.5, memory_bytes=300 * 2**20, pids=64),
)
WANTED = SwarmSpec(
    "debug-host-shop", SPEC, "sha256:1", Reservation(300 * 2**20), node="n1", network="net"
)
SERVICE = SwarmService(
    id="s1", name="debug-host-shop", labels=LABELS, environment={}, command=("node",),
    image="sha256:1", replicas=1, node="n1", created_at=NOW, updated_at=NOW,
)  # fmt: skip
TASK = SwarmTask("t1", "s1", "n1", "running", "running", "", "c1", NOW)
NODE = SwarmNode("n1", "first", "ready", "active", since=NOW)


def template(**changes: Any) -> Any:
    return swarm_encode.service(replace(WANTED, **changes))["TaskTemplate"]


def test_a_service_has_what_a_container_has() -> None:
    body = swarm_encode.service(WANTED)
    container = body["TaskTemplate"]["ContainerSpec"]
    assert container["CapabilityDrop"] == ["ALL"]
    assert container["Init"] is True
    assert container["User"] == "1000:1000"
    assert container["Command"] == ["/bin/sh", names.LAUNCHER, "3000"]
    assert container["Args"] == ["npm", "run", "dev"]
    assert container["Labels"] == body["Labels"] == LABELS
    (mount,) = container["Mounts"]
    assert mount["Source"] == "debug-host-shop-app"
    assert mount["VolumeOptions"]["NoCopy"] is True
    assert body["TaskTemplate"]["LogDriver"]["Options"] == {"max-size": "9m", "max-file": "5"}


def test_a_service_runs_once_on_one_node_and_publishes_nothing() -> None:
    body = swarm_encode.service(WANTED)
    assert body["Mode"] == {"Replicated": {"Replicas": 1}}
    assert body["EndpointSpec"] == {"Mode": "dnsrr"}
    assert body["UpdateConfig"]["Order"] == "stop-first"
    assert body["UpdateConfig"]["FailureAction"] == "rollback"
    assert body["TaskTemplate"]["Placement"] == {"Constraints": ["node.id==n1"]}
    assert body["TaskTemplate"]["Networks"][0]["Aliases"] == ["shop", "project-shop"]


def test_limits_and_what_a_node_must_have() -> None:
    assert template()["Resources"] == {
        "Limits": {"NanoCPUs": 1_500_000_000, "MemoryBytes": 300 * 2**20, "Pids": 64},
        "Reservations": {"NanoCPUs": 0, "MemoryBytes": 300 * 2**20},
    }


@pytest.mark.parametrize(
    ("policy", "condition", "attempts"),
    [
        (RestartPolicy(), "none", None),
        (RestartPolicy(RestartMode.ALWAYS), "any", None),
        (RestartPolicy(RestartMode.UNLESS_STOPPED), "any", None),
        (RestartPolicy(RestartMode.ON_FAILURE, 3), "on-failure", 3),
    ],
)
def test_restart_policies(policy: RestartPolicy, condition: str, attempts: int | None) -> None:
    found = template(spec=replace(SPEC, restart=policy))["RestartPolicy"]
    assert found["Condition"] == condition
    assert found.get("MaxAttempts") == attempts


def test_the_question_where_to_place_it_is_no_project() -> None:
    body = swarm_encode.job(replace(WANTED, node="", excluded=("n2", "n3")))
    assert names.PROJECT not in body["Labels"]
    assert body["TaskTemplate"]["Placement"]["Constraints"] == ["node.id!=n2", "node.id!=n3"]
    assert body["TaskTemplate"]["Resources"]["Reservations"]["MemoryBytes"] == 300 * 2**20
    assert body["Mode"] == {"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}


def test_a_service_that_comes_back_is_the_one_that_was_sent() -> None:
    raw = {
        "ID": "s1", "CreatedAt": "2026-11-30T12:00:00Z", "UpdatedAt": "2026-11-30T12:00:00Z",
        "Spec": swarm_encode.service(WANTED),
    }  # fmt: skip
    found = swarm_decode.service(raw)
    assert (found.name, found.node, found.replicas) == ("debug-host-shop", "n1", 1)
    assert found.project == "shop"
    assert found.command == SPEC.command
    assert found.environment == SPEC.environment
    assert found.reservation == WANTED.reservation
    sent = swarm_encode.service(WANTED)["TaskTemplate"]
    assert swarm_decode.task({"ID": "t", "Spec": sent}).revision == (found.revision)


@pytest.mark.parametrize("raw", [{"ID": "x"}, {"ID": "x", "Spec": None, "Status": 3}])
def test_what_an_engine_leaves_out_is_empty(raw: Any) -> None:
    assert swarm_decode.service(raw).node == ""
    assert swarm_decode.node(raw).is_lost
    assert swarm_decode.task(raw).state == ""
    assert swarm_decode.membership(raw).role is SwarmRole.NONE


def test_the_part_of_an_engine_in_a_swarm() -> None:
    worker = swarm_decode.membership(
        {
            "Swarm": {
                "NodeID": "n2", "LocalNodeState": "active", "ControlAvailable": False,
                "RemoteManagers": [{"NodeID": "n1", "Addr": "10.77.0.1:2377"}],
            }
        }
    )  # fmt: skip
    assert (worker.role, worker.node) == (SwarmRole.WORKER, "n2")
    assert worker.managers == ("10.77.0.1:2377",)
    manager = {"Swarm": {"LocalNodeState": "active", "ControlAvailable": True}}
    assert swarm_decode.membership(manager).role is SwarmRole.MANAGER


@pytest.mark.parametrize(
    ("error", "node", "words"),
    [
        (
            "no suitable node (insufficient resources on 3 nodes)", "",
            "too little memory or CPU is free on 3 nodes",
        ),
        (
            "no suitable node (scheduling constraints not satisfied on 2 nodes; "
            "insufficient resources on 1 node)", "first",
            "too little memory or CPU is free on node first",
        ),
        (
            "no suitable node (1 node not available for new tasks; "
            "scheduling constraints not satisfied on 2 nodes)", "first",
            "node first takes no tasks",
        ),
        ("no suitable node (scheduling constraints not satisfied on 1 node)", "", "it may not run"),
        ("no suitable node (unsupported platform on 2 nodes)", "", "for another platform"),
        ("no suitable node (something new on 2 nodes)", "", "something new on 2 nodes"),
        ("no suitable node (something else)", "", "something else"),
        ("No such image: sha256:1", "first", "No such image: sha256:1"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_why_a_task_is_not_placed(error: str, node: str, words: str) -> None:
    assert words in in_words(error, node)


def test_the_task_that_counts_is_the_newest_that_is_to_run() -> None:
    old = replace(TASK, id="old", desired="shutdown")
    later = NOW.replace(hour=13)
    failed = replace(TASK, id="failed", desired="shutdown", created_at=later)
    foreign = replace(TASK, id="foreign", service="s2", created_at=later)
    assert current_task(SERVICE, [foreign, failed, old, TASK]) == TASK
    assert current_task(SERVICE, [old, failed]) == failed
    assert current_task(SERVICE, [foreign]) is None


def project_state(
    service: SwarmService = SERVICE, task: SwarmTask | None = TASK, node: SwarmNode = NODE, *,
    is_known: bool = True,
) -> tuple[State, str]:  # fmt: skip
    """Its state, and why it does not run."""
    place = place_of(service, task, {node.id: node}, is_known=is_known)
    container = stand_in(service, task, place, is_known)
    stopped = Link("running+term", None) if not service.replicas else None
    ended = explain(container, parse(stopped))
    if place.is_lost:
        assert ended is None
    return state_of(container, parse(stopped)), place.reason


def test_a_project_that_was_stopped_is_stopped() -> None:
    assert project_state(replace(SERVICE, replicas=0), None) == (State.STOPPED, "")


@pytest.mark.parametrize("state", ["down", "disconnected", "unknown"])
def test_a_project_on_a_lost_node_waits_for_it(state: str) -> None:
    pending = replace(TASK, state="pending", container="", error="no suitable node (x on 1 node)")
    found, reason = project_state(task=pending, node=replace(NODE, state=state))
    assert found is State.RESTARTING
    assert reason == f"node first is {state} since 2026-11-30T12:00:00.000Z"


def test_a_node_that_left_the_swarm_is_lost() -> None:
    found, reason = project_state(node=replace(NODE, id="n9"))
    assert found is State.RESTARTING
    assert "not part of the swarm any more" in reason


def test_a_task_that_is_not_placed_says_why() -> None:
    error = "no suitable node (insufficient resources on 1 node)"
    found, reason = project_state(task=replace(TASK, state="pending", container="", error=error))
    assert found is State.CREATED
    assert reason == "too little memory or CPU is free on node first"


def test_a_drained_node_is_not_lost() -> None:
    node = replace(NODE, availability="drain")
    place = place_of(SERVICE, TASK, {"n1": node})
    assert (place.node_state, place.is_lost, place.reason) == ("drain", False, "")


def test_a_node_whose_engine_is_not_known() -> None:
    found, reason = project_state(is_known=False)
    assert found is State.RUNNING
    assert "[engines]" in reason
    assert "node first" in reason


def test_a_stand_in_never_claims_what_only_the_node_knows() -> None:
    starting = replace(TASK, state="preparing", container="")
    container = stand_in(SERVICE, starting, place_of(SERVICE, starting, {"n1": NODE}), True)
    assert container.status is ContainerStatus.CREATED
    assert container.id == SERVICE.id


@pytest.mark.parametrize(
    "changes",
    [
        {"ports": {"mail": 1}}, {"shm_size": 2**20}, {"isolated": True}, {"debug": True},
        {"services": ("postgres",)}, {"shared_cache": True},
    ],
)  # fmt: skip
def test_what_a_swarm_cannot_do_is_refused_with_the_reason(changes: dict[str, Any]) -> None:
    (name,) = changes
    settings = with_settings(Settings(swarm=True), **changes)
    with pytest.raises(InvalidConfig) as from_file:
        check_support(with_settings(settings, sources={name: Source.FILE}))
    assert "swarm" in from_file.value.message
    assert from_file.value.details["setting"] == name
    with pytest.raises(Usage):
        check_support(with_settings(settings, sources={name: Source.FLAG}))


def test_what_a_swarm_can_do_is_not() -> None:
    check_support(Settings(swarm=True, cpus=1.0, memory=2**28, git=False))


@pytest.mark.parametrize(
    ("held", "more"),
    [
        (Reservation(), Reservation(300, 2.0)),
        (Reservation(100, 1.0), Reservation(200, 1.0)),
        (Reservation(400, 2.0), Reservation()),
    ],
)
def test_what_has_to_be_free_besides_what_it_holds(held: Reservation, more: Reservation) -> None:
    assert Reservation(300, 2.0).beyond(held) == more


@pytest.mark.parametrize("project", ["shop", "a" * 63, "a-", "x_", "a" * 52 + "-"])
def test_the_name_of_a_service_is_a_dns_label(project: str) -> None:
    name = names.swarm_service_name(project)
    assert len(name) <= 63
    assert name[-1].isalnum()
    assert name != names.swarm_service_name(project + "b")
