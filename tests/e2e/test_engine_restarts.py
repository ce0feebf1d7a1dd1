"""The engine ends underneath, in three ways: what ``status`` says of it, and ``up`` after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .harness import write
from .private_engine import Private, PrivateEngine
from .workspaces import PAGE

BY_ENGINE = ("stopped", "stopped", 0, "SIGTERM")
"""It sends SIGTERM: at its own end, or at its start to what lived on meanwhile."""
WITH_IT = ("crashed", "killed", 255, None)

WAYS: list[tuple[Callable[[PrivateEngine], None], tuple[Any, ...], set[str]]] = [
    # Engine 20.10 notes the stop at its start as one by hand: unless-stopped keeps to it.
    (PrivateEngine.crash, BY_ENGINE, {"always"}),
    (PrivateEngine.shut_down, BY_ENGINE, {"always", "unless-stopped"}),
    (PrivateEngine.cut_power, WITH_IT, {"always", "unless-stopped"}),
]


def known(private: Private) -> dict[str, dict[str, Any]]:
    found = private.run("status", "--no-stats", "--json").data["projects"]
    return {p["project"]: p for p in found}


def ending(project: dict[str, Any]) -> tuple[Any, ...]:
    ended = project["exit"]
    return project["state"], ended["reason"], ended["code"], ended["signal"]


@pytest.mark.parametrize(("end", "expected", "back"), WAYS)
def test_what_ran_is_reported_truly_and_comes_up_again(
    private: Private, tmp_path: Path,
    end: Callable[[PrivateEngine], None], expected: tuple[Any, ...], back: set[str],
) -> None:  # fmt: skip
    folder = write(tmp_path / "w", PAGE)
    policies = ("no", "always", "unless-stopped")
    for policy in policies:
        private.run("up", "-p", policy, "-w", folder, "--restart", policy)
    for project in ("asked", "unless"):
        policy = "unless-stopped" if project == "unless" else "no"
        private.run("up", "-p", project, "-w", folder, "--restart", policy)
        private.run("stop", "-p", project)
    before = known(private)
    end(private.engine)
    private.engine.start()

    for policy in back:
        private.run("wait", "-p", policy)
    after = known(private)
    assert {p for p in after if after[p]["ready"]} == back
    for policy in set(policies) - back:
        assert ending(after[policy]) == expected
        assert after[policy]["exit"]["finished_at"] > after[policy]["started_at"]
    for project in ("asked", "unless"):
        assert ending(after[project]) == BY_ENGINE
        assert after[project]["exit"] == before[project]["exit"], "it stays as it was stopped"
    for policy in policies:
        again = private.run("up", "-p", policy, "-w", folder, "--restart", policy, "--json").project
        assert again["action"] == ("unchanged" if policy in back else "started")
        assert (again["ready"], again["exit"]) == (True, None)
        assert again["container"]["id"] == before[policy]["container"]["id"]


def test_an_exit_code_of_the_engines_is_distinguished_from_a_programs_own(
    private: Private, tmp_path: Path
) -> None:
    """255 is what the engine gives to what it lost, and PHP after a fatal error."""
    folder = write(tmp_path / "w", PAGE)
    private.run("up", "-p", "lost", "-w", folder)
    private.run("up", "-p", "own", "-w", folder, "--no-wait", "--", "sh", "-c", "exit 255")
    private.run("wait", "-p", "own", "--for", "exited")
    private.run("up", "-p", "paused", "-w", folder)
    (paused,) = private.eye.containers("paused")
    private.eye.client.pause(paused["Id"])
    private.engine.cut_power()
    private.engine.start()
    found = known(private)
    assert ending(found["own"]) == ("crashed", "crashed", 255, None)
    for project in ("lost", "paused"):
        assert ending(found[project]) == WITH_IT
        message = found[project]["exit"]["message"]
        assert message == "ended together with the engine or its machine (exit code 255)"
    said = private.run("status", "--no-stats").out
    assert "lost: ended together with the engine" in said
    assert private.run("up", "-p", "paused", "-w", folder, "--json").project["ready"] is True
