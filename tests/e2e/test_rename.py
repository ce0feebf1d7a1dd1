"""``rename``: the same project under another id, with what it has on the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import Eye, Program, fetch, write
from .test_services import EXPRESS

pytestmark = pytest.mark.once


def visits(run: Program, project: str) -> str:
    return fetch(run("wait", "-p", project, "--json").project["url"])[1]


def test_data_packages_home_and_port_stay(
    run: Program, eye: Eye, new_id: Callable[[], str], tmp_path: Path, redis_image: str
) -> None:
    old, new = new_id(), new_id()
    settings = f'# ours\nproject = "{old}"\nservices.db = "{redis_image}"\n'
    folder = write(tmp_path / "visits", {**EXPRESS, "debughost.toml": settings})
    before = run("up", "-w", folder, "--json").project
    assert visits(run, old) == "visits: 1"
    run("exec", "-p", old, "--", "sh", "-c", "echo kept > ~/note; chmod 600 ~/note")
    done = run("rename", new, "-p", old, "--json")
    assert (done.project["project"], done.project["port"]) == (new, before["port"])
    assert [s["state"] for s in done.project["services"]] == ["running"]
    assert visits(run, new) == "visits: 2", "the data of its database"
    kept = run("exec", "-p", new, "--", "sh", "-c", "cat ~/note; stat -c %a ~/note; id -un")
    assert kept.out.split()[:2] == ["kept", "600"]
    log = run("logs", "-p", new, "-n", "all").out
    assert "added" not in log, "packages were not installed again"
    assert new in (folder / "debughost.toml").read_text()
    assert eye.everything(old) == ([], [])
