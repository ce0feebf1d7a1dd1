"""What somebody else does to a project's container with ``docker`` is seen and coped with."""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness import Eye, Program, body, eventually, write
from .workspaces import NODE, PAGE


@pytest.fixture
def paused(run: Program, eye: Eye, project: str, tmp_path: Path) -> Path:
    """The workspace of a project that somebody froze."""
    folder = write(tmp_path / "w", NODE)
    run("up", "-p", project, "-w", folder)
    eye.client.pause(eye.inspect(project)["Id"])
    return folder


def test_paused_is_reported(run: Program, eye: Eye, project: str, paused: Path) -> None:
    seen = run("status", "-p", project, "--check", "--json", check=7).project
    assert (seen["state"], seen["ready"], seen["exit"]) == ("paused", False, None)
    assert seen["stats"] is None
    vain = run("wait", "-p", project, "--for", "running", "--timeout", "1", "--json", check=6)
    assert vain.error["code"] == "WAIT_TIMEOUT"
    assert "paused" in vain.error["message"]
    eye.client.unpause(eye.inspect(project)["Id"])
    assert run("status", "-p", project, "--check", "--json").project["ready"] is True


def test_up_goes_on_with_what_is_paused(run: Program, project: str, paused: Path) -> None:
    again = run("up", "-p", project, "-w", paused, "--json").project
    assert (again["action"], again["state"], again["ready"]) == ("started", "running", True)
    assert body(again["url"]) == "hello\n"


@pytest.mark.parametrize(
    ("words", "action"),
    [
        (("stop",), "stopped"),
        (("rm",), "removed"),
        (("restart",), "restarted"),
        (("up", "-e", "NEW=1"), "recreated"),
    ],
)
def test_what_is_paused_takes_its_leave(
    run: Program, eye: Eye, project: str, paused: Path, words: tuple[str, ...], action: str
) -> None:
    client, ref = eye.client, eye.inspect(project)["Id"]
    events = client.events(decode=True, filters={"container": ref, "event": "die"})
    place = ("-w", str(paused)) if words[0] == "up" else ()
    done = run(*words, "-p", project, *place, "--json")
    assert done.project["action"] == action
    ended = next(events)
    events.close()
    # What is frozen could not end by itself, and would be killed after the grace.
    assert ended["Actor"]["Attributes"]["exitCode"] != "137"


def test_a_sigterm_of_another_user_is_a_stop(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "w", PAGE))
    eye.client.kill(eye.inspect(project)["Id"], "SIGTERM")
    run("wait", "-p", project, "--for", "exited")
    seen = run("status", "-p", project, "--no-stats", "--json").project
    assert (seen["state"], seen["exit"]["reason"], seen["exit"]["signal"]) == (
        "stopped", "stopped", "SIGTERM",
    )  # fmt: skip
    assert run("up", "-p", project, "-w", tmp_path / "w", "--json").project["action"] == "started"


def test_a_restart_by_another_user_is_no_end(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "w", NODE)
    first = run("up", "-p", project, "-w", folder, "--json").project
    eye.client.restart(first["container"]["id"], timeout=5)

    run("wait", "-p", project)
    seen = run("status", "-p", project, "--no-stats", "--json").project
    assert (seen["state"], seen["exit"], seen["restart_count"]) == ("running", None, 0)
    assert seen["started_at"] > first["started_at"]
    assert run("up", "-p", project, "-w", folder, "--json").project["action"] == "unchanged"
    eventually(lambda: body(seen["url"]) == "hello\n")
