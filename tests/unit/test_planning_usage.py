"""From counters to shares."""

from __future__ import annotations

import pytest
from fakes import make_container
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from debughost_cli.models import Project, Stats
from debughost_cli.planning.usage import usage, warnings
from debughost_cli.resources import Container, StatsSample
from debughost_cli.specs import Limits

SECOND = 10**9
BEFORE = StatsSample(10 * SECOND, 2 * SECOND, 0, 4, 100, 1000, 3, 5, 6)
CONTAINER = make_container()


def after(**changes: int) -> StatsSample:
    return replace(BEFORE, read_ns=11 * SECOND, **changes)


def measured(before: StatsSample, last: StatsSample, container: Container) -> Stats:
    found = usage(before, last, container)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("cpu_ns", "percent"),
    [
        (2 * SECOND, 0.0),
        (2 * SECOND + SECOND // 4, 25.0),
        (3 * SECOND, 100.0),
        (4 * SECOND, 200.0),
        (2 * SECOND + 31_250_000, 3.12),
        (0, 0.0),
    ],
)
def test_one_core_for_the_whole_time_is_a_hundred_percent(cpu_ns: int, percent: float) -> None:
    assert measured(BEFORE, after(cpu_ns=cpu_ns), CONTAINER).cpu_percent == percent


def test_no_time_between_the_samples_is_no_share() -> None:
    assert measured(BEFORE, replace(BEFORE, cpu_ns=9 * SECOND), CONTAINER).cpu_percent == 0.0


def test_memory_is_a_share_of_the_containers_limit() -> None:
    found = measured(BEFORE, after(memory_bytes=512 * 1024**2), CONTAINER)
    assert found.memory_limit_bytes == 2 * 1024**3
    assert found.memory_percent == 25.0


def test_without_limits_of_its_own_the_hosts_count() -> None:
    found = measured(BEFORE, after(), replace(CONTAINER, limits=Limits(0, 0, 0)))
    assert (found.cpu_limit, found.memory_limit_bytes, found.memory_percent) == (4.0, 1000, 10.0)


def test_no_limit_at_all_is_no_share() -> None:
    found = measured(
        BEFORE, after(memory_limit_bytes=0), replace(CONTAINER, limits=Limits(0, 0, 0))
    )
    assert found.memory_percent == 0.0


@pytest.mark.parametrize("limits", [Limits(), Limits(0, 0, 0)])
def test_without_control_groups_the_machine_is_not_taken_for_the_container(limits: Limits) -> None:
    """Rootless Docker counts the time and memory of all programs, rootless Podman the memory."""
    counted = after(pids=0, cpu_ns=99 * SECOND, memory_limit_bytes=24 * 1024**3)
    assert usage(BEFORE, counted, replace(CONTAINER, limits=limits)) is None


def test_a_kernel_that_counts_no_processes_measures_the_rest() -> None:
    limit = CONTAINER.limits.memory_bytes
    assert measured(BEFORE, after(pids=0, memory_limit_bytes=limit), CONTAINER).memory_bytes == 100


def test_the_rest_is_as_it_is_now() -> None:
    found = measured(BEFORE, after(pids=7, net_rx_bytes=8, net_tx_bytes=9), CONTAINER)
    assert (found.pids, found.net_rx_bytes, found.net_tx_bytes) == (7, 8, 9)


@pytest.mark.parametrize(("pids", "codes"), [(58, ["NEAR_PROCESS_LIMIT"]), (57, [])])
def test_a_project_that_is_about_to_run_out_of_processes_is_reported(
    pids: int, codes: list[str]
) -> None:
    container = replace(CONTAINER, limits=replace(CONTAINER.limits, pids=64))
    stats = measured(BEFORE, after(pids=pids), container)
    assert stats.pids_limit == 64
    assert [w.code for w in warnings(Project("shop", stats=stats))] == codes


samples = st.builds(StatsSample, *[st.integers(0, 2**63)] * 9)


@given(samples, samples)
def test_no_counters_make_a_share_negative(one: StatsSample, two: StatsSample) -> None:
    found = measured(one, replace(two, pids=1), CONTAINER)
    assert found.cpu_percent >= 0
    assert found.memory_percent >= 0
