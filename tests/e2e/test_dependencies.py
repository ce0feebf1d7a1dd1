"""What a project needs is installed once, into its own volume, from a cache that is shared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import Eye, Program, body, owner, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "node" / "package-lock.json"
INSTALLING = "installing dependencies"
SERVER = """\
const ms = require("ms");
require("http").createServer((request, response) => response.end(ms(60000)))
  .listen(process.env.PORT, "0.0.0.0");
"""


def workspace(folder: Path) -> Path:
    """A server with one small package, locked as in the example."""
    package = {
        "name": "one-package", "version": "1.0.0", "scripts": {"dev": "node server.js"},
        "dependencies": {"ms": "*"},
    }  # fmt: skip
    locked = json.loads(EXAMPLE.read_text())["packages"]["node_modules/ms"]
    root = {k: package[k] for k in ("name", "version", "dependencies")}
    lock = {
        "name": "one-package", "version": "1.0.0", "lockfileVersion": 3, "requires": True,
        "packages": {"": root, "node_modules/ms": locked},
    }  # fmt: skip
    files = {
        "package.json": json.dumps(package), "package-lock.json": json.dumps(lock),
        "server.js": SERVER,
    }  # fmt: skip
    return write(folder, files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return workspace(tmp_path / "one")


def test_packages_stay_across_rm_and_up(run: Program, eye: Eye, project: str, folder: Path) -> None:
    first = run("up", "-p", project, "-w", folder, "--json")
    assert body(first.project["url"]) == "1m"
    assert INSTALLING in eye.logs(project)
    assert not (folder / "node_modules" / "ms").exists()
    assert owner(folder / "node_modules") == owner(folder)
    run("rm", "-p", project)
    assert not (folder / "node_modules").exists()
    again = run("up", "-p", project, "-w", folder, "--json")
    assert body(again.project["url"]) == "1m"
    assert INSTALLING not in eye.logs(project)


def test_a_second_project_installs_from_the_shared_cache_without_a_network(
    run: Program, eye: Eye, new_id: Callable[[], str], folder: Path, tmp_path: Path
) -> None:
    run("up", "-p", new_id(), "-w", folder, "--shared-cache")
    second = new_id()
    offline = ("-e", "npm_config_offline=true", "--shared-cache")
    made = run("up", "-p", second, "-w", workspace(tmp_path / "two"), *offline, "--json")
    assert made.project["action"] == "created"
    assert INSTALLING in eye.logs(second)
    assert body(made.project["url"]) == "1m"


def test_no_project_installs_from_the_cache_of_another(
    run: Program, eye: Eye, new_id: Callable[[], str], folder: Path, tmp_path: Path
) -> None:
    first, second = new_id(), new_id()
    run("up", "-p", first, "-w", folder)
    offline = ("-e", "npm_config_offline=true")
    other = workspace(tmp_path / "two")
    failed = run("up", "-p", second, "-w", other, *offline, "--json", check=7)
    assert failed.error["code"] == "DEPENDENCIES_FAILED"
    names = {v["Name"] for v in eye.client.volumes()["Volumes"]}
    assert {f"debug-host-{first}-cache", f"debug-host-{second}-cache"} <= names
    run("rm", "-p", first, "--volumes")
    assert f"debug-host-{first}-cache" not in {v["Name"] for v in eye.client.volumes()["Volumes"]}


def test_a_changed_manifest_restarts_the_project_and_installs_again(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    first = run("up", "-p", project, "-w", folder, "--json")
    manifest = folder / "package-lock.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()), indent=2))
    again = run("up", "-p", project, "-w", folder, "--json")
    assert again.project["action"] == "restarted"
    assert again.document["changed"] is True
    assert again.project["container"]["id"] == first.project["container"]["id"]
    assert eye.logs(project).count(INSTALLING) == 2
    assert run("up", "-p", project, "-w", folder, "--json").project["action"] == "unchanged"


def test_status_shows_that_the_packages_are_not_those_of_the_lock_file(
    run: Program, project: str, folder: Path
) -> None:
    run("up", "-p", project, "-w", folder)
    before = run("status", "-p", project, "--no-stats", "--json").project["dependencies"]
    (folder / "package-lock.json").write_text((folder / "package-lock.json").read_text() + "\n")
    after = run("status", "-p", project, "--no-stats", "--json").project["dependencies"]
    assert (before, after) == ("fresh", "stale")


def test_no_deps_installs_nothing(run: Program, eye: Eye, project: str, folder: Path) -> None:
    (folder / "server.js").write_text(SERVER.replace('require("ms")', "() => 'none'"))
    made = run("up", "-p", project, "-w", folder, "--no-deps", "--json")
    assert body(made.project["url"]) == "none"
    assert INSTALLING not in eye.logs(project)
    assert eye.exec(project, "ls", "node_modules") == (0, "")


def test_rm_volumes_takes_the_packages_too(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    run("up", "-p", project, "-w", folder)
    assert len(eye.volumes(project)) == 3
    gone = run("rm", "-p", project, "--volumes", "--json")
    assert gone.project["action"] == "removed"
    assert eye.everything(project) == ([], [])


def test_an_install_that_fails_is_reported_with_its_last_lines(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    manifest = folder / "package.json"
    manifest.write_text(manifest.read_text().replace('"ms"', '"no-such-package-of-anybody"'))
    (folder / "package-lock.json").unlink()
    offline = ("-e", "npm_config_offline=true")
    failed = run("up", "-p", project, "-w", folder, *offline, "--json", check=7)
    assert failed.error["code"] == "DEPENDENCIES_FAILED"
    assert failed.project["action"] == "failed"
    assert failed.project["error"] == failed.error
    tail = failed.error["details"]["log_tail"]
    assert 0 < len(tail) <= 20
    assert any("no-such-package-of-anybody" in line for line in tail)
    assert "--no-deps" in failed.error["hint"]
    assert eye.inspect(project)["State"]["Running"] is False
