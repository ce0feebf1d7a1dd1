"""Where containers run: the lifecycle of one engine, and how a workspace gets to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine, make_spec

from debughost_cli import names
from debughost_cli.deployment.single import SingleEngineDeployment
from debughost_cli.deployment.transport import Transport, transport_of
from debughost_cli.resources import ContainerStatus, EngineInfo
from debughost_cli.specs import Mount, MountType


@pytest.mark.parametrize(
    ("endpoint", "shares"),
    [
        ("unix:///run/docker.sock", True),
        ("npipe:////./pipe/docker_engine", True),
        ("tcp://127.0.0.1:2375", False),
        ("ssh://host", False),
    ],
)
def test_which_engines_share_this_machine(endpoint: str, shares: bool) -> None:
    assert EngineInfo(endpoint, "flag").shares_machine is shares


def test_a_workspace_is_mounted_or_in_a_volume_of_its_own() -> None:
    bind, volume = (t.mount("shop", "/srv/shop") for t in (Transport.BIND, Transport.VOLUME))
    assert bind == Mount(MountType.BIND, "/srv/shop", "/app")
    assert volume == Mount(MountType.VOLUME, "debug-host-shop-app", "/app")


@pytest.mark.parametrize("transport", Transport)
def test_the_label_says_how_it_gets_there(transport: Transport) -> None:
    assert transport_of({names.TRANSPORT: transport.value}) is transport
    assert transport_of({}) is Transport.BIND


@pytest.fixture
def engine() -> FakeEngine:
    made = FakeEngine()
    made.add_image("debug-host/node:abc")
    return made


def started(engine: FakeEngine, workspace: Path) -> str:
    deployment = SingleEngineDeployment(engine)
    ref = deployment.create("one", make_spec(workspace))
    engine.stored_containers[ref].status = "running"
    engine.write_status(ref, "running")
    return ref


def test_a_paused_container_is_resumed_before_it_is_stopped(
    engine: FakeEngine, tmp_path: Path
) -> None:
    ref = started(engine, tmp_path)
    engine.pause(ref)
    SingleEngineDeployment(engine).stop(engine.containers.inspect(ref), 5)
    assert [c[0] for c in engine.changes[-2:]] == ["containers.unpause", "containers.stop"]
    assert engine.containers.inspect(ref).exit_code == 143


def test_a_stop_between_two_restarts_is_recorded_as_one(engine: FakeEngine, tmp_path: Path) -> None:
    ref = started(engine, tmp_path)
    engine.stored_containers[ref].status = "restarting"
    SingleEngineDeployment(engine).stop(engine.containers.inspect(ref), 5)
    link = engine.containers.read_link(ref, names.STATE_LINK)
    assert link is not None
    assert "term" in link.target.split("+")


def test_a_container_is_removed_whether_it_runs_or_not(engine: FakeEngine, tmp_path: Path) -> None:
    ref = started(engine, tmp_path)
    assert engine.containers.inspect(ref).status is ContainerStatus.RUNNING
    SingleEngineDeployment(engine).remove(ref)
    SingleEngineDeployment(engine).remove(ref)
    assert engine.stored_containers == {}
