"""Projects of a swarm: two hosts, of which one is the manager and takes no tasks itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError

from .harness import Program, eventually, write
from .lab import Host, Lab
from .private_engine import Private

PAGE = {"index.html": "<h1>one</h1>"}


@dataclass
class Swarm:
    """A manager, a worker, and the program with the manager as its engine."""

    manager: Host
    worker: Host
    run: Program

    def state(self, project: str) -> Any:
        """The project as ``status`` shows it."""
        listed = self.run("status", "--no-stats", "--json", check=False).data["projects"]
        return next((p for p in listed if p["project"] == project), None)

    def running(self, project: str) -> int:
        """How many containers of it run, on both hosts."""
        found = (h.eye.containers(project) for h in (self.manager, self.worker))
        return sum(c["State"] == "running" for host in found for c in host)

    def set_manager(self, availability: str) -> None:
        """Whether the manager takes tasks itself: ``active`` or ``drain``."""
        client = self.manager.eye.client
        node = client.inspect_node(client.info()["Swarm"]["NodeID"])
        spec = {**node["Spec"], "Availability": availability}
        client.update_node(node["ID"], node["Version"]["Index"], spec)

    def promote_worker(self) -> None:
        """Two managers, each of which decides nothing without the other."""
        client = self.manager.eye.client
        node = client.inspect_node(self.worker.eye.client.info()["Swarm"]["NodeID"])
        client.update_node(
            node["ID"], node["Version"]["Index"], {**node["Spec"], "Role": "manager"}
        )
        eventually(lambda: self.worker.eye.client.info()["Swarm"]["ControlAvailable"], timeout=30)

    def has_majority(self) -> bool:
        """Whether the manager decides anything."""
        try:
            return bool(self.manager.eye.client.nodes())
        except APIError:
            return False

    def has_lost_node(self) -> bool:
        """Whether the manager itself says so."""
        nodes = self.manager.eye.client.nodes()
        return any(n["Status"]["State"] == "down" for n in nodes)

    def left(self, project: str) -> list[Any]:
        """All that is left of it on both hosts."""
        client = self.manager.eye.client
        services = [s for s in client.services() if project in s["Spec"]["Name"]]
        hosts = (self.manager, self.worker)
        things = [t for h in hosts for t in (*h.eye.containers(project), *h.eye.volumes(project))]
        images = self.worker.eye.client.images(name=f"debug-host-task:{project}")
        return [*services, *things, *images]


@pytest.fixture
def swarm(lab: Lab) -> Iterator[Swarm]:
    manager, worker = lab.host("a"), lab.host("b")
    for host in (manager, worker):
        host.load("static")
    client = manager.eye.client
    client.init_swarm(
        advertise_addr=manager.address, listen_addr=manager.address,
        default_addr_pool=["10.78.0.0/16"], subnet_size=24,
    )  # fmt: skip
    try:
        token = client.inspect_swarm()["JoinTokens"]["Worker"]
        worker.eye.client.join_swarm(
            [f"{manager.address}:2377"], token, advertise_addr=worker.address
        )
        found = Swarm(manager, worker, _client(lab, manager, worker))
        found.set_manager("drain")
        yield found
    finally:
        for host in (worker, manager):
            with suppress(APIError):
                host.eye.client.leave_swarm(force=True)


def _client(lab: Lab, manager: Host, worker: Host) -> Program:
    """One that reaches the manager by itself, and the worker by the user's own file."""
    pem = worker.tls["DOCKER_CERT_PATH"]
    hosts = {"manager": manager, "worker": worker}
    entries = [f'{n} = {{ host = "{h.tls_url}", tls = "{pem}" }}' for n, h in hosts.items()]
    text = "\n".join(["[engines]", *entries, ""])
    write(lab.folder / "home/.config/debughost", {"config.toml": text})
    return replace(lab.client, env={**lab.client.env, **manager.tls})


def test_a_project_is_placed_changed_stopped_and_removed(
    swarm: Swarm, tmp_path: Path, project: str
) -> None:
    run, worker = swarm.run, swarm.worker
    folder = write(tmp_path / "shop", PAGE)
    made = run("up", "--swarm", "-p", project, "-w", folder, "--json").data["projects"][0]
    assert made["action"] == "created"
    assert made["ready"] is True
    assert made["swarm"]["node"] == "b"
    container = worker.eye.inspect(project)
    assert container["HostConfig"]["CapDrop"] == ["ALL"]
    assert container["HostConfig"]["PidsLimit"] == 512
    assert container["HostConfig"]["Init"] is True
    # On no address, least of all on all of them.
    assert not container["NetworkSettings"]["Ports"].get(f"{made['port']}/tcp")
    assert list(container["NetworkSettings"]["Networks"]) == ["debug-host-overlay"]
    assert run("exec", "-p", project, "--", "cat", "index.html").out == PAGE["index.html"]
    assert b"Serving /app" in run("logs", "-p", project).stderr
    # Another terminal, which has seen nothing of this yet.
    other = replace(run, env={**run.env, "XDG_STATE_HOME": str(tmp_path / "state")})
    (shown,) = other("status", "--json").data["projects"]
    assert shown["stats"]["memory_bytes"] > 0
    write(folder, {"index.html": "two"})
    assert swarm.state(project)["sync"]["state"] == "stale"
    again = run("up", "-p", project, "-w", folder, "--json").data["projects"][0]
    assert again["action"] == "unchanged"
    assert run("exec", "-p", project, "--", "cat", "index.html").out == "two"
    stopped = run("stop", "-p", project, "--json").data["projects"][0]
    assert (stopped["action"], stopped["state"]) == ("stopped", "stopped")
    assert swarm.running(project) == 0
    # Nothing is left of what it wrote, which is said.
    assert run("logs", "-p", project, "--json").document["warnings"][0]["code"] == "LOGS_GONE"
    started = run("restart", "-p", project, "--json").data["projects"][0]
    assert (started["state"], started["ready"]) == ("running", True)
    assert run("exec", "-p", project, "--", "cat", "index.html").out == "two"
    run("rm", "-p", project, "--volumes")
    assert swarm.left(project) == []


def test_what_cannot_be_placed_says_why_and_leaves_all_as_it_was(
    swarm: Swarm, tmp_path: Path, project: str
) -> None:
    run, folder = swarm.run, write(tmp_path / "shop", PAGE)
    words = ("up", "--swarm", "-p", project, "-w", folder, "--json")
    refused = run(*words, "--memory", "900g", check=5)
    assert refused.error["code"] == "NOT_PLACED"
    assert "too little memory" in refused.error["message"]
    assert refused.document["duration_ms"] < 10_000
    assert swarm.left(project) == []
    run(*words)
    before = swarm.worker.eye.inspect(project)["Id"]
    assert run(*words, "--memory", "900g", check=5).error["code"] == "NOT_PLACED"
    assert swarm.worker.eye.inspect(project)["Id"] == before
    assert swarm.state(project)["ready"] is True
    for option in (("--publish", "9000"), ("--shm-size", "128m"), ("--isolated",)):
        error = run(*words, *option, check=2).error
        assert option[0] in error["message"]


def test_a_lost_node_is_reported_and_ends_with_one_copy(
    swarm: Swarm, tmp_path: Path, project: str, new_id: Callable[[], str]
) -> None:
    run, folder = swarm.run, write(tmp_path / "shop", PAGE)
    run("up", "--swarm", "-p", project, "-w", folder)
    moved = new_id()
    run("up", "--swarm", "-p", moved, "-w", write(tmp_path / "other", {"index.html": "moved"}))
    with swarm.worker.partitioned():
        # No engine of [engines] is that node any more, which takes 3 s to find out.
        first = run("status", "--json", "--no-stats")
        assert "node b" in first.document["warnings"][0]["message"]
        assert first.document["duration_ms"] < 10_000
        # The swarm itself misses three heartbeats, which takes it 10 to 15 s.
        eventually(swarm.has_lost_node, timeout=60)
        lost = swarm.state(project)
        assert (lost["state"], lost["ready"], lost["exit"]) == ("restarting", False, None)
        assert "node b is down since" in lost["swarm"]["reason"]
        for command in (("logs", "-p", project), ("exec", "-p", project, "--", "true")):
            refused = run("--json", *command, check=4)
            assert refused.error["code"] == "NODE_UNREACHABLE"
            assert refused.document["duration_ms"] < 10_000
        error = run("up", "-p", project, "-w", folder, "--json", check=4).error
        assert error["code"] == "NODE_UNREACHABLE"
        assert "debughost move" in error["hint"]
        swarm.set_manager("active")
        result = run("move", "--to", "manager", "-p", moved, "--json")
        assert result.data["projects"][0]["swarm"]["node"] == "a"
        assert result.document["warnings"][-1]["code"] == "OLD_NOT_REMOVED"
        # With the workspace, never with an empty folder.
        assert run("exec", "-p", moved, "--", "cat", "index.html").out == "moved"
    # The swarm starts it again there before it has ended the one that ran on.
    eventually(
        lambda: swarm.state(project)["ready"] and swarm.running(project) == 1,
        timeout=30, pause=0.5,
    )  # fmt: skip
    assert run("exec", "-p", project, "--", "cat", "index.html").out == PAGE["index.html"]
    eventually(lambda: swarm.running(moved) == 1, timeout=30)
    assert swarm.manager.eye.inspect(moved)["State"]["Running"]


def test_without_a_majority_of_managers_what_needs_no_swarm_goes_on(
    swarm: Swarm, tmp_path: Path, project: str, new_id: Callable[[], str]
) -> None:
    run, own = swarm.run, new_id()
    folder = write(tmp_path / "shop", PAGE)
    run("up", "--swarm", "-p", project, "-w", folder)
    run("up", "-p", own, "-w", write(tmp_path / "own", PAGE))
    swarm.promote_worker()
    with swarm.worker.partitioned():
        eventually(lambda: not swarm.has_majority(), timeout=60)
        shown = run("status", "--json", "--no-stats")
        assert [p["project"] for p in shown.data["projects"]] == [own]
        assert shown.document["warnings"][0]["code"] == "NO_MAJORITY"
        assert run("exec", "-p", own, "--", "cat", "index.html").out == PAGE["index.html"]
        run("restart", "-p", own)
        # Whether it runs somewhere is not known: it is not made a second time.
        for words in (("stop",), ("up", "-w", folder)):
            error = run(*words, "-p", project, "--json", check=4).error
            assert error["code"] == "NOT_A_MANAGER"
            assert "most of its managers" in error["message"]
    run("rm", "-p", own, "--volumes")


def test_an_engine_that_is_no_manager_names_those_that_are(
    swarm: Swarm, lab: Lab, tmp_path: Path, project: str
) -> None:
    folder = write(tmp_path / "shop", PAGE)
    swarm.run("up", "--swarm", "-p", project, "-w", folder)
    worker = replace(lab.client, env={**lab.client.env, **swarm.worker.tls})
    for words in (("up", "--swarm", "-p", "other", "-w", folder), ("stop", "-p", project)):
        error = worker(*words, "--json", check=4).error
        assert error["code"] == "NOT_A_MANAGER"
        assert f"{swarm.manager.address}:2377" in error["message"]
    # What only reads needs no manager.
    assert worker("exec", "-p", project, "--", "cat", "index.html").out == PAGE["index.html"]
    assert worker("status", "--json").data["projects"][0]["ready"] is True
    swarm.run("rm", "-p", project, "--volumes")


def test_an_engine_that_has_left_its_swarm_is_like_any_other(private: Private) -> None:
    client = private.eye.client
    client.init_swarm(advertise_addr="127.0.0.1", listen_addr="127.0.0.1")
    try:
        private.run("up", "--swarm", "-p", "p", "--dry-run", "--json", check=False)
        assert private.run("status", "--json").data["projects"] == []
    finally:
        client.leave_swarm(force=True)
    assert private.run("status", "--json").data["projects"] == []
    assert private.run("logs", "-p", "p", "--json", check=3).error["code"] == "PROJECT_NOT_FOUND"
