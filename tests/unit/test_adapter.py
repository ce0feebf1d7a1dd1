"""The parts of the adapter: creates that must happen once, and what counts as success."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes import make_spec

from debughost_cli import errors
from debughost_cli.engine.port import NotFound

# docker-py leaves sockets that could not connect to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("no_sockets_left"),
]

CREATED = {"Id": "c" * 64, "Warnings": []}
SPEC = make_spec("/srv/shop", labels={"debug-host.config-hash": "h"}, config_hash="h")
MANAGED_FILTER = {
    "Id": "c" * 64,
    "Name": "/name",
    "Config": {"Labels": {"debug-host.config-hash": "h"}},
}


def test_a_create_is_sent_once(connect: Any, script: Any, server: Any, slept: Any) -> None:
    script.on("POST /v1.45/containers/create", (201, CREATED))
    assert connect().containers.create("name", SPEC) == "c" * 64
    assert (slept, server.count("/containers/create")) == ([], 1)


def test_a_create_whose_answer_was_lost_is_searched_for_and_not_repeated(
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


def test_an_unmanaged_container_of_that_name_is_a_conflict(connect: Any, script: Any) -> None:
    foreign = {"Id": "d" * 64, "Name": "/name", "Config": {"Labels": {}}}
    script.on("POST /v1.45/containers/create", None, (409, {"message": "Conflict. In use"}))
    script.on("GET /v1.45/containers/name/json", (200, foreign))
    engine = connect()
    with pytest.raises(errors.NameConflict):
        engine.containers.create("name", SPEC)


def test_a_create_without_its_image_is_image_not_found(connect: Any, script: Any) -> None:
    script.on("POST /v1.45/containers/create", (404, {"message": "No such image: x:1"}))
    engine = connect()
    with pytest.raises(errors.ImageNotFound) as caught:
        engine.containers.create("name", SPEC)
    assert caught.value.details["reason"] == "unknown"


def test_a_create_without_its_network_is_not_image_not_found(connect: Any, script: Any) -> None:
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


def test_a_network_whose_answer_was_lost_is_searched_for(
    connect: Any, script: Any, server: Any
) -> None:
    script.on("POST /v1.45/networks/create", None)
    script.on("GET /v1.45/networks/net", (200, NETWORK))
    made = connect().networks.create("net", "10.213.1.0/24", "10.213.1.1", {"a": "b"})
    assert made == "n1"
    assert server.count("/networks/create") == 1


def test_networks_are_found_by_their_whole_name(connect: Any, script: Any) -> None:
    script.on("GET /v1.45/networks/net", (200, NETWORK))
    assert [n.id for n in connect().networks.find("net")] == ["n1"]


@pytest.mark.parametrize("found", [NETWORK | {"Name": "another"}, NETWORK | {"Name": "net2"}])
def test_a_network_whose_id_begins_like_a_name_is_another(
    connect: Any, script: Any, found: Any
) -> None:
    script.on("GET /v1.45/networks/net", (200, found))
    assert connect().networks.find("net") == []


def test_several_networks_of_one_name_are_all_found(connect: Any, script: Any) -> None:
    longer, second = NETWORK | {"Name": "net2", "Id": "n3"}, NETWORK | {"Id": "n2"}
    ambiguous = {"message": "2 matches found based on name: network net is ambiguous"}
    script.on("GET /v1.45/networks/net", (400, ambiguous))
    script.on("GET /v1.45/networks?", (200, [longer, NETWORK, second]))
    script.on("GET /v1.45/networks/n1", (200, NETWORK))
    script.on("GET /v1.45/networks/n2", (200, second))
    assert [n.id for n in connect().networks.find("net")] == ["n1", "n2"]


def test_a_network_removed_between_list_and_inspect_is_left_out(connect: Any, script: Any) -> None:
    ambiguous = {"message": "2 matches found based on name: network net is ambiguous"}
    script.on("GET /v1.45/networks/net", (400, ambiguous))
    script.on("GET /v1.45/networks?", (200, [NETWORK]))
    assert connect().networks.find("net") == []


def test_a_stop_passes_the_stop_timeout(connect: Any, script: Any, server: Any) -> None:
    script.on("POST /v1.45/containers/x/stop", (204, b""))
    connect().containers.stop("x", 7)
    assert server.count("/containers/x/stop?t=7") == 1


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda e: e.containers.remove("x"), "DELETE /v1.45/containers/x"),
        (lambda e: e.networks.remove("x"), "GET /v1.45/networks/x"),
        (lambda e: e.volumes.remove("x"), "DELETE /v1.45/volumes/x"),
    ],
)
def test_removing_what_does_not_exist_succeeds(
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
def test_what_does_not_exist_is_not_found(connect: Any, call: Callable[..., Any]) -> None:
    engine = connect()
    with pytest.raises(NotFound):
        call(engine)


def test_starting_a_started_container_succeeds(connect: Any, script: Any) -> None:
    script.on("/containers/x/start", (304, b""))
    connect().containers.start("x")


def test_a_removal_by_another_client_counts(connect: Any, script: Any) -> None:
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
def test_an_error_inside_the_stream_of_a_pull_is_raised(
    connect: Any, script: Any, message: dict[str, Any], cls: Any, reason: str | None
) -> None:
    script.on("/images/create", (200, progress({"status": "Pulling"}, message)))
    engine = connect()
    with pytest.raises(cls) as caught:
        engine.images.pull("x:1", lambda _: None)
    assert caught.value.details.get("reason") == reason


@pytest.mark.parametrize(
    "words",
    [
        "toomanyrequests: You have reached your pull rate limit. You may increase the limit by "
        "authenticating",
        "error parsing HTTP 429 response body: Too Many Requests (HAP429)",
        "pull QPS exceeded: rate limit of registry r",
    ],
)
def test_a_registry_that_has_had_enough_may_be_asked_later(
    connect: Any, script: Any, words: str
) -> None:
    script.on("/images/create", (200, progress({"error": words})))
    with pytest.raises(errors.ImageNotFound) as caught:
        connect().images.pull("x:1", lambda _: None)
    error = caught.value.with_context(hint="x").to_json()
    assert error["retryable"] is True
    assert caught.value.details["reason"] == "rate_limited"
    assert words[:40] in caught.value.message


def test_a_failed_build_ends_with_its_last_lines(connect: Any, script: Any, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    steps = [{"stream": f"Step {n}\n \x1b[91m---> run {n}\x1b[0m\n"} for n in range(8)]
    failed = {"error": "The command '/bin/sh -c apt-get' returned a non-zero code: 100"}
    script.on("/build", (200, progress(*steps, failed)))
    with pytest.raises(errors.EngineError) as caught:
        connect().images.build(
            tmp_path, tags=["y:1"], labels={}, build_args={}, no_cache=False, on_text=print
        )
    lines = caught.value.details["log_tail"]
    assert isinstance(lines, list)
    assert len(lines) == 10
    assert lines[-2:] == ["Step 7", " ---> run 7"]


def test_a_line_of_a_build_that_comes_in_pieces_is_one_line(
    connect: Any, script: Any, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    pieces = [
        "Step 1 : RUN",
        "\n",
        "\x1b[91mE:",
        " ",
        "Unable to locate package x",
        "\n",
        "r 1\rr 2",
    ]
    script.on("/build", (200, progress(*({"stream": p} for p in pieces), {"error": "code: 100"})))
    seen: list[str] = []
    with pytest.raises(errors.EngineError) as caught:
        connect().images.build(
            tmp_path, tags=["y:1"], labels={}, build_args={}, no_cache=False, on_text=seen.append
        )
    lines = ["Step 1 : RUN", "E: Unable to locate package x", "r 1", "r 2"]
    assert caught.value.details["log_tail"] == lines
    assert [line.replace("\x1b[91m", "") for line in seen] == lines


def test_a_failed_pull_ends_with_its_last_steps(connect: Any, script: Any) -> None:
    amounts = [{"id": "a", "status": "Downloading", "progress": f"{n}/20"} for n in range(20)]
    steps = [{"status": "Pulling from library/x"}, *amounts, {"error": "unexpected EOF"}]
    script.on("/images/create", (200, progress(*steps)))
    with pytest.raises(errors.ImageNotFound) as caught:
        connect().images.pull("x:1", lambda _: None)
    assert caught.value.details["log_tail"] == ["Pulling from library/x"]


def test_a_pull_reports_progress_and_never_fetches_every_tag(
    connect: Any, script: Any, server: Any
) -> None:
    script.on("/images/create", (200, progress({"id": "x", "status": "Pulling fs layer"})))
    lines: list[str] = []
    connect().images.pull("registry:5000/x", lines.append)
    assert lines == ["x Pulling fs layer"]
    assert server.count("tag=latest") == 1


def layer(id_: str, status: str, current: int = 0, total: int = 0) -> dict[str, Any]:
    detail = {"current": current, "total": total} if total else {}
    return {"id": id_, "status": status, "progressDetail": detail} | (
        {"progress": f"[=> ] {current}B/{total}B"} if total else {}
    )


def test_a_pull_reports_the_bytes_of_all_layers_together(connect: Any, script: Any) -> None:
    script.on("/images/create", (200, progress(
        {"id": "24", "status": "Pulling from library/node"},
        layer("a", "Downloading", 1_000_000, 4_000_000),
        layer("b", "Downloading", 500_000, 60_000_000),
        layer("b", "Downloading", 500_000, 60_000_000),
        layer("a", "Download complete"),
        layer("a", "Extracting", 2_000_000, 4_000_000),
        layer("a", "Pull complete"),
        layer("c", "Already exists"),
    )))  # fmt: skip
    lines: list[str] = []
    connect().images.pull("node:24", lines.append)
    assert lines == [
        "24 Pulling from library/node",
        "1.0 of 4.0 MB, 0 of 1 layers",
        "1.5 of 64.0 MB, 0 of 2 layers",
        "a Download complete",
        "4.5 of 64.0 MB, 0 of 2 layers",
        "a Pull complete",
        "c Already exists",
    ]


def test_files_that_are_no_archive_are_an_engine_error(connect: Any, script: Any) -> None:
    script.on("/containers/x/archive", (200, b"this is no tar"))
    engine = connect()
    with pytest.raises(errors.DebughostError) as caught:
        engine.containers.read_files("x", "/etc")
    assert caught.value.code == "ENGINE_ERROR"


@pytest.mark.parametrize("answer", [None, [], {"ID": {}}, {"ID": None, "MemTotal": "much"}])
def test_an_engine_that_says_nothing_of_itself_is_known_by_its_address(
    connect: Any, script: Any, answer: Any
) -> None:
    script.on("GET /v1.45/info", (200, answer))
    engine = connect()
    assert engine.identity() == engine.info.endpoint
    assert engine.memory_bytes() == 0


def test_many_threads_that_ask_who_the_engine_is_get_one_answer(
    connect: Any, script: Any, server: Any
) -> None:
    """Each project of "status" asks in a thread of its own, before anything is kept."""
    script.on("GET /v1.45/info", (200, {"ID": "ID:1", "MemTotal": 7}))
    engine = connect()
    begin = threading.Barrier(8)

    def ask(_: int) -> str:
        begin.wait()
        engine.users()
        return str(engine.identity())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"ID:1"}
    assert server.count("/info") == 1
