"""What ``debughost_cli.engine.port`` promises, on every engine."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine

from contract.conftest import (
    ENDS,
    FAILS,
    IMAGE,
    LABEL,
    LONG_LINE,
    RUN,
    SERVES,
    STUBBORN,
    UNKNOWN,
    World,
)
from debughost_cli import names
from debughost_cli.engine.docker.engine import DockerEngine
from debughost_cli.engine.port import Conflict, Engine, ExecSpec, LogQuery, NotFound
from debughost_cli.errors import (
    EngineError,
    ImageNotFound,
    InUse,
    InvalidWorkspace,
    NameConflict,
    NetworkConflict,
    PortInUse,
)
from debughost_cli.planning.launcher_status import parse
from debughost_cli.resources import FileEntry, LogFragment, LogLine
from debughost_cli.specs import Mount, MountType

# docker-py leaves the rest of a stream that told of an error to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

METHODS = [n for n, m in vars(Engine).items() if callable(m) and not n.startswith("_")]


@pytest.mark.parametrize("cls", [FakeEngine, DockerEngine])
def test_every_method_of_the_port_is_there_with_its_parameters(cls: Any) -> None:
    for name in METHODS:
        promised = inspect.signature(getattr(Engine, name))
        kept = inspect.signature(getattr(cls, name))
        assert list(kept.parameters) == list(promised.parameters), name


def test_the_engine_says_where_and_what_it_is(world: World) -> None:
    info = world.engine.info
    assert "://" in info.endpoint
    assert info.version
    assert tuple(map(int, info.api_version.split("."))) >= (1, 41)


# Containers: create


def test_a_container_is_as_it_was_asked_for(world: World) -> None:
    spec = world.spec(
        limits=replace(world.spec().limits, cpus=0.25, shm_bytes=8 * 1024**2),
        restart="on-failure:3",
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
    assert found.limits == spec.limits
    assert (found.user, found.restart) == ("1000:1000", "on-failure:3")
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
        ours = [(k, v) for k, v in found.environment.items() if k.startswith("DBGT_")]
        assert ours == [("DBGT_OWN", "own"), ("DBGT_BOTH", "own"), ("DBGT_IMAGE", "image")]
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
    assert world.engine.containers.inspect(ref).network_ids == {world.network: ""}


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
    assert "port is already allocated" in found.start_error
    assert found.exit_code != 0
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
    assert found.network_ids == {world.network: network.id}


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
    # The end before is still on record: words of that run are told by it.
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


# Containers: the launcher's words


def test_words_of_one_that_listens(world: World) -> None:
    ref = world.start(SERVES)
    link = world.words(ref, "ready")
    assert link.target.startswith("running")
    assert parse(link).ready
    assert abs(link.changed_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_words_of_one_that_does_not(world: World) -> None:
    ref = world.start()
    launcher = parse(world.words(ref, "running"))
    assert (launcher.ready, launcher.loopback, launcher.asked_to_stop) == (False, False, False)


def test_words_of_one_whose_command_is_missing(world: World) -> None:
    ref = world.start(UNKNOWN)
    assert world.ended(ref).exit_code == 127
    assert (
        parse(world.engine.containers.read_link(ref, names.STATE_LINK)).phase == "command_not_found"
    )


def test_a_link_that_is_missing_is_none(world: World) -> None:
    ref = world.create()
    assert world.engine.containers.read_link(ref, names.STATE_LINK) is None
    assert world.engine.containers.read_link(ref, "/etc/no-such-link") is None
    assert world.engine.containers.read_link("no-such-container", names.STATE_LINK) is None


def test_a_link_that_was_put_there(world: World) -> None:
    ref = world.create()
    world.engine.containers.put_files(ref, [FileEntry(names.STATE_LINK, None, link="running+term")])
    link = world.engine.containers.read_link(ref, names.STATE_LINK)
    assert link.target == "running+term"
    assert abs(link.changed_at - datetime.now(UTC)) < timedelta(minutes=1)


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


# Containers: list


def test_containers_are_listed_by_labels(world: World) -> None:
    running = world.start(labels=world.labels | {"x": "1", names.PROJECT: "shop"})
    created = world.create(world.spec(labels=world.labels | {"x": "2"}), "two")
    everyone = world.engine.containers.list([f"debughost-test-case={world.prefix}"])
    assert {c.id for c in everyone} == {running, created}
    (found,) = world.engine.containers.list(
        [f"{LABEL}={RUN}", "x=1", f"debughost-test-case={world.prefix}"]
    )
    assert (found.id, found.name, found.project) == (running, world.name("one"), "shop")
    assert (found.status, found.image) == ("running", IMAGE)
    assert found.labels["x"] == "1"
    assert abs(found.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert world.engine.containers.list([f"{LABEL}={RUN}", "x=3"]) == []
    assert {c.id for c in world.engine.containers.list()} >= {running, created}


def test_ports_are_listed_while_a_container_runs(world: World) -> None:
    spec = world.spec()
    ref = world.create(spec)

    def listed() -> Any:
        (found,) = world.engine.containers.list([f"debughost-test-case={world.prefix}"])
        return found.published_ports

    assert listed() == ()
    world.engine.containers.start(ref)
    assert listed() == (spec.port,)
    world.engine.containers.stop(ref, 1)
    # The lists of newer engines are some milliseconds late.
    world.until(lambda: listed() == ())


# Containers: files


def test_files_come_out_as_they_went_in(world: World) -> None:
    ref = world.create()
    world.engine.containers.put_files(
        ref,
        [
            FileEntry("/dbgt", None, 0, 0, 0o755),
            FileEntry("/dbgt/one", b"\x00\xff", 0, 0, 0o600),
            FileEntry("/dbgt/two", b"x" * 100),
            FileEntry("/dbgt/sub", None),
            FileEntry("/dbgt/sub/three", b"3"),
        ],
    )
    assert world.engine.containers.read_files(ref, "/dbgt") == {
        "one": b"\x00\xff",
        "two": b"x" * 100,
    }
    assert world.engine.containers.read_files(ref, "/dbgt", limit=5) == {
        "one": b"\x00\xff",
        "two": b"x" * 5,
    }
    assert world.engine.containers.read_files(ref, "/dbgt/two", limit=5) == {"two": b"x" * 5}


def test_files_can_be_replaced(world: World) -> None:
    ref = world.create()
    for text in (b"old", b"newer"):
        world.engine.containers.put_files(ref, [FileEntry("/dbgt/x", text)])
    assert world.engine.containers.read_files(ref, "/dbgt") == {"x": b"newer"}


def test_a_folder_that_is_missing(world: World) -> None:
    ref = world.create()
    with pytest.raises(NotFound):
        world.engine.containers.read_files(ref, "/no-such-folder")


def test_files_put_into_a_volume_stay_with_it(world: World) -> None:
    spec = world.spec(mounts=(Mount(MountType.VOLUME, world.name("vol"), "/data"),))
    ref = world.create(spec)
    world.engine.containers.put_files(ref, [FileEntry("/data/x", b"kept")])
    world.engine.containers.remove(ref)
    again = world.create(spec, "two")
    assert world.engine.containers.read_files(again, "/data") == {"x": b"kept"}


# Containers: stats, output, commands


def test_stats_of_a_running_container(world: World) -> None:
    ref = world.start()
    first = world.engine.containers.stats(ref)
    second = world.engine.containers.stats(ref)
    assert second.read_ns >= first.read_ns > 10**18
    assert second.cpu_ns >= first.cpu_ns
    assert first.memory_limit_bytes == 64 * 1024**2
    assert 0 < first.memory_bytes < 64 * 1024**2
    assert first.pids >= 1
    assert first.online_cpus >= 1


def test_stats_of_what_does_not_run_are_nothing(world: World) -> None:
    assert world.engine.containers.stats(world.create()).read_ns == 0


def printed(world: Any, ref: Any, **query: Any) -> Any:
    return [
        (line.stream, line.data) for line in world.engine.containers.logs(ref, LogQuery(**query))
    ]


@pytest.fixture
def wrote(world: World) -> Any:
    """A container that has printed two lines and ended."""
    ref = world.start(("sh", "-c", "echo one; echo two"))
    if isinstance(world.engine, FakeEngine):
        world.engine.write_log(ref, "one", "two")
        world.engine.crash(ref, 0)
    world.ended(ref)
    return ref


def test_output(world: World, wrote: Any) -> None:
    assert printed(world, wrote) == [("stdout", b"one"), ("stdout", b"two")]
    lines = list(world.engine.containers.logs(wrote, LogQuery()))
    assert all(type(line) is LogLine for line in lines)
    assert lines[0].ts < lines[1].ts
    assert lines[0].ts.endswith("Z")


@pytest.mark.parametrize(("tail", "count"), [(0, 0), (1, 1), (5, 2), (None, 2)])
def test_the_last_lines_of_the_output(
    world: World, wrote: Any, tail: int | None, count: int
) -> None:
    lines = printed(world, wrote, tail=tail)
    assert len(lines) == count
    assert count == 0 or lines[-1] == ("stdout", b"two")


def test_output_without_stamps_in_pieces(world: World, wrote: Any) -> None:
    fragments = list(world.engine.containers.logs(wrote, LogQuery(stamps=False, fragments=True)))
    assert all(isinstance(p, LogFragment) for p in fragments)
    assert b"".join(p.data for p in fragments) == b"one\ntwo\n"


def test_a_long_line_is_stored_in_entries_of_16_kib_with_one_stamp(world: World) -> None:
    ref = world.start(LONG_LINE)
    world.ended(ref)
    entries = list(world.engine.containers.logs(ref, LogQuery(fragments=True)))
    sizes = [(type(e), len(e.data)) for e in entries]
    assert sizes == [(LogFragment, 16384), (LogFragment, 16384), (LogLine, 7232), (LogLine, 5)]
    assert len({e.ts for e in entries[:3]}) == 1
    assert printed(world, ref) == [("stdout", b"x" * 40_000), ("stdout", b"short")]
    # The tail counts entries, not lines.
    assert printed(world, ref, tail=2) == [("stdout", b"x" * 7232), ("stdout", b"short")]


def test_output_that_is_followed_ends_with_the_container(world: World, wrote: Any) -> None:
    assert printed(world, wrote, follow=True) == [("stdout", b"one"), ("stdout", b"two")]


def test_a_command_in_a_container(world: World) -> None:
    ref = world.start()
    result = world.engine.exec.run(ref, ["echo", "hello", "there"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, b"hello there\n", b"")
    assert world.engine.exec.run(ref, ["false"]).exit_code == 1


def test_a_command_in_a_container_with_its_streams(world: World) -> None:
    ref = world.start()
    running = world.engine.exec.start(ref, ExecSpec(("echo", "hello")))
    found = []
    running.pump(None, lambda stream, data: found.append((stream, bytes(data))))
    assert running.wait() == 0
    assert found == [("stdout", b"hello\n")]


def test_no_command_in_what_does_not_run(world: World) -> None:
    ref = world.create()
    with pytest.raises(Conflict):
        world.engine.exec.run(ref, ["true"])
    with pytest.raises(Conflict):
        world.engine.exec.start(ref, ExecSpec(("true",)))


# What is not there


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.containers.inspect("no-such-container"),
        lambda e: e.containers.start("no-such-container"),
        lambda e: e.containers.stop("no-such-container", 1),
        lambda e: e.containers.kill("no-such-container", "SIGKILL"),
        lambda e: e.containers.unpause("no-such-container"),
        lambda e: e.containers.put_files("no-such-container", [FileEntry("/x", b"")]),
        lambda e: e.containers.read_files("no-such-container", "/etc"),
        lambda e: e.containers.stats("no-such-container"),
        lambda e: list(e.containers.logs("no-such-container", LogQuery())),
        lambda e: e.exec.run("no-such-container", ["true"]),
        lambda e: e.exec.start("no-such-container", ExecSpec(("true",))),
    ],
)
def test_a_container_that_does_not_exist_is_missing(world: World, call: Callable[..., Any]) -> None:
    with pytest.raises(NotFound):
        call(world.engine)


# Networks


def test_a_network_is_as_it_was_asked_for(world: World) -> None:
    subnet, gateway = world.subnet()
    made = world.engine.networks.create(world.name("n"), subnet, gateway, world.labels)
    (found,) = world.engine.networks.find(world.name("n"))
    assert (found.id, found.name, found.driver) == (made, world.name("n"), "bridge")
    assert (found.subnet, found.gateway) == (subnet, gateway)
    assert found.labels == world.labels
    assert found.containers == ()
    assert found.created_at
    assert made in {n.id for n in world.engine.networks.list()}


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


# Volumes


def volumes(world: Any) -> Any:
    return {v.name: v for v in world.engine.volumes.list() if v.name.startswith(world.prefix)}


def test_a_volume_is_as_it_was_asked_for(world: World) -> None:
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


# Images


def test_an_image_that_is_here(world: World) -> None:
    found = world.engine.images.find(IMAGE)
    assert IMAGE in found.tags
    assert found.id.startswith("sha256:")
    assert found.size_bytes > 0
    assert world.engine.images.find(found.id).id == found.id
    assert found.id in {i.id for i in world.engine.images.list()}


def test_an_image_that_is_not_here(world: World) -> None:
    assert world.engine.images.find("dbgt/no-such-image:1") is None
    assert world.engine.images.list(["debughost-test=no-such-run"]) == []


def test_an_image_is_built_with_its_labels_and_tags(world: World, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE=nope\nFROM $BASE\nENV DBGT=1\n")
    tags = [f"dbgt/{RUN}:{world.prefix}", f"dbgt/{RUN}:latest"]
    lines: list[str] = []
    build(world, tmp_path, tags, IMAGE, lines.append)
    try:
        found = world.engine.images.find(tags[0])
        assert found.labels.items() >= world.labels.items()
        assert world.engine.images.find(tags[1]).id == found.id
        assert any("FROM" in line for line in lines)
        assert found.id in {i.id for i in world.engine.images.list([f"{LABEL}={RUN}"])}
    finally:
        for tag in tags:
            world.remove_image(tag)


def build(world: Any, folder: Any, tags: Any, base: Any, on_text: Any = lambda _: None) -> None:
    world.engine.images.build(
        folder,
        tags=tags,
        labels=world.labels,
        build_args={"BASE": base},
        no_cache=False,
        on_text=on_text,
    )


def test_a_build_on_a_base_that_is_not_to_be_had(world: World, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE=nope\nFROM $BASE\n")
    with pytest.raises(ImageNotFound) as caught:
        build(world, tmp_path, ["dbgt/never:1"], "127.0.0.1:1/dbgt/no-such-base:1")
    assert caught.value.details["reason"] in {"unknown", "registry_unreachable"}
    assert world.engine.images.find("dbgt/never:1") is None


def test_a_pull_of_what_is_not_to_be_had(world: World) -> None:
    with pytest.raises(ImageNotFound) as caught:
        world.engine.images.pull("127.0.0.1:1/dbgt/no-such-image:1", lambda _: None)
    assert caught.value.details["reason"] in {"unknown", "registry_unreachable"}


# Events


def test_what_happens_to_containers_of_ours_is_told(world: World) -> None:
    labels = world.labels | {names.MANAGED: "true", names.PROJECT: world.name("project")}
    since = time.time() - 1
    ref = world.start(ENDS, labels=labels)
    world.ended(ref)
    world.engine.containers.remove(ref)
    until = time.time() + 1

    def happened() -> Any:
        found = [e for e in world.engine.events.read(since, until) if e.container == ref]
        actions = [e.action for e in found]
        return found if {"start", "die", "destroy"} <= set(actions) else None

    found = world.until(happened)
    by_action = {e.action: e for e in found}
    assert by_action["die"].exit_code == 0
    assert by_action["start"].project == world.name("project")
    assert since <= by_action["start"].at <= by_action["die"].at <= by_action["destroy"].at


def test_errors_of_the_port_are_the_engines() -> None:
    assert issubclass(NotFound, EngineError)
    assert issubclass(Conflict, EngineError)
