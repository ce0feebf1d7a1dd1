"""What projects reach of each other over the network, tried from inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import Eye, Program, body, write
from .workspaces import NODE

REACH = """\
fetch(process.argv[1], {signal: AbortSignal.timeout(2000)})
  .then(r => r.text()).then(t => console.log(t.trim()), () => console.log("unreachable"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "one", NODE)


def reach(run: Program, project: str, host: str, port: int) -> str:
    """What a program in ``project`` gets from that address."""
    command = ("node", "-e", REACH, f"http://{host}:{port}/")
    out: str = run("exec", "-p", project, "--json", "--", *command).data["stdout"]
    return out.strip()


def address(eye: Eye, project: str) -> str:
    (network,) = eye.inspect(project)["NetworkSettings"]["Networks"].values()
    found: str = network["IPAddress"]
    return found


def test_an_isolated_project_neither_reaches_others_nor_is_reached(
    run: Program, eye: Eye, new_id: Callable[[], str], folder: Path, tmp_path: Path
) -> None:
    shared, isolated, another = new_id(), new_id(), new_id()
    places = {}
    for project, options in ((shared, ()), (isolated, ("--isolated",)), (another, ())):
        workspace = write(tmp_path / project, NODE)
        made = run("up", "-p", project, "-w", workspace, *options, "--json").project
        assert body(made["url"]) == "hello\n"
        places[project] = (address(eye, project), made["port"])
    assert reach(run, shared, another, places[another][1]) == "hello"
    for one, other in ((shared, isolated), (isolated, shared)):
        ip, port = places[other]
        for host in (other, f"project-{other}", ip):
            assert reach(run, one, host, port) == "unreachable", (one, host)
    own = f"debug-host-{isolated}-network"
    (network,) = eye.client.networks(names=[own])
    assert network["Labels"]["debug-host.project"] == isolated
    assert run("restart", "-p", isolated, "--json").project["action"] == "restarted"
    assert run("status", "-p", isolated, "--no-stats", "--json").project["drift"] == []
    run("rm", "-p", isolated)
    assert eye.client.networks(names=[own]) == []


def test_a_project_moves_into_a_network_of_its_own_and_back(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    up = ("up", "-p", project, "-w", folder, "--json")
    first = run(*up).project
    own = f"debug-host-{project}-network"
    moved = run(*up, "--isolated").project
    assert (moved["action"], moved["port"]) == ("recreated", first["port"])
    assert [*eye.inspect(project)["NetworkSettings"]["Networks"]] == [own]
    assert body(moved["url"]) == "hello\n"
    assert run(*up).project["action"] == "unchanged"
    assert run(*up, "--no-isolated").project["action"] == "recreated"
    assert [*eye.inspect(project)["NetworkSettings"]["Networks"]] == ["debug-host-network"]
    assert eye.client.networks(names=[own]) == []


def test_a_project_that_crashes_leaves_its_network_until_it_is_removed(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    own = f"debug-host-{project}-network"
    run("up", "-p", project, "-w", folder, "--isolated", "--", "false", check=7)
    assert len(eye.client.networks(names=[own])) == 1
    run("rm", "-p", project)
    assert eye.client.networks(names=[own]) == []
