"""Containers, from creation to removal, on every engine."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from contract.conftest import (
    ENDS,
    FAILS,
    IMAGE,
    STUBBORN,
    World,
)
from debughost_cli import names
from debughost_cli.engine.port import Conflict, NotFound
from debughost_cli.errors import (
    ImageNotFound,
    InvalidWorkspace,
    NameConflict,
    PortInUse,
)
from debughost_cli.models import RestartPolicy
from debughost_cli.planning.launcher_status import parse
from debughost_cli.specs import Limits, Mount, MountType

# docker-py leaves the rest of a stream that reported an error to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


# Containers: create


def test_a_container_is_as_requested(world: World) -> None:
    spec = world.spec(
        limits=replace(world.spec().limits, cpus=0.25, shm_bytes=8 * 1024**2),
        restart=RestartPolicy.parse("on-failure:3"),
        user="1000:1000",
        environment={"A": "x=y", "B": "zwölf", "EMPTY": ""},
        labels=world.labels | {names.PROJECT: "shop", names.PORT: "23456"},
    )
    before = datetime.now(UTC) - timedelta(seconds=5)
    ref = world.create(spec)
    found = world.engine.containers.inspect(ref)
    assert found.id == ref
    assert found.name == world.name("one")
    assert found.labels.items() >= spec.labels.items()
    assert (found.project, found.port) == ("shop", 23456)
    assert found.command == spec.command
    assert found.environment.items() >= spec.environment.items()
    assert found.mounts == spec.mounts
    # Rootless Podman without control groups takes no limits.
    assert found.limits in (spec.limits, Limits(0, 0, 0, spec.limits.shm_bytes))
    assert (found.user, str(found.restart)) == ("1000:1000", "on-failure:3")
    assert found.image == IMAGE
    assert found.image_id == world.engine.images.find(IMAGE).id
    assert list(found.network_ids) == [world.network]
    assert found.status == "created"
    assert not found.is_running
    assert found.created_at > before
    assert (found.started_at, found.finished_at) == (None, None)
    assert (found.exit_code, found.start_error, found.oom_killed) == (0, "", False)


def test_a_container_inherits_variables_and_labels_from_its_image(
    world: World, tmp_path: Path
) -> None:
    inherited = {"DBGT_BOTH": "image", "DBGT_IMAGE": "image"}
    image = world.image(tmp_path, inherited, world.labels | {"both": "image", "image": "image"})
    spec = world.spec(
        image=image,
        environment={"DBGT_OWN": "own", "DBGT_BOTH": "own"},
        labels=world.labels | {"both": "own"},
    )
    ref = world.create(spec)
    try:
        found = world.engine.containers.inspect(ref)
        ours = {k: v for k, v in found.environment.items() if k.startswith("DBGT_")}
        assert ours == {"DBGT_OWN": "own", "DBGT_BOTH": "own", "DBGT_IMAGE": "image"}
        assert (found.labels["both"], found.labels["image"]) == ("own", "image")
        test_case = f"debughost-test-case={world.prefix}"
        (listed,) = world.engine.containers.list([test_case, "image=image"])
        assert listed.labels == found.labels
    finally:
        world.engine.containers.remove(ref)
        world.remove_image(image)


def test_names_of_containers_are_unique(world: World) -> None:
    world.create()
    with pytest.raises(NameConflict):
        world.engine.containers.create(world.name("one"), world.spec())


def test_a_container_can_be_named_by_id_name_and_the_beginning_of_its_id(world: World) -> None:
    ref = world.create()
    for word in (ref, world.name("one"), ref[:12]):
        assert world.engine.containers.inspect(word).id == ref


def test_an_image_that_is_missing(world: World) -> None:
    with pytest.raises(ImageNotFound) as caught:
        world.engine.containers.create(world.name("one"), world.spec(image="dbgt/nope:1"))
    assert caught.value.details["reason"] == "unknown"
    assert caught.value.details["image"] == "dbgt/nope:1"


@pytest.mark.docker_only
def test_a_folder_that_is_missing_is_not_made(world: World, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    spec = world.spec(mounts=(Mount(MountType.BIND, str(missing), "/app"),))
    with pytest.raises(InvalidWorkspace):
        world.engine.containers.create(world.name("one"), spec)
    assert not missing.exists()


def test_a_volume_that_is_missing_is_made_without_labels(world: World) -> None:
    spec = world.spec(mounts=(Mount(MountType.VOLUME, world.name("vol"), "/data"),))
    world.create(spec)
    (volume,) = [v for v in world.engine.volumes.list() if v.name == world.name("vol")]
    assert volume.labels == {}


def test_what_was_only_created_knows_its_network_by_name(world: World) -> None:
    ref = world.create()
    (network,) = world.engine.networks.find(world.network)
    (known,) = world.engine.containers.inspect(ref).network_ids.items()
    # Podman has its id, too.
    assert known in ((world.network, ""), (world.network, network.id))


# Containers: start


def test_a_started_container_runs(world: World) -> None:
    ref = world.start()
    found = world.engine.containers.inspect(ref)
    assert found.status == "running"
    assert found.is_running
    assert found.started_at
    assert found.finished_at is None
    assert found.pid > 0
    (network,) = world.engine.networks.find(world.network)
    assert found.network_ids == {world.network: network.id}


def test_started_already_is_fine(world: World) -> None:
    ref = world.start()
    started = world.engine.containers.inspect(ref).started_at
    world.engine.containers.start(ref)
    assert world.engine.containers.inspect(ref).started_at == started


def test_a_port_that_another_container_has(world: World) -> None:
    first = world.start(port=(port := world.spec().port))
    second = world.create(world.spec(port=port), "two")
    with pytest.raises(PortInUse):
        world.engine.containers.start(second)
    found = world.engine.containers.inspect(second)
    assert found.status == "created"
    assert found.started_at is None
    assert re.search("port is already allocated|address already in use", found.start_error)
    world.engine.containers.stop(first, 5)
    world.engine.containers.start(second)
    assert world.engine.containers.inspect(second).start_error == ""


def test_a_network_that_is_gone(world: World) -> None:
    ref = world.start()
    world.engine.containers.stop(ref, 5)
    (network,) = world.engine.networks.find(world.network)
    world.engine.networks.remove(network.id)
    with pytest.raises(NotFound):
        world.engine.containers.start(ref)
    found = world.engine.containers.inspect(ref)
    assert found.status == "exited"
    # Podman forgets the id with the network.
    assert found.network_ids in ({world.network: network.id}, {world.network: world.network})


# Containers: ends


def test_a_container_that_ends_by_itself(world: World) -> None:
    found = world.ended(world.start(FAILS))
    assert found.exit_code == 3
    # An engine notes the start after the program began: a short run may end "before" it.
    assert found.finished_at > found.created_at
    assert not found.is_running
    assert not found.oom_killed
    assert found.pid == 0


def test_sigterm_is_enough_for_most(world: World) -> None:
    ref = world.start()
    world.words(ref, "running")
    began = time.monotonic()
    world.engine.containers.stop(ref, 15)
    assert time.monotonic() - began < 10
    found = world.engine.containers.inspect(ref)
    assert (found.status, found.exit_code) == ("exited", 143)
    assert parse(world.engine.containers.read_link(ref, names.STATE_LINK)).asked_to_stop


def test_sigkill_is_for_the_rest(world: World) -> None:
    ref = world.start(STUBBORN)
    world.words(ref, "running")
    world.engine.containers.stop(ref, 1)
    found = world.engine.containers.inspect(ref)
    assert (found.status, found.exit_code) == ("exited", 137)
    assert parse(world.engine.containers.read_link(ref, names.STATE_LINK)).asked_to_stop


def test_stopped_already_is_fine(world: World) -> None:
    ref = world.start(ENDS)
    world.ended(ref)
    world.engine.containers.stop(ref, 1)
    assert world.engine.containers.inspect(ref).exit_code == 0


def test_a_container_that_was_stopped_starts_again(world: World) -> None:
    ref = world.start()
    world.words(ref, "running")
    world.engine.containers.stop(ref, 5)
    ended = world.engine.containers.inspect(ref).finished_at
    world.engine.containers.start(ref)
    found = world.engine.containers.inspect(ref)
    assert (found.status, found.exit_code) == ("running", 0)
    assert found.started_at > ended
    # The end before is still on record: the status of that run is older than it.
    assert found.finished_at == ended
    world.until(lambda: world.engine.containers.read_link(ref, names.STATE_LINK).changed_at > ended)


def test_killed(world: World) -> None:
    ref = world.start()
    world.words(ref, "running")
    world.engine.containers.kill(ref, "SIGKILL")
    assert world.ended(ref).exit_code == 137
    assert not parse(world.engine.containers.read_link(ref, names.STATE_LINK)).asked_to_stop
    with pytest.raises(Conflict):
        world.engine.containers.kill(ref, "SIGKILL")


def test_what_is_not_paused_needs_no_unpausing(world: World) -> None:
    ref = world.start()
    world.engine.containers.unpause(ref)
    assert world.engine.containers.inspect(ref).status == "running"


# Containers: remove


def test_a_running_container_is_removed_by_force_alone(world: World) -> None:
    ref = world.start()
    with pytest.raises(Conflict):
        world.engine.containers.remove(ref)
    world.engine.containers.remove(ref, force=True)
    with pytest.raises(NotFound):
        world.engine.containers.inspect(ref)


def test_removed_already_is_fine(world: World) -> None:
    ref = world.create()
    world.engine.containers.remove(ref)
    world.engine.containers.remove(ref)
    world.engine.containers.remove("no-such-container", force=True)


def test_a_name_is_free_again_after_removal(world: World) -> None:
    world.engine.containers.remove(world.create())
    world.create()
