"""Engine JSON to models: what real engines sent, and what an engine might leave out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies._internal.core import DataObject
from mutations import changed, places, without

from debughost_cli import names
from debughost_cli.engine import decode
from debughost_cli.resources import Image
from debughost_cli.specs import Limits, Mount, MountType

DATA = Path(__file__).parents[1] / "data"
ENGINES = sorted(p.name for p in DATA.glob("[0-9]*"))

DECODERS = {
    "inspect-": decode.container,
    "containers": decode.summary,
    "stats-": decode.stats_sample,
    "network": decode.network,
    "volume": decode.volume,
    "df-volumes": decode.volume,
    "image": decode.image,
}


def load(engine: str, name: str) -> Any:
    return json.loads((DATA / engine / f"{name}.json").read_text("utf-8"))


def recorded() -> list[Any]:
    """Every recorded object with its decoder."""
    found = []
    for path in sorted(DATA.glob("[0-9]*/*.json")):
        decoders = [d for prefix, d in DECODERS.items() if path.stem.startswith(prefix)]
        if decoders:
            raw = json.loads(path.read_text("utf-8"))
            for index, item in enumerate(raw if isinstance(raw, list) else [raw]):
                name = f"{path.parent.name}/{path.stem}-{index}"
                found.append(pytest.param(decoders[0], item, id=name))
    return found


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_running_container(engine: str) -> None:
    found = decode.container(load(engine, "inspect-running"))
    assert found.name == "dbgt-c1"
    assert (found.project, found.port) == ("shop", 23456)
    assert found.command == ("sleep", "300")
    assert found.environment["DEBUG_HOST"] == "true"
    assert found.mounts == (
        Mount(MountType.BIND, "/home/me/shop", "/app"),
        Mount(MountType.VOLUME, "dbgt-vol", "/app/node_modules"),
    )
    assert found.limits == Limits(0.5, 64 * 1024**2, 64, 64 * 1024**2)
    assert (found.user, str(found.restart)) == ("1000:1000", "on-failure:3")
    assert found.image == "debug-host/node:latest"
    assert found.image_id.startswith("sha256:")
    assert list(found.network_ids) == ["dbgt-net"]
    assert found.network_ids["dbgt-net"]
    assert found.status == "running"
    assert found.is_running
    assert found.pid > 0
    assert found.started_at
    assert found.started_at >= found.created_at
    assert found.started_at.tzinfo is UTC
    assert (found.finished_at, found.exit_code, found.oom_killed) == (None, 0, False)
    assert (found.health, found.restart_count, found.tty) == (None, 0, False)


@pytest.mark.parametrize(
    ("label", "names_"),
    [
        ("debug=9230:9229 ui=9300:80", ["http", "debug", "ui"]),
        ("ui=9300:80", ["http", "port-9229", "ui"]),
        ("x y=1 =9230:1 z=9300:80:7 " + "q" * 9000, ["http", "port-80", "port-9229"]),
        ("", ["http", "port-80", "port-9229"]),
    ],
)
def test_further_ports_have_the_names_of_the_label(label: str, names_: list[str]) -> None:
    raw = {
        "Id": "a" * 64,
        "Config": {"Labels": {names.PORT: "3000", names.PORTS: label}},
        "HostConfig": {
            "PortBindings": {
                f"{inner}/tcp": [{"HostIp": "127.0.0.1", "HostPort": host}]
                for inner, host in (("80", "9300"), ("9229", "9230"), ("3000", "3000"))
            }
        },
    }
    assert [port.name for port in decode.container(raw).ports] == names_


@pytest.mark.parametrize(
    ("name", "status", "code", "oom", "started", "finished"),
    [
        ("created", "created", 0, False, False, False),
        ("start-failed", "created", 128, False, False, False),
        ("paused", "paused", 0, False, True, False),
        ("stopped", "exited", 143, False, True, True),
        ("crashed", "exited", 3, False, True, True),
        ("oom", "exited", 137, True, True, True),
    ],
)
def test_states(
    engine: str, name: str, status: str, code: int, oom: bool, started: bool, finished: bool
) -> None:
    found = decode.container(load(engine, f"inspect-{name}"))
    assert (found.status, found.exit_code, found.oom_killed) == (status, code, oom)
    assert (found.started_at is not None, found.finished_at is not None) == (started, finished)


def test_what_the_engine_said_when_it_could_not_start(engine: str) -> None:
    assert (
        "port is already allocated"
        in decode.container(load(engine, "inspect-start-failed")).start_error
    )


def test_a_container_that_never_ran_knows_its_network_by_name_alone(engine: str) -> None:
    assert decode.container(load(engine, "inspect-created")).network_ids == {"dbgt-net": ""}


def test_a_container_of_another_user(engine: str) -> None:
    found = decode.container(load(engine, "inspect-foreign"))
    assert (found.project, found.port, str(found.restart), found.user) == ("", 0, "no", "")
    assert found.limits == Limits(0.0, 0, 0, 64 * 1024**2)
    assert found.mounts == ()


def test_the_list_of_containers(engine: str) -> None:
    first, second = decode.summary(load(engine, "containers")[0]), load(engine, "containers")[1]
    failed, running = first, decode.summary(second)
    assert (failed.status, failed.published_ports, failed.is_running) == ("created", (), False)
    assert (running.status, running.published_ports, running.is_running) == (
        "running",
        (23456,),
        True,
    )
    assert (running.name, running.project, running.port) == ("dbgt-c1", "shop", 23456)
    assert running.created_at.year >= 2020
    assert running.health is None


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("Up 2 minutes (healthy)", "healthy"),
        ("Up 2 minutes (unhealthy)", "unhealthy"),
        ("Up 1 second (health: starting)", "starting"),
        ("Up 2 minutes", None),
        ("Exited (0) 2 minutes ago", None),
    ],
)
def test_health_is_read_out_of_the_lists_sentence(status: str, health: str | None) -> None:
    assert decode.summary({"Id": "1", "Status": status}).health == health


def test_stats_of_a_running_container(engine: str) -> None:
    raw = load(engine, "stats-running")
    found = decode.stats_sample(raw)
    assert found.read_ns > 10**18
    assert found.cpu_ns == raw["cpu_stats"]["cpu_usage"]["total_usage"]
    assert found.online_cpus >= 1
    assert found.memory_limit_bytes == 64 * 1024**2
    assert 0 < found.memory_bytes <= raw["memory_stats"]["usage"]
    assert found.pids == raw["pids_stats"]["current"]
    assert found.net_rx_bytes == raw["networks"]["eth0"]["rx_bytes"]


def test_stats_of_what_does_not_run_are_nothing(engine: str) -> None:
    found = decode.stats_sample(load(engine, "stats-stopped"))
    assert (found.read_ns, found.memory_bytes, found.pids) == (0, 0, 0)


@pytest.mark.parametrize(
    ("stats", "used"),
    [
        ({}, 1000),
        ({"total_inactive_file": 300, "inactive_file": 100}, 700),
        ({"inactive_file": 100}, 900),
        ({"inactive_file": 1000}, 1000),
        ({"inactive_file": 5000}, 1000),
    ],
)
def test_the_file_cache_is_left_out_as_docker_does(stats: dict[str, int], used: int) -> None:
    assert (
        decode.stats_sample({"memory_stats": {"usage": 1000, "stats": stats}}).memory_bytes == used
    )


def test_traffic_is_summed_over_the_networks() -> None:
    networks = {"eth0": {"rx_bytes": 1, "tx_bytes": 10}, "eth1": {"rx_bytes": 2, "tx_bytes": 20}}
    found = decode.stats_sample({"networks": networks})
    assert (found.net_rx_bytes, found.net_tx_bytes) == (3, 30)


def test_a_network(engine: str) -> None:
    raw = load(engine, "network")
    found = decode.network(raw)
    assert (found.name, found.driver) == ("dbgt-net", "bridge")
    assert (found.subnet, found.gateway) == ("10.213.77.0/24", "10.213.77.1")
    assert found.labels[names.MANAGED] == "true"
    assert found.containers == tuple(raw["Containers"])
    assert found.created_at


def test_the_engines_own_networks(engine: str) -> None:
    found = {n.name: n for n in map(decode.network, load(engine, "networks"))}
    assert found["host"].subnet is None
    assert found["bridge"].driver == "bridge"


def test_a_network_with_an_ipv6_subnet_first() -> None:
    config = [{"Subnet": "fd00::/64"}, {"Subnet": "10.0.0.0/24", "Gateway": "10.0.0.1"}]
    found = decode.network({"Id": "1", "IPAM": {"Config": config}})
    assert (found.subnet, found.gateway) == ("10.0.0.0/24", "10.0.0.1")


def test_a_volume(engine: str) -> None:
    found = decode.volume(load(engine, "volume"))
    assert (found.name, found.project) == ("dbgt-vol", "shop")
    assert (found.size_bytes, found.in_use) == (None, None)
    assert found.created_at


def test_a_measured_volume(engine: str) -> None:
    found = decode.volume(load(engine, "df-volumes")[0])
    assert found.size_bytes is not None
    assert found.in_use is True


def test_a_volume_that_the_engine_did_not_measure() -> None:
    found = decode.volume({"Name": "v", "UsageData": {"Size": -1, "RefCount": -1}})
    assert (found.size_bytes, found.in_use) == (None, None)


def test_an_image(engine: str) -> None:
    found = decode.image(load(engine, "image"))
    assert "debug-host/node:latest" in found.tags
    assert found.id.startswith("sha256:")
    assert found.size_bytes > 10**6
    assert found.command == ("bash",)
    assert decode.image(load(engine, "images")[0]).id == found.id


def test_an_image_without_a_tag() -> None:
    assert decode.image({"Id": "1", "RepoTags": ["<none>:<none>"]}).tags == ()
    assert decode.image({"Id": "1", "RepoTags": None}).tags == ()


def test_the_launchers_words(engine: str) -> None:
    found = decode.link(load(engine, "state-link-header"))
    assert found
    assert found.target == "running"
    assert found.changed_at


@pytest.mark.parametrize("header", ["", "x", "e30=", "W10=", "bm8=", "////", "\xff"])
def test_words_that_are_none(header: str) -> None:
    assert decode.link(header) is None


@given(st.binary())
def test_any_header_is_a_link_or_none(data: bytes) -> None:
    decode.link(base64.b64encode(data).decode())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T10:15:00Z", datetime(2026, 11, 23, 10, 15, tzinfo=UTC)),
        ("2026-11-23T10:15:00.5Z", datetime(2026, 11, 23, 10, 15, 0, 500000, tzinfo=UTC)),
        ("2026-11-23T10:15:00.1234567Z", datetime(2026, 11, 23, 10, 15, 0, 123456, tzinfo=UTC)),
        ("2026-11-23T10:15:00.123456789Z", datetime(2026, 11, 23, 10, 15, 0, 123456, tzinfo=UTC)),
        ("2026-11-23T12:15:00+02:00", datetime(2026, 11, 23, 10, 15, tzinfo=UTC)),
        (1700000000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        (0, None),
        ("", None),
        ("soon", None),
        ("2026-13-45T99:99:99Z", None),
        ("9999-12-31T23:59:59-23:59", None),
        (10**30, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_time_stamps(text: Any, moment: datetime | None) -> None:
    assert decode.time(text) == moment


@pytest.mark.parametrize(("decoder", "raw"), recorded())
def test_what_engines_sent_is_understood(decoder: Callable[..., Any], raw: dict[str, Any]) -> None:
    assert decoder(raw)


NOTHING = [None, {}, [], "text", 5, {"Id": None, "Name": None}, {"Id": "", "Name": ""}]


@pytest.mark.parametrize("decoder", sorted({*DECODERS.values()} - {decode.stats_sample}, key=str))
@pytest.mark.parametrize("raw", NOTHING)
def test_what_has_no_identity_is_no_answer(decoder: Callable[..., Any], raw: Any) -> None:
    with pytest.raises(ValueError, match="it has no"):
        decoder(raw)


@pytest.mark.parametrize("raw", NOTHING)
def test_a_sample_without_figures_is_one_of_nothing(raw: Any) -> None:
    assert decode.stats_sample(raw).read_ns == 0


@pytest.mark.parametrize("raw", [None, {}, "text", 5])
def test_what_is_no_list_is_no_answer(raw: dict[Any, Any] | int | str | None) -> None:
    with pytest.raises(TypeError, match="a list was expected"):
        decode.each(decode.network, raw)
    with pytest.raises(ValueError, match="it lists no volumes"):
        decode.volumes(raw)


def test_an_engine_without_volumes_may_say_null() -> None:
    assert decode.volumes({"Volumes": None}) == []


def optional(raw: Any) -> Iterator[tuple[Any, ...]]:
    """The path of everything but of what names the object."""
    return (p for p in places(raw) if p not in (("Id",), ("Name",)))


ODD = [None, "text", -1, 1.5, True, [None], [{}], {"a": None}]


@pytest.mark.parametrize(("decoder", "raw"), recorded())
def test_every_field_may_be_null_or_of_another_type(
    decoder: Callable[..., Any], raw: dict[str, Any]
) -> None:
    for path in optional(raw):
        for value in ODD:
            assert decoder(changed(raw, path, value))


@pytest.mark.parametrize(("decoder", "raw"), recorded())
def test_every_field_may_be_missing(decoder: Callable[..., Any], raw: dict[str, Any]) -> None:
    for path in optional(raw):
        assert decoder(without(raw, path))


@pytest.mark.parametrize(("decoder", "raw"), recorded())
def test_unknown_fields_are_passed_over(decoder: Callable[..., Any], raw: dict[str, Any]) -> None:
    assert decoder(raw | {"FieldOfTheFuture": {"deep": [1, {"x": None}]}}) == decoder(raw)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
CASES = [p.values for p in recorded()]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_answer_of_an_engine_makes_a_decoder_fail(data: DataObject) -> None:
    decoder, raw = data.draw(st.sampled_from(CASES))
    path = data.draw(st.sampled_from(list(optional(raw))))
    decoder(changed(raw, path, data.draw(any_json)))


@given(st.binary())
def test_any_line_of_a_progress_stream_is_an_object(line: bytes) -> None:
    assert isinstance(decode.stream_message(line), dict)


def test_garbage_in_a_progress_stream_is_an_error() -> None:
    assert decode.stream_message(b"<html>")["error"] == "<html>"


def test_variables_keep_their_order_and_their_equal_signs() -> None:
    assert list(decode.environment(["B=1", "A=x=y", "C", None]).items()) == [
        ("B", "1"),
        ("A", "x=y"),
        ("C", ""),
    ]


def test_images_of_two_api_versions_have_the_same_labels() -> None:
    """The list has them at the top, inspect under Config."""
    assert decode.image({"Id": "1", "Labels": {"a": "b"}}).labels == {"a": "b"}
    found: Image = decode.image({"Id": "1", "Config": {"Labels": {"a": "b"}}})
    assert found.labels == {"a": "b"}


@pytest.mark.parametrize("number", [10**400, -(10**400), 1e300, float("inf"), float("nan")])
def test_a_number_beyond_64_bits_is_none(number: float) -> None:
    raw = {"Id": "c", "HostConfig": {"NanoCpus": number, "Memory": number}, "RestartCount": number}
    found = decode.container(raw)
    assert (found.limits.cpus, found.limits.memory_bytes, found.restart_count) == (0, 0, 0)


def test_json_that_is_nested_too_deep_is_none() -> None:
    deep = b"[" * 40_000
    assert decode.link(base64.b64encode(deep).decode()) is None
    assert decode.event(deep) is None
    assert "error" in decode.stream_message(deep)


@pytest.mark.parametrize("text", ["/srv/a\0b", "\0", "x" * (1024**2 + 1)])
def test_a_label_that_cannot_be_ours_is_left_out(text: str) -> None:
    """Whoever uses the engine labels containers as they like."""
    labels = {names.WORKSPACE: text, names.PROJECT: "shop"}
    found = decode.summary({"Id": "1", "Labels": labels})
    assert found.labels == {names.PROJECT: "shop"}


@pytest.mark.parametrize("text", ["9" * 5000, "9" * 11, "-1", "\u0663", "80x"])
def test_a_number_in_a_label_is_one_or_none(text: str) -> None:
    container = decode.summary({"Id": "1", "Labels": {names.PORT: text}})
    assert container.port == 0
    facts = {"Action": "start", "Actor": {"ID": "1", "Attributes": {"exitCode": text}}}
    event = decode.event(json.dumps(facts).encode())
    assert event
    assert event.exit_code is None
