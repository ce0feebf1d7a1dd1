"""The connection to an engine that misbehaves: lost answers, garbage, old versions."""

from __future__ import annotations

import gc
import json
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import make_spec

from debughost_cli import errors
from debughost_cli.engine.connect import Address
from debughost_cli.engine.docker import caller
from debughost_cli.engine.docker import engine as docker_engine
from debughost_cli.engine.docker.engine import DockerEngine
from debughost_cli.engine.port import NotFound
from unit.fault_server import VERSION, serving

# docker-py leaves sockets that could not connect to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


class Script:
    """Answers by the first line of a request; what is not scripted is 404."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}

    def on(self, text: Any, *answers: Any) -> Any:
        """The answers, one after another, the last for ever; None hangs up."""
        self.answers[text] = list(answers)
        return self

    def __call__(self, method: str, path: str) -> tuple[Any, ...] | None:
        for text, queue in self.answers.items():
            if text in f"{method} {path}":
                return queue.pop(0) if len(queue) > 1 else queue[0]
        return None if path == "/version" else (404, {"message": f"no such thing: {path}"})


@pytest.fixture(autouse=True, scope="module")
def no_sockets_left() -> Iterator[Any]:
    """Whatever is unclosed is collected while nobody minds."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def script() -> Any:
    return Script().on("/version", (200, VERSION))


@pytest.fixture
def server(tmp_path: Path, script: Any) -> Iterator[Any]:
    with serving(tmp_path, script) as made:
        yield made


@pytest.fixture
def slept() -> Any:
    return []


@pytest.fixture
def reported() -> Any:
    return []


@pytest.fixture
def connect(server: Any, slept: Any, reported: Any) -> Iterator[Any]:
    """Makes engines over the server, and closes them."""
    made = []

    def connect(**more: Any) -> Any:
        address = Address(server.url, "flag")
        engine = DockerEngine.connect(address, on_retry=reported.append, sleep=slept.append, **more)
        made.append(engine)
        return engine

    yield connect
    for engine in made:
        engine.close()


def test_the_newest_version_that_both_speak_is_spoken(
    connect: Any, script: Any, server: Any
) -> None:
    script.on("GET /v1.45/containers/json", (200, []))
    engine = connect()
    assert engine.containers.list() == []
    assert (engine.info.version, engine.info.api_version) == ("26.1.5", "1.45")
    assert server.count("/v1.45/containers/json") == 1


def test_an_engine_of_the_future_is_spoken_to_in_a_version_that_is_known(
    connect: Any, script: Any, server: Any
) -> None:
    script.on("/version", (200, VERSION | {"ApiVersion": "1.99"}))
    script.on("/containers/json", (200, []))
    connect().containers.list()
    assert server.count("/v1.99/") == 0


@pytest.mark.parametrize("api", ["1.40", "1.24", "", None, "x", "1"])
def test_an_engine_that_is_too_old_is_told_so(connect: Any, script: Any, api: str | None) -> None:
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


@pytest.mark.parametrize("body", [b"<html>It works!</html>", b"", b"null", b"[]", b'"x"'])
def test_a_server_that_is_no_engine_is_recognised(
    connect: Any, script: Any, slept: Any, body: bytes
) -> None:
    script.on("/version", (200, body))
    with pytest.raises(errors.DebughostError) as caught:
        connect()
    assert caught.value.code in ("ENGINE_ERROR", "ENGINE_TOO_OLD")
    assert slept == []


def test_a_lost_answer_of_a_read_is_asked_again(
    connect: Any, script: Any, slept: Any, reported: Any
) -> None:
    script.on("/containers/json", None, None, (200, []))
    assert connect().containers.list() == []
    assert slept == [1.0, 2.0]
    assert len(reported) == 2


def test_an_engine_that_never_answers_is_given_up(
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


def test_a_failure_of_an_engine_that_takes_no_new_connections_is_asked_again(
    connect: Any, script: Any, slept: Any
) -> None:
    """It shuts down: on the connections that it has it still answers, at last with failures."""
    script.on("/containers/json", (500, {"message": "database not open"}), (200, []))
    script.on("/_ping", None)
    engine = connect()
    assert engine.containers.list() == []
    assert (slept, engine.connection_failures) == ([1.0], 1)


def test_a_failure_of_an_engine_that_has_only_just_come_back_is_asked_again(
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
def test_a_failure_of_an_engine_that_is_there_is_told(
    connect: Any, script: Any, slept: Any, answer: tuple[Any, ...]
) -> None:
    script.on("/containers/json", (500, {"message": "something broke"})).on("/_ping", answer)
    with pytest.raises(errors.EngineError, match="something broke"):
        connect().containers.list()
    assert slept == []


def test_a_state_that_an_ending_engine_cannot_read_is_not_taken_for_none(
    connect: Any, script: Any, slept: Any
) -> None:
    script.on("HEAD ", (500, {}), (404, {})).on("/_ping", None)
    engine = connect()
    assert engine.containers.read_link("c1", "/x") is None
    assert (slept, engine.connection_failures) == ([1.0], 1)


def test_a_refusal_is_not_asked_again(connect: Any, script: Any, server: Any, slept: Any) -> None:
    script.on("/containers/json", (500, {"message": "broken"}))
    engine = connect()
    with pytest.raises(errors.EngineError):
        engine.containers.list()
    assert (slept, server.count("/containers/json")) == ([], 1)


BUSY = (500, {"message": "a disk usage operation is already running"})


def test_an_engine_that_measures_its_disk_for_another_client_is_asked_until_it_is_free(
    connect: Any, script: Any, slept: Any
) -> None:
    script.on("/system/df", BUSY, BUSY, (200, {"Volumes": []})).on("/_ping", (200, b"OK"))
    assert connect().disk_usage().volumes == ()
    assert slept == [docker_engine.BUSY_PAUSE] * 2


def test_an_engine_that_measures_for_ever_times_out(connect: Any, script: Any, server: Any) -> None:
    script.on("/system/df", BUSY).on("/_ping", (200, b"OK"))
    engine = connect(timeout=0.2)
    with pytest.raises(errors.EngineTimeout, match="already running"):
        engine.disk_usage()
    assert server.count("/system/df") > 2


CREATED = {"Id": "c" * 64, "Warnings": []}
SPEC = make_spec("/srv/shop", labels={"debug-host.config-hash": "h"}, config_hash="h")
MANAGED_FILTER = {
    "Id": "c" * 64,
    "Name": "/name",
    "Config": {"Labels": {"debug-host.config-hash": "h"}},
}


def test_a_create_is_made_once(connect: Any, script: Any, server: Any, slept: Any) -> None:
    script.on("POST /v1.45/containers/create", (201, CREATED))
    assert connect().containers.create("name", SPEC) == "c" * 64
    assert (slept, server.count("/containers/create")) == ([], 1)


def test_a_create_whose_answer_was_lost_is_looked_for_and_not_repeated(
    connect: Any, script: Any, server: Any, slept: Any
) -> None:
    script.on("POST /v1.45/containers/create", None)
    script.on("GET /v1.45/containers/name/json", (200, MANAGED_FILTER))
    assert connect().containers.create("name", SPEC) == "c" * 64
    assert server.count("/containers/create") == 1
    assert slept == [1.0]


def test_a_create_that_did_not_happen_is_repeated(connect: Any, script: Any, server: Any) -> None:
    script.on("POST /v1.45/containers/create", None, (201, CREATED))
    assert connect().containers.create("name", SPEC) == "c" * 64
    assert server.count("/containers/create") == 2
    assert server.count("GET /v1.45/containers/name/json") == 1


def test_a_container_of_somebody_else_under_that_name_is_not_taken_for_ours(
    connect: Any, script: Any
) -> None:
    foreign = {"Id": "d" * 64, "Name": "/name", "Config": {"Labels": {}}}
    script.on("POST /v1.45/containers/create", None, (409, {"message": "Conflict. In use"}))
    script.on("GET /v1.45/containers/name/json", (200, foreign))
    engine = connect()
    with pytest.raises(errors.NameConflict):
        engine.containers.create("name", SPEC)


def test_an_image_that_is_missing_at_create_is_told_as_such(connect: Any, script: Any) -> None:
    script.on("POST /v1.45/containers/create", (404, {"message": "No such image: x:1"}))
    engine = connect()
    with pytest.raises(errors.ImageNotFound) as caught:
        engine.containers.create("name", SPEC)
    assert caught.value.details["reason"] == "unknown"


def test_something_else_that_is_missing_at_create_is_not_called_an_image(
    connect: Any, script: Any
) -> None:
    words = "network debug-host-network not found"
    script.on("POST /v1.45/containers/create", (404, {"message": words}))
    engine = connect()
    with pytest.raises(errors.DebughostError) as caught:
        engine.containers.create("name", SPEC)
    assert not isinstance(caught.value, errors.ImageNotFound)
    assert words in caught.value.message


NETWORK = {
    "Id": "n1",
    "Name": "net",
    "Driver": "bridge",
    "Labels": {"a": "b"},
    "IPAM": {"Config": [{"Subnet": "10.213.1.0/24", "Gateway": "10.213.1.1"}]},
}


def test_a_network_whose_answer_was_lost_is_looked_for(
    connect: Any, script: Any, server: Any
) -> None:
    script.on("POST /v1.45/networks/create", None)
    script.on("GET /v1.45/networks?", (200, [NETWORK]))
    script.on("GET /v1.45/networks/n1", (200, NETWORK))
    made = connect().networks.create("net", "10.213.1.0/24", "10.213.1.1", {"a": "b"})
    assert made == "n1"
    assert server.count("/networks/create") == 1


def test_networks_are_found_by_their_whole_name(connect: Any, script: Any) -> None:
    longer = NETWORK | {"Id": "n2", "Name": "net-other"}
    script.on("GET /v1.45/networks?", (200, [longer, NETWORK]))
    script.on("GET /v1.45/networks/n1", (200, NETWORK))
    assert [n.id for n in connect().networks.find("net")] == ["n1"]


def test_a_network_that_goes_between_list_and_look_is_left_out(connect: Any, script: Any) -> None:
    script.on("GET /v1.45/networks?", (200, [NETWORK]))
    assert connect().networks.find("net") == []


def test_stopping_gives_the_engine_its_grace(connect: Any, script: Any, server: Any) -> None:
    script.on("POST /v1.45/containers/x/stop", (204, b""))
    connect().containers.stop("x", 7)
    assert server.count("/containers/x/stop?t=7") == 1


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda e: e.containers.remove("x"), "DELETE /v1.45/containers/x"),
        (lambda e: e.networks.remove("x"), "DELETE /v1.45/networks/x"),
        (lambda e: e.volumes.remove("x"), "DELETE /v1.45/volumes/x"),
    ],
)
def test_what_is_gone_already_is_removed(
    connect: Any, server: Any, call: Callable[..., Any], path: str
) -> None:
    call(connect())
    assert server.count(path) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.containers.inspect("x"),
        lambda e: e.containers.start("x"),
        lambda e: e.containers.stop("x", 1),
        lambda e: e.containers.stats("x"),
        lambda e: e.exec.run("x", ["true"]),
        lambda e: e.containers.read_files("x", "/etc"),
        lambda e: e.containers.put_files("x", []),
    ],
)
def test_what_is_not_there_is_missing(connect: Any, call: Callable[..., Any]) -> None:
    engine = connect()
    with pytest.raises(NotFound):
        call(engine)


def test_started_already_is_fine(connect: Any, script: Any) -> None:
    script.on("/containers/x/start", (304, b""))
    connect().containers.start("x")


def test_a_container_that_another_client_removes_right_now_is_removed(
    connect: Any, script: Any
) -> None:
    words = "removal of container x is already in progress"
    script.on("DELETE /v1.45/containers/x", (409, {"message": words}))
    connect().containers.remove("x", force=True)


def progress(*messages: Any) -> Any:
    return b"".join(json.dumps(m).encode() + b"\r\n" for m in messages)


@pytest.mark.parametrize(
    ("message", "cls", "reason"),
    [
        (
            {"errorDetail": {"message": "write /x: no space left on device"}, "error": "x"},
            errors.DiskFull,
            None,
        ),
        (
            {"errorDetail": {"message": "dial tcp: lookup r: no such host"}, "error": "x"},
            errors.ImageNotFound,
            "registry_unreachable",
        ),
        ({"error": "manifest unknown"}, errors.ImageNotFound, "unknown"),
    ],
)
def test_an_error_inside_a_pulls_stream_is_not_lost(
    connect: Any, script: Any, message: dict[str, Any], cls: Any, reason: str | None
) -> None:
    script.on("/images/create", (200, progress({"status": "Pulling"}, message)))
    engine = connect()
    with pytest.raises(cls) as caught:
        engine.images.pull("x:1", lambda _: None)
    assert caught.value.details.get("reason") == reason


def test_a_pull_tells_how_it_goes_and_never_fetches_every_tag(
    connect: Any, script: Any, server: Any
) -> None:
    script.on("/images/create", (200, progress({"id": "x", "status": "Pulling fs layer"})))
    lines: list[str] = []
    connect().images.pull("registry:5000/x", lines.append)
    assert lines == ["x Pulling fs layer"]
    assert server.count("tag=latest") == 1


def test_a_read_of_files_that_is_no_archive_is_an_engines_error(connect: Any, script: Any) -> None:
    script.on("/containers/x/archive", (200, b"this is no tar"))
    engine = connect()
    with pytest.raises(errors.DebughostError) as caught:
        engine.containers.read_files("x", "/etc")
    assert caught.value.code == "ENGINE_ERROR"


def test_nothing_that_listens_is_an_unavailable_engine(tmp_path: Path, slept: Any) -> None:
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
