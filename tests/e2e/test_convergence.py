"""``up`` again and again: only what changed is done again, and what is kept is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .harness import Eye, Program, body, eventually, free_port, listing, write
from .workspaces import NODE, PAGE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "site", PAGE)


def env_of(inspect: dict[str, Any]) -> dict[str, str]:
    return dict(e.split("=", 1) for e in inspect["Config"]["Env"])


def test_up_twice_changes_nothing_and_is_quick(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    run("up", "-p", project, "-w", folder)
    before = eye.inspect(project)
    again = run("up", "-p", project, "-w", folder, "--json")
    assert again.project["action"] == "unchanged"
    assert again.document["changed"] is False
    assert again.document["duration_ms"] < 1000 * run.slow(1)
    after = eye.inspect(project)
    assert (after["Id"], after["State"]) == (before["Id"], before["State"])


def test_another_variable_makes_a_new_container_with_the_same_port_and_volumes(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "n", NODE)
    first = run("up", "-p", project, "-w", folder, "-e", "WHAT=one", "--json")
    eye.exec(project, "sh", "-c", "echo kept > node_modules/kept")
    before = eye.everything(project)
    second = run("up", "-p", project, "-w", folder, "-e", "WHAT=two", "--json")
    assert second.project["action"] == "recreated"
    assert second.project["port"] == first.project["port"]
    after = eye.everything(project)
    assert len(after[0]) == 1
    assert after[0] != before[0]
    assert after[1] == before[1]
    assert env_of(eye.inspect(project))["WHAT"] == "two"
    assert eye.exec(project, "cat", "node_modules/kept") == (0, "kept\n")
    assert body(second.project["url"]) == "hello\n"


def test_a_variable_that_is_taken_away_is_gone(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    up = ("up", "-p", project, "-w", folder, "--json")
    run(*up, "-e", "WHAT=one")
    kept = run(*up)
    assert (kept.project["action"], kept.project["flags"]) == ("unchanged", ["-e WHAT"])
    again = run(*up, "--reset")
    assert (again.project["action"], again.project["why"]) == ("recreated", "env.WHAT removed")
    assert "WHAT" not in env_of(eye.inspect(project))


def test_other_limits_make_a_new_container(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    run("up", "-p", project, "-w", folder, "--cpus", "0.5", "-m", "256m")
    host = eye.inspect(project)["HostConfig"]
    assert host["NanoCpus"] == 500_000_000
    assert host["Memory"] == host["MemorySwap"] == 256 * 1024**2
    again = run("up", "-p", project, "-w", folder, "--restart", "unless-stopped", "--json")
    assert again.project["action"] == "recreated"
    host = eye.inspect(project)["HostConfig"]
    assert host["NanoCpus"] == 500_000_000
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


def test_a_dry_run_shows_what_up_will_do_and_does_nothing(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "n", NODE)

    def rehearse_and_perform(*options: str) -> str:
        seen = (eye.everything(project), listing(folder))
        args: tuple[str | Path, ...] = ("up", "-p", project, "-w", folder, *options, "--json")
        rehearsed = run(*args, "--dry-run")
        assert rehearsed.document["changed"] is False
        assert (eye.everything(project), listing(folder)) == seen
        assert isinstance(rehearsed.project["plan"], list)
        performed = run(*args)
        assert performed.project["action"] == rehearsed.project["action"]
        assert performed.project["port"] == rehearsed.project["port"]
        assert bool(rehearsed.project["plan"]) or not performed.document["changed"]
        return performed.project["action"]

    assert rehearse_and_perform() == "created"
    assert rehearse_and_perform() == "unchanged"
    assert rehearse_and_perform("-e", "WHAT=one") == "recreated"
    run("stop", "-p", project)
    assert rehearse_and_perform("-e", "WHAT=one") == "started"


def test_a_dry_run_names_each_step_and_each_difference(
    run: Program, project: str, folder: Path
) -> None:
    fresh = run("up", "-p", project, "-w", folder, "--dry-run", "--json")
    assert "create_container" in {s["step"] for s in fresh.project["plan"]}
    assert all(set(s) >= {"step", "target", "reason"} for s in fresh.project["plan"])
    run("up", "-p", project, "-w", folder)
    drifted = run("up", "-p", project, "-w", folder, "--cpus", "1", "--dry-run", "--json")
    assert drifted.project["drift"] == [{"field": "cpus", "want": 1.0, "have": 2.0}]


def test_a_stopped_project_is_started_again(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    first = run("up", "-p", project, "-w", folder, "--json")
    run("stop", "-p", project)
    again = run("up", "-p", project, "-w", folder, "--json")
    assert again.project["action"] == "started"
    assert again.document["changed"] is True
    assert again.project["container"]["id"] == first.project["container"]["id"]
    assert again.project["port"] == first.project["port"]
    assert "hello" in body(again.project["url"])


def test_a_port_that_was_chosen_is_kept_across_rm(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    port = free_port(20000, 30000)
    run("up", "-p", project, "-w", folder, "--port", str(port))
    for _ in range(2):
        run("rm", "-p", project)
        assert run("up", "-p", project, "-w", folder, "--json").project["port"] == port


def test_a_port_that_was_not_chosen_is_kept_across_rm(
    run: Program, project: str, folder: Path
) -> None:
    first = run("up", "-p", project, "-w", folder, "--json")
    run("rm", "-p", project)
    again = run("up", "-p", project, "-w", folder, "--json")
    assert again.project["action"] == "created"
    assert again.project["port"] == first.project["port"]


def test_port_auto_takes_a_port_of_the_range(run: Program, project: str, folder: Path) -> None:
    found = run("up", "-p", project, "-w", folder, "--port", "auto", "--json")
    assert found.project["port"] in range(4000, 5000)


def test_recreate_makes_a_new_container_of_what_did_not_change(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    first = run("up", "-p", project, "-w", folder, "--json")
    again = run("up", "-p", project, "-w", folder, "--recreate", "--json")
    assert again.project["action"] == "recreated"
    assert again.project["container"]["id"] != first.project["container"]["id"]
    assert again.project["port"] == first.project["port"]
    assert len(eye.containers(project)) == 1


def test_two_workspaces_cannot_share_an_id(
    run: Program, eye: Eye, project: str, folder: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other", PAGE)
    run("up", "-p", project, "-w", folder)
    before = eye.inspect(project)["Id"]
    refused = run("up", "-p", project, "-w", other, "--json", check=5)
    assert refused.error["code"] == "WORKSPACE_CONFLICT"
    assert str(folder) in refused.error["message"]
    assert eye.inspect(project)["Id"] == before


def test_the_id_is_the_folders_name_unless_given(
    run: Program, new_id: Callable[[], str], tmp_path: Path
) -> None:
    project = new_id()
    folder = write(tmp_path / project.upper(), PAGE)
    assert run("up", "--json", cwd=folder).project["project"] == project
    assert run("stop", "--json", cwd=folder).project["project"] == project


def test_up_by_id_alone_finds_the_workspace_that_the_project_has(
    run: Program, project: str, folder: Path, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", folder)
    elsewhere = write(tmp_path / "elsewhere", {})
    again = run("up", "-p", project, "--json", cwd=elsewhere)
    assert again.project["action"] == "unchanged"
    assert again.project["workspace"] == str(folder)


def test_a_container_that_was_paused_runs_on(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    run("up", "-p", project, "-w", folder)
    eye.client.pause(eye.inspect(project)["Id"])
    assert run("status", "-p", project, "--no-stats", "--json").project["state"] == "paused"
    again = run("up", "-p", project, "-w", folder, "--json")
    assert again.project["action"] == "started"
    assert eventually(lambda: body(again.project["url"]))


def test_a_container_that_somebody_removed_is_made_again(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    first = run("up", "-p", project, "-w", folder, "--json")
    eye.client.remove_container(first.project["container"]["id"], force=True)
    again = run("up", "-p", project, "-w", folder, "--json")
    assert again.project["action"] == "created"
    assert again.project["port"] == first.project["port"]
