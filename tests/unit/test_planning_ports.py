"""Which port a project gets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from debughost_cli.errors import InvalidPort, PortInUse, PortsExhausted
from debughost_cli.models import PortFrom, ProjectType
from debughost_cli.names import PORT_RANGES, REFUSED_PORTS, RESERVED_PORTS, check_port
from debughost_cli.planning import ports
from debughost_cli.planning.ports import PortHolder, PortHolderKind, candidates, preferred_port

NODE = ProjectType.NODE
ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)
types = st.sampled_from(list(ProjectType))


def choose_port(project: Any, type_: Any, *, requested: Any, last: Any, holder: Any) -> Any:
    """Asked vaguely of many ports, and closely of the one that is in the way."""

    def vaguely(port: Any) -> Any:
        return holder(port) and PortHolder(PortHolderKind.PROCESS, "somebody")

    return ports.choose_port(
        project, type_, requested=requested, last=last, holder=vaguely, identify=holder
    )


def nobody(port: Any) -> Any:
    return None


def everybody(port: Any) -> Any:
    return PortHolder(PortHolderKind.CONTAINER, "web")


@pytest.mark.parametrize(
    ("type_", "first", "last"),
    [
        (ProjectType.NODE, 3000, 3999),
        (ProjectType.STATIC, 4000, 4999),
        (ProjectType.PYTHON, 5000, 5999),
        (ProjectType.PHP, 8080, 8980),
    ],
)
def test_ranges_are_those_of_the_contract(type_: Any, first: int, last: int) -> None:
    found = PORT_RANGES[type_]
    assert (found[0], found[-1]) == (first, last)
    assert not set(found) & set(RESERVED_PORTS)


@pytest.mark.parametrize("port", [1024, 2600, 2700, 3000, 65535])
def test_good_ports_pass(port: int) -> None:
    assert check_port(port) == port


@pytest.mark.parametrize("port", [-1, 0, 80, 1023, 2601, 2650, 2699, 65536, 10**9])
def test_ports_out_of_range_and_reserved_ones_are_refused(port: int) -> None:
    with pytest.raises(InvalidPort) as caught:
        check_port(port)
    assert caught.value.hint


@given(ids, types)
@example("r76gti9a", ProjectType.STATIC)  # Its port is 4190, which browsers refuse.
def test_an_id_always_gives_the_same_port_of_its_type(project: Any, type_: Any) -> None:
    port = preferred_port(project, type_)
    assert port == preferred_port(project, type_)
    assert port in PORT_RANGES[type_]
    chosen = choose_port(project, type_, requested=None, last=None, holder=nobody)
    assert (chosen == port) is (port not in REFUSED_PORTS)


def test_the_port_of_an_id_is_the_same_in_every_version() -> None:
    assert preferred_port("shop", NODE) == 3725


@given(ids, types)
def test_every_port_of_the_range_is_tried_once(project: Any, type_: Any) -> None:
    tried = list(candidates(project, type_, None))
    assert sorted(tried) == [p for p in PORT_RANGES[type_] if p not in REFUSED_PORTS]


def test_what_browsers_refuse_is_never_chosen() -> None:
    project = next(p for p in map(str, range(10**6)) if preferred_port(p, NODE) == 3659)
    for last in (None, 6000):
        assert choose_port(project, NODE, requested=None, last=last, holder=nobody) == 3660
    assert choose_port(project, NODE, requested=3659, last=None, holder=nobody) == 3659


@pytest.mark.parametrize(
    ("first", "last", "held", "chosen"),
    [
        (3000, None, (), 3000),
        (3000, None, (3000, 3001), 3002),
        (3658, None, (3658,), 3660),
        (2600, None, (2600,), 2700),
        (3000, 3456, (), 3456),
        (4000, 3456, (4000,), 4001),
        (65535, None, (), 65535),
    ],
)
def test_the_next_from_a_port_on(first: int, last: Any, held: tuple[int, ...], chosen: int) -> None:
    def holder(port: Any) -> Any:
        return everybody(port) if port in held else None

    found = choose_port("shop", NODE, requested=PortFrom(first), last=last, holder=holder)
    assert found == chosen


def test_none_from_a_port_on() -> None:
    with pytest.raises(PortsExhausted) as caught:
        choose_port("shop", NODE, requested=PortFrom(65000), last=None, holder=everybody)
    assert caught.value.details == {"first": 65000, "last": 65535}


def test_the_last_port_comes_first() -> None:
    assert choose_port("shop", NODE, requested=None, last=3456, holder=nobody) == 3456


def test_the_last_port_may_lie_outside_of_the_range() -> None:
    assert choose_port("shop", NODE, requested=None, last=9000, holder=nobody) == 9000


@pytest.mark.parametrize("last", [0, 80, 2650, 70000])
def test_a_last_port_that_may_not_be_used_is_passed_over(last: int) -> None:
    assert choose_port("shop", NODE, requested=None, last=last, holder=nobody) == 3725


def test_a_held_port_is_passed_over_for_the_next() -> None:
    def holder(port: Any) -> Any:
        return PortHolder(PortHolderKind.PROJECT, "other") if port in (3456, 3725, 3726) else None

    assert choose_port("shop", NODE, requested=None, last=3456, holder=holder) == 3727


def test_the_search_goes_round_the_end_of_the_range() -> None:
    def holder(port: Any) -> Any:
        return None if port == 3000 else PortHolder(PortHolderKind.CONTAINER, "web")

    assert choose_port("shop", NODE, requested=None, last=None, holder=holder) == 3000


def test_a_full_range_says_what_to_do() -> None:
    with pytest.raises(PortsExhausted) as caught:
        choose_port("shop", NODE, requested=None, last=None, holder=everybody)
    assert caught.value.details == {"first": 3000, "last": 3999}
    assert "debughost rm" in caught.value.hint


def test_a_requested_port_is_taken_as_it_is() -> None:
    assert choose_port("shop", NODE, requested=9999, last=3456, holder=nobody) == 9999


def test_a_requested_port_that_is_held_is_never_replaced_in_silence() -> None:
    def holder(port: Any) -> Any:
        return (
            PortHolder(PortHolderKind.PROCESS, "nginx (pid 12)") if port in (3000, 3001) else None
        )

    with pytest.raises(PortInUse) as caught:
        choose_port("shop", NODE, requested=3000, last=None, holder=holder)
    error = caught.value
    assert error.details == {
        "port": 3000,
        "holder": {"kind": "process", "name": "nginx (pid 12)"},
        "next_free": 3002,
    }
    assert "process nginx (pid 12)" in error.message
    assert "--port 3002" in error.hint
    assert "--port 3000+" in error.hint
    assert "--port auto" in error.hint
    assert not error.retryable


def test_a_requested_port_in_a_full_range_has_no_next_one() -> None:
    with pytest.raises(PortInUse) as caught:
        choose_port("shop", NODE, requested=3000, last=None, holder=everybody)
    assert caught.value.details["next_free"] is None
    assert "None" not in caught.value.hint
