"""The connection to an engine that misbehaves: versions, retries, outages, no engine at all."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from debughost_cli import errors
from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker import caller
from debughost_cli.engine.docker import engine as docker_engine
from debughost_cli.engine.docker.engine import DockerEngine
from debughost_cli.resources import UserMapping
from debughost_cli.specs import User
from unit.fault_server import VERSION

# docker-py leaves sockets that could not connect to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("no_sockets_left"),
]


def test_the_newest_version_that_both_support_is_used(
    connect: Any, script: Any, server: Any
) -> None:
    script.on("GET /v1.45/containers/json", (200, []))
    engine = connect()
    assert engine.containers.list() == []
    assert (engine.info.version, engine.info.api_version) == ("26.1.5", "1.45")
    assert server.count("/v1.45/containers/json") == 1


def test_a_newer_engine_is_called_in_a_version_that_is_known(
    connect: Any, script: Any, server: Any
) -> None:
    script.on("/version", (200, VERSION | {"ApiVersion": "1.99"}))
    script.on("/containers/json", (200, []))
    connect().containers.list()
    assert server.count("/v1.99/") == 0


@pytest.mark.parametrize("api", ["1.40", "1.24", "", None, "x", "1"])
def test_an_engine_that_is_too_old_is_an_error(connect: Any, script: Any, api: str | None) -> None:
    script.on("/version", (200, VERSION | {"ApiVersion": api}))
    with pytest.raises(errors.EngineTooOld) as caught:
        connect()
    assert "20.10" in caught.value.hint


@pytest.mark.parametrize(
    ("facts", "maps"),
    [
        ({}, False),
        ({"Components": [{"Name": "Engine"}, {"Name": "rootlesskit"}]}, True),
        ({"Platform": {"Name": "Docker Desktop 4.30 (149282)"}}, True),
        ({"Os": "windows"}, True),
        ({"Components": None, "Platform": None}, False),
        ({"Platform": {"Name": "Docker Engine - Community"}}, False),
    ],
)
def test_engines_that_map_users_are_recognised(
    connect: Any, script: Any, facts: dict[str, Any], maps: bool
) -> None:
    script.on("/version", (200, VERSION | facts))
    assert connect().info.maps_users is maps


@pytest.mark.parametrize(
    ("facts", "mapping"),
    [
        ({"SecurityOptions": ["name=seccomp,profile=default"]}, UserMapping()),
        ({"SecurityOptions": ["name=seccomp", "name=rootless"]}, UserMapping(by_engine=True)),
        ({"SecurityOptions": ["name=rootless", "name=cgroupns"]}, UserMapping(by_engine=True)),
        (
            {
                "SecurityOptions": ["name=seccomp,profile=builtin", "name=userns"],
                "DockerRootDir": "/var/lib/docker/100000.100001",
            },
            UserMapping(first_uid=100000, first_gid=100001),
        ),
        # A folder that is only named so, and what is not understood.
        ({"SecurityOptions": [], "DockerRootDir": "/srv/100000.100000"}, UserMapping()),
        ({"SecurityOptions": ["name=userns"], "DockerRootDir": "/srv"}, UserMapping()),
        ({"SecurityOptions": None}, UserMapping()),
        (None, UserMapping()),
    ],
)
def test_how_an_engine_maps_users_is_read_from_its_facts(
    connect: Any, script: Any, facts: dict[str, Any] | None, mapping: UserMapping
) -> None:
    script.on("GET /v1.45/info", (200, facts))
    assert connect().users() == mapping


@pytest.mark.parametrize(
    ("mapping", "owner", "user"),
    [
        (UserMapping(), (1000, 100), User(1000, 100)),
        (UserMapping(), (200000, 200000), User(200000, 200000)),
        (UserMapping(by_engine=True), (1000, 1000), None),
        (UserMapping(first_uid=100000, first_gid=100000), (101000, 100100), User(1000, 100)),
        (UserMapping(first_uid=100000, first_gid=100000), (1000, 100), User(1000, 100)),
        (UserMapping(first_uid=100000, first_gid=100000), (0, 0), User(0, 0)),
        (UserMapping(first_uid=100000, first_gid=100000), (101000, 50), User(1000, 50)),
        # The engine has no such user.
        (UserMapping(first_uid=100000, first_gid=100000), (70000, 70000), None),
        (UserMapping(first_uid=100000, first_gid=100000), (165536, 100000), None),
    ],
)
def test_the_container_has_the_user_that_becomes_the_owner(
    mapping: UserMapping, owner: tuple[int, int], user: User | None
) -> None:
    assert mapping.user_for(*owner) == user


@pytest.mark.parametrize("body", [b"<html>It works!</html>", b"", b"null", b"[]", b'"x"'])
def test_a_server_that_is_no_engine_is_recognised(
    connect: Any, script: Any, slept: Any, body: bytes
) -> None:
    script.on("/version", (200, body))
    with pytest.raises(errors.DebughostError) as caught:
        connect()
    assert caught.value.code in ("ENGINE_ERROR", "ENGINE_TOO_OLD")
    assert slept == []


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("body", [b"<!DOCTYPE HTML><html>File not found</html>", b"", b"no"])
def test_an_http_server_that_is_no_engine_is_told_as_such(
    connect: Any, script: Any, slept: Any, status: int, body: bytes
) -> None:
    script.on("/version", (status, body))
    with pytest.raises(errors.EngineUnavailable, match="no Docker Engine") as caught:
        connect()
    assert caught.value.retryable is False
    assert slept == []


def test_a_read_whose_answer_is_lost_is_repeated(
    connect: Any, script: Any, slept: Any, reported: Any
) -> None:
    script.on("/containers/json", None, None, (200, []))
    assert connect().containers.list() == []
    assert slept == [1.0, 2.0]
    assert len(reported) == 2


def test_an_engine_that_never_answers_is_unavailable(
    connect: Any, script: Any, server: Any, slept: Any
) -> None:
    script.on("/containers/json", None)
    engine = connect()
    with pytest.raises(errors.EngineUnavailable):
        engine.containers.list()
    assert slept == [1.0, 2.0, 4.0]
    assert server.count("/containers/json") == 4


def test_an_engine_that_is_starting_is_waited_for(connect: Any, script: Any, slept: Any) -> None:
    script.on("/containers/json", (503, {"message": "starting"}), (200, []))
    assert connect().containers.list() == []
    assert slept == [1.0]


def test_a_call_is_repeated_where_the_engine_accepts_no_new_connections(
    connect: Any, script: Any, slept: Any
) -> None:
    """It shuts down: on its open connections it still answers, at last with failures."""
    script.on("/containers/json", (500, {"message": "database not open"}), (200, []))
    script.on("/_ping", None)
    engine = connect()
    assert engine.containers.list() == []
    assert (slept, engine.connection_failures) == ([1.0], 1)


def test_a_call_is_repeated_where_the_engine_has_only_just_come_back(
    connect: Any, script: Any, slept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where systemd keeps its socket, a new connection waits for the next engine."""
    monkeypatch.setattr(caller, "PROMPT", 0.0)
    script.on("/containers/json", (500, {"message": "database not open"}), (200, []))
    script.on("/_ping", (200, b"OK"))
    engine = connect()
    assert engine.containers.list() == []
    assert (slept, engine.connection_failures) == ([1.0], 1)


@pytest.mark.parametrize("answer", [(200, b"OK"), (500, {"message": "too busy"})])
def test_a_failure_of_an_engine_that_answers_is_raised(
    connect: Any, script: Any, slept: Any, answer: tuple[Any, ...]
) -> None:
    script.on("/containers/json", (500, {"message": "something broke"})).on("/_ping", answer)
    with pytest.raises(errors.EngineError, match="something broke"):
        connect().containers.list()
    assert slept == []


def test_a_state_that_an_ending_engine_cannot_read_is_read_again(
    connect: Any, script: Any, slept: Any
) -> None:
    script.on("HEAD ", (500, {}), (404, {})).on("/_ping", None)
    engine = connect()
    assert engine.containers.read_link("c1", "/x") is None
    assert (slept, engine.connection_failures) == ([1.0], 1)


def test_a_refused_call_is_not_repeated(connect: Any, script: Any, server: Any, slept: Any) -> None:
    script.on("/containers/json", (500, {"message": "broken"}))
    engine = connect()
    with pytest.raises(errors.EngineError):
        engine.containers.list()
    assert (slept, server.count("/containers/json")) == ([], 1)


BUSY = (500, {"message": "a disk usage operation is already running"})


VOLUME_GONE = "lstat /var/lib/containers/storage/volumes/v/_data: no such file or directory"


@pytest.mark.parametrize("busy", [BUSY, (500, {"message": VOLUME_GONE})])
def test_disk_usage_is_requested_until_the_engine_is_free(
    connect: Any, script: Any, slept: Any, busy: Any
) -> None:
    script.on("/system/df", busy, busy, (200, {"Volumes": []})).on("/_ping", (200, b"OK"))
    assert connect().disk_usage().volumes == ()
    assert slept == [docker_engine.BUSY_PAUSE] * 2


def test_what_podman_leaves_out_of_the_measured_volumes_is_looked_up(
    connect: Any, script: Any
) -> None:
    measured = {"Name": "v", "Driver": "", "Labels": {}, "UsageData": {"RefCount": 1, "Size": 5}}
    known = {"Name": "v", "CreatedAt": "2026-11-30T18:37:26Z", "Labels": {"a": "b"}}
    script.on("/system/df", (200, {"Volumes": [measured, measured | {"Name": "gone"}]}))
    script.on("/volumes", (200, {"Volumes": [known]}))
    (volume,) = connect().disk_usage().volumes
    assert (volume.labels, volume.size_bytes, volume.in_use) == ({"a": "b"}, 5, True)
    assert volume.created_at


def test_disk_usage_times_out_where_the_engine_stays_busy(
    connect: Any, script: Any, server: Any
) -> None:
    script.on("/system/df", BUSY).on("/_ping", (200, b"OK"))
    engine = connect(timeout=0.5)
    with pytest.raises(errors.EngineTimeout, match="already running"):
        engine.disk_usage()
    assert server.count("/system/df") > 1


def test_a_missing_socket_is_an_unavailable_engine(tmp_path: Path, slept: Any) -> None:
    address = Address(f"unix://{tmp_path}/none.sock", "flag")
    with pytest.raises(errors.EngineUnavailable) as caught:
        DockerEngine.connect(address, on_retry=print, sleep=slept.append)
    assert str(tmp_path) in caught.value.message
    assert slept == [1.0, 2.0, 4.0]


def test_a_closed_port_is_an_unavailable_engine(slept: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(errors.EngineUnavailable) as caught:
        DockerEngine.connect(
            Address(f"tcp://127.0.0.1:{port}", "flag"), on_retry=print, sleep=slept.append
        )
    assert "refused" in caught.value.message


@pytest.mark.parametrize("path", ["", "/"])
def test_a_socket_that_is_no_socket(tmp_path: Path, path: str, slept: Any) -> None:
    (tmp_path / "file").write_text("x")
    place = Path(f"{tmp_path}/file{path}")
    with pytest.raises(errors.DebughostError) as caught:
        DockerEngine.connect(Address(f"unix://{place}", "flag"), on_retry=print, sleep=slept.append)
    assert caught.value.code == "ENGINE_UNAVAILABLE"


def test_two_engines_of_one_process_do_not_share_a_connection(connect: Any) -> None:
    assert connect()._caller._connection.client is not connect()._caller._connection.client
