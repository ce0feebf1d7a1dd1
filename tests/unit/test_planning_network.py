"""Whether a network is as required, and what conflicts with it."""

from __future__ import annotations

import contextlib
import ipaddress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli import names
from debughost_cli.errors import Failure, Usage
from debughost_cli.planning.network import choose, gateway_of, mismatch, network_drift, overlap
from debughost_cli.resources import Network

MANAGED_FILTER = {names.MANAGED: "true"}
SUBNET = "172.28.0.0/16"


def network(**facts: Any) -> Any:
    made = {
        "id": "n1",
        "name": names.NETWORK,
        "driver": "bridge",
        "subnet": SUBNET,
        "gateway": "172.28.0.1",
        "labels": MANAGED_FILTER,
    }
    return Network(**(made | facts))


def test_the_contracts_network() -> None:
    assert (names.NETWORK, names.SUBNET, names.GATEWAY) == (
        "debug-host-network",
        "172.28.0.0/16",
        "172.28.0.1",
    )
    assert gateway_of(names.SUBNET) == names.GATEWAY


@pytest.mark.parametrize(
    "subnet",
    ["", "x", "172.28.0.0", "172.28.0.1/16", "172.28.0.0/33", "10.0.0.0/30", "fd00::/64", "1/8"],
)
def test_subnets_that_cannot_be_used_are_refused(subnet: str) -> None:
    with pytest.raises(Usage) as caught:
        gateway_of(subnet)
    assert "172.28.0.0/16" in caught.value.hint


@given(st.text())
def test_any_subnet_gives_a_gateway_or_a_usage_error(text: Any) -> None:
    with contextlib.suppress(Usage):
        assert ipaddress.ip_address(gateway_of(text))


def test_a_network_as_requested_has_no_drift() -> None:
    assert network_drift(network(), SUBNET) == ()


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"driver": "macvlan"}, "driver"),
        ({"subnet": "172.29.0.0/16"}, "subnet"),
        ({"subnet": None}, "subnet"),
        ({"gateway": "172.28.0.254"}, "gateway"),
        ({"gateway": None}, "gateway"),
    ],
)
def test_drift_field_by_field(facts: dict[str, Any], field: str) -> None:
    (found,) = network_drift(network(**facts), SUBNET)
    assert found.field == field
    assert found.have == next(iter(facts.values()))


def test_of_several_of_one_name_everybody_picks_the_oldest() -> None:
    old = network(id="b", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    new = network(id="a", created_at=datetime(2026, 1, 2, tzinfo=UTC))
    unknown = network(id="0")
    assert choose([new, unknown, old]) is old
    assert choose([unknown]) is unknown
    assert choose([]) is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"containers": ("c1",)}, "Remove what is attached"),
        ({}, "network ensure --recreate"),
        ({"labels": {}}, "docker network rm debug-host-network"),
    ],
)
def test_a_mismatch_says_how_to_get_out_of_it(
    facts: dict[str, tuple[str, ...]], words: str
) -> None:
    found = network(subnet="10.0.0.0/24", gateway="10.0.0.1", **facts)
    error = mismatch(found, network_drift(found, SUBNET))
    assert words in error.hint
    assert "--subnet 10.0.0.0/24" in error.hint
    assert "subnet is 10.0.0.0/24 instead of 172.28.0.0/16" in error.message
    assert [d["field"] for d in plain(error)["drift"]] == ["subnet", "gateway"]
    assert error.details["containers"] == list(facts.get("containers", ()))


def plain(error: Failure) -> Any:
    """The details as JSON has them."""
    return error.to_json()["details"]


def others(*subnets: Any) -> Any:
    return [network(id=f"o{i}", name=f"net{i}", subnet=s, labels={}) for i, s in enumerate(subnets)]


@pytest.mark.parametrize(
    ("subnets", "conflicting"),
    [
        (["172.28.5.0/24"], ["net0"]),
        (["10.0.0.0/8", "172.16.0.0/12"], ["net1"]),
        (["172.28.5.7/24"], ["net0"]),
        (["10.213.79.5/24"], []),
        (["fd00::/64", None, ""], []),
    ],
)
def test_an_overlap_names_the_networks_in_the_way(
    subnets: list[str | None], conflicting: list[str]
) -> None:
    error = overlap(SUBNET, others(*subnets), "Pool overlaps")
    assert [n["name"] for n in plain(error)["overlaps"]] == conflicting
    assert all(name in error.message for name in conflicting)


def test_an_overlap_without_a_network_blames_a_route() -> None:
    error = overlap(SUBNET, others("10.0.0.0/8"), "Pool overlaps")
    assert "route" in error.message
    assert error.details["engine"] == "Pool overlaps"


@pytest.mark.parametrize(
    "taken", [[], ["172.28.0.0/16"], ["172.16.0.0/12"], [f"172.{n}.0.1/24" for n in range(16, 32)]]
)
def test_the_proposed_subnet_is_free_and_not_the_refused_one(taken: Any) -> None:
    error = overlap(SUBNET, others(*taken), "Pool overlaps")
    free = ipaddress.ip_network(plain(error)["free_subnet"])
    assert free.is_private
    assert not free.overlaps(ipaddress.ip_network(SUBNET))
    assert not any(free.overlaps(ipaddress.ip_network(t, strict=False)) for t in taken)
    assert f"--subnet {free}" in error.hint


def test_the_proposed_subnet_is_free_where_the_last_resort_is_taken_too() -> None:
    error = overlap(SUBNET, others("172.16.0.0/12", "10.28.0.0/16"), "Pool overlaps")
    free = ipaddress.ip_network(plain(error)["free_subnet"])
    assert not free.overlaps(ipaddress.ip_network("10.28.0.0/16"))
