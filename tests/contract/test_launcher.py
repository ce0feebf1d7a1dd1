"""The launcher's status, lists and files of containers, on every engine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.conftest import (
    IMAGE,
    LABEL,
    RUN,
    SERVES,
    UNKNOWN,
    World,
)
from debughost_cli import names
from debughost_cli.engine.port import NotFound
from debughost_cli.errors import Interrupted
from debughost_cli.planning.launcher_status import parse
from debughost_cli.resources import FileEntry
from debughost_cli.specs import Mount, MountType

# docker-py leaves the rest of a stream that reported an error to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


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


def test_the_status_in_the_list_is_another_one_in_another_state(world: World) -> None:
    ref = world.create()

    def status_text() -> Any:
        (found,) = world.engine.containers.list([f"debughost-test-case={world.prefix}"])
        return found.status_text

    world.engine.containers.start(ref)
    running = status_text()
    assert running
    world.engine.containers.stop(ref, 1)
    world.until(lambda: status_text() not in ("", running))


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


@pytest.mark.docker_only
def test_an_archive_is_unpacked_through_the_mounts(world: World) -> None:
    spec = world.spec(mounts=(Mount(MountType.VOLUME, world.name("vol"), "/app"),))
    ref = world.create(spec)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in (("app/one", b"1"), ("app/sub/two", b"2" * 2**20)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    data = buffer.getvalue()
    parts = [data[start : start + 4096] for start in range(0, len(data), 4096)]
    world.engine.containers.put_archive(ref, lambda: parts)
    world.engine.containers.remove(ref)
    again = world.create(spec, "two")
    assert world.engine.containers.read_files(again, "/app") == {"one": b"1"}
    assert world.engine.containers.read_files(again, "/app/sub", 2**20) == {"two": b"2" * 2**20}


def test_what_reading_an_archive_raises_passes_through(world: World) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(512)
        raise Interrupted

    ref = world.create()
    with pytest.raises(Interrupted):
        world.engine.containers.put_archive(ref, broken)


def test_files_can_be_replaced(world: World) -> None:
    ref = world.create()
    for text in (b"old", b"newer"):
        world.engine.containers.put_files(ref, [FileEntry("/dbgt/x", text)])
    assert world.engine.containers.read_files(ref, "/dbgt") == {"x": b"newer"}


def test_a_folder_that_is_missing(world: World) -> None:
    ref = world.create()
    with pytest.raises(NotFound):
        world.engine.containers.read_files(ref, "/no-such-folder")


@pytest.mark.docker_only
def test_files_put_into_a_volume_stay_with_it(world: World) -> None:
    spec = world.spec(mounts=(Mount(MountType.VOLUME, world.name("vol"), "/data"),))
    ref = world.create(spec)
    world.engine.containers.put_files(ref, [FileEntry("/data/x", b"kept")])
    world.engine.containers.remove(ref)
    again = world.create(spec, "two")
    assert world.engine.containers.read_files(again, "/data") == {"x": b"kept"}
