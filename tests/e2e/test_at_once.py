"""Many commands at once: one project's wait for each other, those of several never do."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .harness import Eye, Program, body, check_document, eventually, finish, write
from .private_engine import Private, held_ports
from .workspaces import PAGE, python

pytestmark = pytest.mark.alone  # many commands at once, which must not meet other load

MANY = 8
FREE = 8
ROUNDS = 2
STUBBORN = python("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
"""Ends by SIGKILL alone: a ``stop`` of it takes as long as its grace."""


def test_many_projects_are_brought_up_restarted_and_removed_at_once(
    private: Private, tmp_path: Path
) -> None:
    ids = [f"p{n}" for n in range(MANY)]
    folders = {p: write(tmp_path / p, PAGE) for p in ids}
    made = private.run.at_once([("up", "-p", p, "-w", folders[p]) for p in ids])
    assert [r.code for r in made] == [0] * MANY, "\n".join(map(str, made))
    assert {r.project["action"] for r in made} == {"created"}
    assert len({r.project["port"] for r in made}) == MANY
    again = private.run.at_once([("restart", "-p", p) for p in ids])
    assert [r.code for r in again] == [0] * MANY, "\n".join(map(str, again))
    assert all(r.project["ready"] and r.project["action"] == "restarted" for r in again)
    assert [r.project["port"] for r in again] == [r.project["port"] for r in made]
    assert len(private.eye.client.containers()) == MANY
    gone = private.run.at_once([("rm", "-p", p) for p in ids])
    assert [r.code for r in gone] == [0] * MANY, "\n".join(map(str, gone))
    assert private.eye.client.containers(all=True) == []
    assert not any("Waiting for another" in r.err for r in (*made, *again, *gone))


def test_more_projects_than_ports_fill_the_range_and_leave_nothing_else(
    private: Private, tmp_path: Path
) -> None:
    ids = [f"p{n}" for n in range(FREE + 4)]
    folders = {p: write(tmp_path / p, PAGE) for p in ids}
    with held_ports(private, set(range(4000, 5000)) - set(range(4300, 4300 + FREE))):
        results = private.run.at_once([("up", "-p", p, "-w", folders[p]) for p in ids])
    up = [r for r in results if r.code == 0]
    refused = [r for r in results if r.code == 5]
    assert (len(up), len(refused)) == (FREE, 4), "\n".join(map(str, results))
    assert {r.project["port"] for r in up} == set(range(4300, 4300 + FREE))
    assert all(r.project["ready"] for r in up)
    assert {r.error["code"] for r in refused} == {"PORTS_EXHAUSTED"}
    assert all(r.document["changed"] is False for r in refused)
    containers = private.eye.client.containers(all=True)
    assert len(containers) == FREE
    assert all(c["State"] == "running" for c in containers)
    lost = {r.project["project"] for r in refused}
    volumes = private.eye.client.volumes()["Volumes"] or []
    assert not lost & {(v["Labels"] or {}).get("debug-host.project") for v in volumes}


@pytest.mark.once  # long: moments at random, five pairs of commands
@pytest.mark.parametrize(
    ("first", "second"),
    [("up", "rm"), ("up", "stop"), ("restart", "rm"), ("restart", "stop"), ("recreate", "rm")],
)
def test_two_commands_at_once_end_as_if_one_had_come_after_the_other(
    run: Program, eye: Eye, project: str, tmp_path: Path, seed: str, first: str, second: str
) -> None:
    folder = write(tmp_path / "site", PAGE)
    up = ("up", "-p", project, "-w", folder, "--json")
    words = {
        "up": up,
        "recreate": (*up, "--recreate"),
        **{c: (c, "-p", project, "--json") for c in ("restart", "rm", "stop")},
    }
    chance = random.Random(f"{seed} {first} {second}")
    for _ in range(ROUNDS):
        run(*up)
        if first == "up":
            run("stop", "-p", project)
        offset = chance.uniform(-0.5, 0.8)
        pair = (first, second) if offset > 0 else (second, first)
        early = run.start(*words[pair[0]])
        time.sleep(abs(offset))
        late = run.start(*words[pair[1]])
        ends = {name: finish(p) for name, p in zip(pair, (early, late), strict=True)}
        said = f"{offset:.3f}: {ends}"
        for code, out, err in ends.values():
            assert "Traceback" not in err, said
            check_document(out, code)
            # What the other took away meanwhile is not found, or ends before it is ready.
            assert code in (0, 3, 7), said
        assert ends[second][0] == 0, said
        assert len(eye.containers(project)) <= 1, said
        again = run(*up).project
        assert again["ready"] is True
        assert len(eye.containers(project)) == 1
        assert body(again["url"]) == PAGE["index.html"]


@contextmanager
def slow_stop(run: Program, project: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A ``stop`` that holds the project for a minute, unless it is ended."""
    run("up", "-p", project, "-w", folder)
    holder = run.start("stop", "-p", project, "-t", "60")
    try:
        assert holder.stderr
        assert b"Stopping" in holder.stderr.readline()
        yield holder
    finally:
        holder.kill()
        holder.communicate()


@pytest.mark.once  # the lock is this machine's
def test_a_held_project_is_abandoned_after_30_seconds_and_another_never_waits(
    run: Program, new_id: Callable[[], str], tmp_path: Path
) -> None:
    held, other = new_id(), new_id()
    folder, site = write(tmp_path / "held", STUBBORN), write(tmp_path / "other", PAGE)
    with slow_stop(run, held, folder) as holder:
        waiting = [
            run.start(*words, "--json")
            for words in (("up", "-p", held, "-w", folder), ("rm", "-p", held))
        ]
        free = run("up", "-p", other, "-w", site, "--json")
        assert free.project["ready"] is True
        assert "Waiting for another" not in free.err
        assert all(p.poll() is None for p in waiting)
        ends = [finish(p) for p in waiting]
    for code, out, err in ends:
        document = check_document(out, code)
        assert 29_000 < document["duration_ms"] < 30_000 + 1000 * run.slow(3)
        error = document["error"]
        assert (code, error["code"], error["retryable"]) == (5, "BUSY", True)
        assert error["details"]["holder"]["pid"] == holder.pid
        assert "debughost stop" in error["details"]["holder"]["command"]
        for text in (error["message"], err):
            assert f"pid {holder.pid}, debughost stop" in text


def test_a_holder_that_is_killed_gives_the_project_back_at_once(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "held", STUBBORN)
    with slow_stop(run, project, folder) as holder:
        waiting = run.start("rm", "-p", project, "-t", "1", "--json")
        assert waiting.stderr
        assert b"Waiting for another" in waiting.stderr.readline()
        holder.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        eventually(lambda: waiting.poll() is not None, timeout=run.slow(5))
        assert time.monotonic() - killed < run.slow(5)
        code, out, _ = finish(waiting)
        assert check_document(out, code)["data"]["projects"][0]["action"] == "removed"
