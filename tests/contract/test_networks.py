"""Networks and volumes, on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from contract.conftest import (
    World,
)
from debughost_cli.engine.port import Conflict, NotFound
from debughost_cli.errors import (
    InUse,
    NetworkConflict,
)
from debughost_cli.specs import Mount, MountType

# docker-py leaves the rest of a stream that reported an error to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


# Networks


def test_a_network_is_as_requested(world: World) -> None:
    subnet, gateway = world.subnet()
    made = world.engine.networks.create(world.name("n"), subnet, gateway, world.labels)
    (found,) = world.engine.networks.find(world.name("n"))
    assert (found.id, found.name, found.driver) == (made, world.name("n"), "bridge")
    assert (found.subnet, found.gateway) == (subnet, gateway)
    assert found.labels == world.labels
    assert found.containers == ()
    assert found.created_at
    assert made in {n.id for n in world.engine.networks.list()}


def test_the_engine_chooses_the_subnet_of_a_network_without_one(world: World) -> None:
    made = world.engine.networks.create(world.name("n"), None, None, world.labels)
    (found,) = world.engine.networks.find(world.name("n"))
    assert (found.id, found.driver) == (made, "bridge")
    assert found.subnet
    with pytest.raises(Conflict):
        world.engine.networks.create(world.name("n"), None, None, world.labels)


def test_networks_are_found_by_their_whole_name(world: World) -> None:
    world.engine.networks.create(world.name("n-longer"), *world.subnet(), world.labels)
    assert world.engine.networks.find(world.name("n")) == []


def test_names_of_networks_are_unique(world: World) -> None:
    world.engine.networks.create(world.name("n"), *world.subnet(), world.labels)
    with pytest.raises(Conflict):
        world.engine.networks.create(world.name("n"), *world.subnet(), world.labels)


def test_networks_may_not_overlap(world: World) -> None:
    subnet, gateway = world.subnet()
    world.engine.networks.create(world.name("n"), subnet, gateway, world.labels)
    half = subnet.replace("/24", "/25")
    with pytest.raises(NetworkConflict):
        world.engine.networks.create(world.name("other"), half, gateway, world.labels)
    assert world.engine.networks.find(world.name("other")) == []


def test_a_network_knows_what_runs_in_it(world: World) -> None:
    ref = world.start()
    (network,) = world.engine.networks.find(world.network)
    assert network.containers == (ref,)
    with pytest.raises(InUse) as caught:
        world.engine.networks.remove(network.id)
    assert caught.value.hint
    world.engine.containers.stop(ref, 1)
    (network,) = world.engine.networks.find(world.network)
    assert network.containers == ()
    world.engine.networks.remove(network.id)
    world.engine.networks.remove(network.id)
    assert world.engine.networks.find(world.network) == []


def test_a_container_joins_a_second_network(world: World) -> None:
    ref = world.create()
    second = world.engine.networks.create(world.name("second"), *world.subnet(), world.labels)
    for _ in range(2):
        world.engine.networks.connect(world.name("second"), ref, ("db",))
    assert set(world.engine.containers.inspect(ref).network_ids) == {
        world.network,
        world.name("second"),
    }
    world.engine.containers.start(ref)
    assert world.engine.containers.inspect(ref).network_ids[world.name("second")] == second
    (network,) = world.engine.networks.find(world.name("second"))
    assert network.containers == (ref,)
    with pytest.raises(NotFound):
        world.engine.networks.connect(world.name("no-such"), ref, ())


# Volumes


def volumes(world: Any) -> Any:
    return {v.name: v for v in world.engine.volumes.list() if v.name.startswith(world.prefix)}


def test_a_volume_is_as_requested(world: World) -> None:
    made = world.engine.volumes.create(world.name("vol"), world.labels)
    assert (made.name, made.labels) == (world.name("vol"), world.labels)
    found = volumes(world)[world.name("vol")]
    assert found.labels == world.labels
    assert found.created_at
    assert found.in_use is None


def test_a_volume_that_is_there_already_keeps_its_labels(world: World) -> None:
    world.engine.volumes.create(world.name("vol"), world.labels)
    again = world.engine.volumes.create(world.name("vol"), {"other": "label"})
    assert again.labels == world.labels


def test_volumes_are_listed_by_labels(world: World) -> None:
    world.engine.volumes.create(world.name("a"), world.labels | {"x": "1"})
    world.engine.volumes.create(world.name("b"), world.labels | {"x": "2"})
    label = f"debughost-test-case={world.prefix}"
    found = world.engine.volumes.list([label, "x=1"])
    assert [v.name for v in found] == [world.name("a")]


def test_a_volume_in_use_is_not_removed(world: World) -> None:
    name = world.name("vol")
    world.engine.volumes.create(name, world.labels)
    ref = world.create(world.spec(mounts=(Mount(MountType.VOLUME, name, "/data"),)))
    (measured,) = [v for v in world.engine.disk_usage().volumes if v.name == name]
    assert measured.in_use is True
    assert isinstance(measured.size_bytes, int)
    with pytest.raises(InUse) as caught:
        world.engine.volumes.remove(name)
    assert caught.value.hint
    world.engine.containers.remove(ref)
    usage = world.engine.disk_usage()
    (measured,) = [v for v in usage.volumes if v.name == name]
    assert measured.in_use is False
    assert usage.images_bytes > 0
    world.engine.volumes.remove(name)
    world.engine.volumes.remove(name)
    assert volumes(world) == {}
