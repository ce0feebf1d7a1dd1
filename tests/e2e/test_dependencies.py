"""What a project needs is installed once, into its own volume, from a cache that is shared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import UPLOADED, Eye, Program, body, owner, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "node" / "package-lock.json"
INSTALLING = "installing dependencies"
SERVER = """\
const ms = require("ms");
require("http").createServer((request, response) => response.end(ms(60000)))
  .listen(process.env.PORT, "0.0.0.0");
"""
OLDER = {"version": "2.1.2", "integrity": (
    "sha512-sGkPx+VjMtmA6MX27oA4FBFELFCZZ4S4XqeGOXCv68tT+jb3vk/RyaKWP0PTKyWtmLSM0b+adUTEvbs1PEaH2w=="
)}  # fmt: skip
ANOTHER = {"version": "2.0.4", "integrity": (
    "sha512-k/vGaX4/Yla3WzyMCvTQOXYeIHvqOKtnqBduzTHpzpQZzAskKMhZ2K+EnBiSM9zGSoIFeMpXKxa4dYeZIQqewQ=="
)}  # fmt: skip
UV_PROJECT = """\
[project]
name = "d"
version = "1"
requires-python = ">=3.9"
dependencies = ["six{specifier}"]
"""
UV_LOCK = """\
version = 1
requires-python = ">=3.9"

[[package]]
name = "d"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "six" }]

[package.metadata]
requires-dist = [{ name = "six", specifier = "==1.16.0" }]

[[package]]
name = "six"
version = "1.16.0"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.pythonhosted.org/packages/d9/5a/\
e7c31adbe875f2abbb91bd84cf2dc52d792b5a01506781dbcf25c91daf11/six-1.16.0-py2.py3-none-any.whl", \
hash = "sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254", size = 11053 }]
"""
PYTHON_SERVER = """\
import os
from http.server import HTTPServer, SimpleHTTPRequestHandler

HTTPServer(("0.0.0.0", int(os.environ["PORT"])), SimpleHTTPRequestHandler).serve_forever()
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
    if not UPLOADED:
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


def lock_package(folder: Path, name: str, locked: dict[str, str]) -> bytes:
    """Puts a package, or another version of one, into manifest and lock file."""
    for file, keys in (("package.json", ()), ("package-lock.json", ("packages", ""))):
        content = json.loads((folder / file).read_text())
        part = content
        for key in keys:
            part = part[key]
        part["dependencies"][name] = "*"
        if keys:
            content["packages"][f"node_modules/{name}"] = locked
        (folder / file).write_text(json.dumps(content))
    return (folder / "package-lock.json").read_bytes()


@pytest.mark.parametrize(("name", "locked"), [("ms", OLDER), ("inherits", ANOTHER)])
def test_a_changed_lock_file_changes_only_its_packages(
    run: Program, eye: Eye, project: str, folder: Path, name: str, locked: dict[str, str]
) -> None:
    lock_package(folder, "bytes", json.loads(EXAMPLE.read_text())["packages"]["node_modules/bytes"])
    run("up", "-p", project, "-w", folder)
    kept = eye.exec(project, "stat", "-c", "%i %Z", "node_modules/bytes/index.js")
    lock = lock_package(folder, name, locked)
    run("up", "-p", project, "-w", folder)
    found = eye.exec(project, "node", "-p", f"require('{name}/package.json').version")
    assert found == (0, f"{locked['version']}\n")
    assert eye.exec(project, "stat", "-c", "%i %Z", "node_modules/bytes/index.js") == kept
    assert (folder / "package-lock.json").read_bytes() == lock


def test_a_lock_file_that_disagrees_with_the_manifest_is_refused_after_an_install_too(
    run: Program, project: str, folder: Path
) -> None:
    run("up", "-p", project, "-w", folder)
    manifest = folder / "package.json"
    manifest.write_text(manifest.read_text().replace('"*"', '"1.0.0"'))
    failed = run("up", "-p", project, "-w", folder, "--json", check=7)
    assert failed.error["code"] == "DEPENDENCIES_FAILED"
    assert "Invalid: lock file's ms@2.1.3 does not satisfy ms@1.0.0" in "\n".join(
        failed.error["details"]["log_tail"]
    )
    assert "npm install --package-lock-only" in failed.error["hint"]


def test_a_lock_file_of_uv_that_is_older_than_its_manifest_is_installed_as_it_is(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    files = {
        "pyproject.toml": UV_PROJECT.format(specifier="==1.17.0"), "uv.lock": UV_LOCK,
        "main.py": PYTHON_SERVER,
    }  # fmt: skip
    run("up", "-p", project, "-w", write(tmp_path / "uv", files))
    assert "uv.lock is older than pyproject.toml" in eye.logs(project)
    version = eye.exec(project, "python", "-c", "import six; print(six.__version__)")
    assert version == (0, "1.16.0\n")
    (tmp_path / "uv" / "pyproject.toml").write_text(UV_PROJECT.format(specifier="==1.16.0"))
    run("up", "-p", project, "-w", tmp_path / "uv")
    assert eye.logs(project).count("uv.lock is older than pyproject.toml") == 1


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
    assert len(eye.volumes(project)) == 3 + len(UPLOADED)
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
