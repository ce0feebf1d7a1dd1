"""What is about all projects, or about an engine in trouble; on an engine of the tests' own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .harness import check_document, eventually, finish, write
from .private_engine import Private, held_ports
from .workspaces import PAGE


@pytest.fixture
def three(private: Private, tmp_path: Path) -> Private:
    """Three projects: a and b run, c is stopped."""
    results = private.run.at_once(
        [("up", "-p", p, "-w", write(tmp_path / p, PAGE)) for p in ("a", "b", "c")]
    )
    assert [r.code for r in results] == [0, 0, 0], "\n".join(map(str, results))
    private.run("stop", "-p", "c")
    return private


def test_status_of_an_empty_engine(private: Private) -> None:
    assert private.run("status", "--json").data == {"projects": []}
    people = private.run("status")
    assert people.out == ""
    assert "No projects" in people.err


def test_status_shows_every_project(three: Private) -> None:
    listed = three.run("status", "--no-stats", "--json").data["projects"]
    assert {p["project"]: p["state"] for p in listed} == {
        "a": "running", "b": "running", "c": "stopped",
    }  # fmt: skip


def test_stop_all_stops_what_runs(three: Private) -> None:
    stopped = three.run("stop", "--all", "--json").data["projects"]
    assert {p["project"]: p["action"] for p in stopped} == {
        "a": "stopped", "b": "stopped", "c": "unchanged",
    }  # fmt: skip
    assert not any(c["State"] == "running" for c in three.eye.client.containers(all=True))


def test_rm_all_needs_a_yes_and_spares_foreign_containers(three: Private) -> None:
    client = three.eye.client
    (image,) = {c["Image"] for c in client.containers(all=True)}
    foreign = client.create_container(image, name="stranger", command=["sleep", "1"])["Id"]
    before = three.world()
    refused = three.run("rm", "--all", "--json", check=2)
    assert refused.error["code"] == "CONFIRMATION_REQUIRED"
    assert three.world() == before
    shown = three.run("rm", "--all", "--dry-run", "--json")
    assert {p["project"] for p in shown.data["projects"]} == {"a", "b", "c"}
    assert three.world() == before
    removed = three.run("rm", "--all", "--yes", "--json")
    assert {p["project"]: p["action"] for p in removed.data["projects"]} == dict.fromkeys(
        "abc", "removed"
    )
    assert [c["Id"] for c in client.containers(all=True)] == [foreign]
    assert three.run("rm", "--all", "--yes", "--json").document["changed"] is False


def test_rm_orphans_takes_those_whose_workspace_is_gone(three: Private, tmp_path: Path) -> None:
    (tmp_path / "b").rename(tmp_path / "moved")
    removed = three.run("rm", "--orphans", "--json").data["projects"]
    assert [p["project"] for p in removed] == ["b"]
    assert [p["project"] for p in three.run("status", "--json").data["projects"]] == ["a", "c"]


def test_a_dry_run_on_an_untouched_engine_touches_nothing(private: Private, tmp_path: Path) -> None:
    folder = write(tmp_path / "n", {"package.json": '{"scripts": {"dev": "node ."}}'})
    (ref,) = private.eye.client.images()[0]["RepoTags"][:1]
    args = ("up", "-p", "n", "-w", folder, "--image", ref, "--dry-run", "--json")
    before = private.world()
    steps = [s["step"] for s in private.run(*args).project["plan"]]
    assert private.world() == before
    assert list(folder.iterdir()) == [folder / "package.json"]
    assert {"create_network", "create_volume", "create_folder", "create_container"} <= set(steps)


def test_prune_takes_every_volume_without_a_project(private: Private, tmp_path: Path) -> None:
    (ref,) = private.eye.client.images()[0]["RepoTags"][:1]
    serve = ("--", "sh", "-c", "serve-static")
    for project in ("gone", "kept"):
        folder = write(tmp_path / project, {"package.json": "{}", "index.html": "x"})
        args = ("up", "-p", project, "-w", folder, "--type", "node", "--no-deps")
        private.run(*args, "--image", ref, *serve)
    private.run("rm", "-p", "gone")
    private.eye.client.create_volume("of-a-stranger")
    assert private.run("volumes", "prune", "--json", check=2).error["code"] == (
        "CONFIRMATION_REQUIRED"
    )
    pruned = private.run("volumes", "prune", "--yes", "--json").data["volumes"]
    assert {v["project"] for v in pruned} == {"gone"}
    left = {v["Name"] for v in private.eye.client.volumes()["Volumes"]}
    assert {"debug-host-kept-node_modules", "of-a-stranger"} <= left
    assert "debug-host-gone-node_modules" not in left


def test_every_port_of_the_range_is_taken(private: Private, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", PAGE)
    before = private.world()
    with held_ports(private, range(4000, 5000)):
        failed = private.run("up", "-p", "a", "-w", folder, "--json", check=5)
        assert failed.error["code"] == "PORTS_EXHAUSTED"
        assert failed.own_seconds < private.run.slow(5)
        assert "4000 to 4999" in failed.error["message"]
        assert private.world()[:2] == before[:2]
        beyond = private.run("up", "-p", "a", "-w", folder, "--port", "20000", "--json")
    assert beyond.project["ready"] is True


def test_an_engine_that_restarts_is_waited_for(private: Private, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", PAGE)
    made = private.run("up", "-p", "a", "-w", folder, "--json").project
    following = private.run.start("logs", "-p", "a", "-f", "--json")
    eventually(lambda: private.run("status", "-p", "a", "--no-stats", check=False).code == 0)
    private.engine.crash()
    code, out, _ = finish(following, timeout=30)
    assert code == 4, out
    waiting = private.run.start("status", "-p", "a", "--no-stats", "--json")
    assert waiting.stderr
    assert b"trying again" in waiting.stderr.readline()
    private.engine.start()
    code, out, _ = finish(waiting)
    (found,) = check_document(out, code)["data"]["projects"]
    assert found["state"] in ("running", "stopped", "crashed")
    again = private.run("up", "-p", "a", "-w", folder, "--json").project
    assert again["container"]["id"] == made["container"]["id"]
    assert again["ready"] is True


def test_many_projects_get_a_port_each(private: Private, tmp_path: Path) -> None:
    runs = [("up", "-p", f"p{i}", "-w", write(tmp_path / f"p{i}", PAGE)) for i in range(10)]
    results = private.run.at_once(runs)
    assert [r.code for r in results] == [0] * 10, "\n".join(map(str, results))
    assert {r.project["action"] for r in results} == {"created"}
    assert all(r.project["ready"] for r in results)
    assert len({r.project["port"] for r in results}) == 10
    assert len(private.networks()) == 1
    assert len(private.eye.client.containers()) == 10
    piped = private.run("status", "--no-stats").out
    assert all(re.search(rf"^p{i} .*running", piped, re.MULTILINE) for i in range(10))


def test_ten_at_once_make_one_project(private: Private, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", PAGE)
    results = private.run.at_once([("up", "-p", "a", "-w", folder)] * 10)
    assert [r.code for r in results] == [0] * 10, "\n".join(map(str, results))
    actions = sorted(r.project["action"] for r in results)
    assert actions == ["created", *["unchanged"] * 9]
    assert len(private.eye.client.containers(all=True)) == 1
    assert all(r.project["ready"] for r in results)


def test_two_clients_that_share_no_lock_make_one_project(private: Private, tmp_path: Path) -> None:
    """As two machines with one engine would: each has its own folder for locks."""
    folder = write(tmp_path / "a", PAGE)
    started = [
        private.run.start(
            "up", "-p", "a", "-w", folder, "--json",
            env={"XDG_STATE_HOME": str(tmp_path / f"state{i}")},
        )
        for i in range(3)
    ]  # fmt: skip
    ended = [finish(p) for p in started]
    assert [code for code, _, _ in ended] == [0, 0, 0], ended
    (left,) = private.eye.client.containers(all=True)
    assert left["State"] == "running"
    port = left["Ports"][0]["PublicPort"]
    code, page = private.eye.exec("a", "curl", "-fsS", f"http://127.0.0.1:{port}/")
    assert (code, page) == (0, PAGE["index.html"])
