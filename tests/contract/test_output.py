"""Stats, output and commands of containers, on every engine."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import FakeEngine

from contract.conftest import (
    LONG_LINE,
    World,
)
from debughost_cli.engine.port import Conflict, ExecSpec, LogQuery
from debughost_cli.resources import LogFragment, LogLine

# docker-py leaves the rest of a stream that reported an error to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


# Containers: stats, output, commands


@pytest.mark.control_groups
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
    # Podman gives lines that come together one stamp.
    assert lines[0].ts <= lines[1].ts
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


def test_a_long_line_is_stored_in_entries_with_one_stamp(world: World) -> None:
    ref = world.start(LONG_LINE)
    world.ended(ref)
    entries = list(world.engine.containers.logs(ref, LogQuery(fragments=True)))
    sizes = [(type(e), len(e.data)) for e in entries]
    docker = [(LogFragment, 16384), (LogFragment, 16384), (LogLine, 7232), (LogLine, 5)]
    podman = [(LogFragment, 8192)] * 4 + docker[2:]
    assert sizes in (docker, podman)
    assert sizes == podman or len({e.ts for e in entries[:3]}) == 1
    assert printed(world, ref) == [("stdout", b"x" * 40_000), ("stdout", b"short")]
    # The tail counts entries, not lines; Podman's may have more of a long line.
    long, short = printed(world, ref, tail=2)
    assert short == ("stdout", b"short")
    assert len(long[1]) == 7232 or (sizes == podman and 7232 < len(long[1]) < 40_000)


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
