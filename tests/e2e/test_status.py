"""``status``: what drifted, what is installed, what is used, and what to look at, for real."""

from __future__ import annotations

import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from certificates import PEM

from .harness import Eye, Program, eventually, write
from .workspaces import PAGE, python

CORE = 100.0
BURN = """\
import threading
def burn():
    while True: pass
threading.Thread(target=burn, daemon=True).start()
"""


def status(run: Program, project: str, *more: str) -> dict[str, Any]:
    return run("status", "-p", project, *more, "--json").project


# Drift


@pytest.fixture
def site(run: Program, project: str, tmp_path: Path) -> Path:
    """The workspace of a project that is up as its empty file says."""
    folder = write(tmp_path / "site", {**PAGE, "debughost.toml": "", "ca.pem": PEM, "v.env": "V=1"})
    run("up", "-p", project, "-w", folder)
    assert status(run, project, "--no-stats")["drift"] == []
    return folder


LIMITED = pytest.mark.control_groups


@pytest.mark.parametrize(
    ("text", "field", "want", "have"),
    [
        ("port = 4999", "port", 4999, ...),
        pytest.param("cpus = 1.5", "cpus", 1.5, 2.0, marks=LIMITED),
        pytest.param('memory = "1g"', "memory_bytes", 1 << 30, 2 << 30, marks=LIMITED),
        pytest.param("pids = 100", "pids", 100, 512, marks=LIMITED),
        ('restart = "always"', "restart", "always", "no"),
        ('command = ["serve-static", "x"]', "command", ["serve-static", "x"], ["serve-static"]),
        ('image = "debug-host/node:latest"', "image", "debug-host/node:latest", ...),
        ('type = "php"\ncommand = "serve-static"', "type", "php", "static"),
        ("[env]\nNEW = \"secret\"", "env.NEW", "set", None),
        ('env_file = "v.env"', "env.V", "set", None),
        ('ca_bundle = "ca.pem"', "ca_bundle", ..., ...),
    ],
)  # fmt: skip
def test_what_was_changed_is_named(
    run: Program, project: str, site: Path, text: str, field: str, want: Any, have: Any
) -> None:
    (site / "debughost.toml").write_text(text + "\n")
    no_bundle = {"DEBUGHOST_CA_BUNDLE": None} if field == "ca_bundle" else {}
    seen = run("status", "-p", project, "--no-stats", "--json", env=no_bundle)
    assert seen.document["warnings"] == []
    drift = {d["field"]: d for d in seen.project["drift"]}
    assert field in drift, drift
    assert want in (..., drift[field]["want"])
    assert have in (..., drift[field]["have"])
    assert "secret" not in seen.out


@pytest.mark.control_groups
def test_what_flags_gave_is_no_drift_until_they_are_reset(
    run: Program, project: str, site: Path
) -> None:
    run("up", "-p", project, "-w", site, "--cpus", "1", "-e", "GIVEN=1")
    assert status(run, project, "--no-stats")["drift"] == []
    kept, reset = (
        run("up", "-p", project, "-w", site, "--dry-run", "--json", *more).project
        for more in ((), ("--reset",))
    )
    assert kept["drift"] == []
    assert {d["field"] for d in reset["drift"]} == {"cpus", "env.GIVEN"}


# Dependencies
PACKAGES: dict[str, tuple[str, str, dict[str, str]]] = {
    "node": (
        "package.json",
        '{"scripts": {"dev": "sleep 600"}, "dependencies": {"a": "file:./a.tgz"}}',
        {"package/package.json": '{"name": "a", "version": "1.0.0"}'},
    ),
    "python": ("requirements.txt", "./a-1-py3-none-any.whl", {"main.py": "pass"}),
    "php": (
        "composer.json",
        '{"require": {"a/a": "*"}, "repositories": '
        '[{"type": "path", "url": "./a"}, {"packagist.org": false}]}',
        {"a/composer.json": '{"name": "a/a", "version": "1.0.0"}'},
    ),
}
"""For each type a manifest that wants one package, and that package, beside it."""


def bring_package(folder: Path, kind: str) -> None:
    if kind == "python":
        with zipfile.ZipFile(folder / "a-1-py3-none-any.whl", "w") as wheel:
            tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr("a-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: a\nVersion: 1\n")
            wheel.writestr("a-1.dist-info/WHEEL", tags)
            wheel.writestr("a-1.dist-info/RECORD", "")
    write(folder, PACKAGES[kind][2])
    if kind == "node":
        with tarfile.open(folder / "a.tgz", "w:gz") as archive:
            archive.add(folder / "package", "package")


@pytest.mark.parametrize("kind", PACKAGES)
def test_dependencies_are_missing_then_fresh_then_stale(
    run: Program, project: str, tmp_path: Path, kind: str
) -> None:
    manifest, text, _ = PACKAGES[kind]
    folder = write(tmp_path / "w", {manifest: text})
    up = ("up", "-p", project, "-w", folder, "--type", kind, "--no-wait", "--json")
    command = ("--", "sleep", "600")
    run(*up, *command)
    run("wait", "-p", project, "--for", "exited")
    assert status(run, project, "--no-stats")["dependencies"] == "missing"
    bring_package(folder, kind)
    run(*up, *command)
    eventually(lambda: status(run, project, "--no-stats")["dependencies"] == "fresh", timeout=60)
    (folder / manifest).write_text(text + "\n")
    assert status(run, project, "--no-stats")["dependencies"] == "stale"
    (folder / manifest).write_text(text)
    assert status(run, project, "--no-stats")["dependencies"] == "fresh"


def test_what_asks_for_no_packages_has_none(run: Program, project: str, tmp_path: Path) -> None:
    run("up", "-p", project, "-w", write(tmp_path / "w", PAGE))
    assert status(run, project, "--no-stats")["dependencies"] == "none"


# Warnings
def warned(run: Program, project: str) -> dict[str, str]:
    found = run("status", "-p", project, "--json").document["warnings"]
    return {w["code"]: w["message"] for w in found}


@pytest.mark.control_groups
def test_a_project_near_its_memory_limit(run: Program, project: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "w", python("held = bytearray(110 << 20)"))
    run("up", "-p", project, "-w", folder, "-m", "128m")
    assert warned(run, project).keys() == {"NEAR_MEMORY_LIMIT"}
    run("up", "-p", project, "-w", folder, "-m", "256m")
    assert warned(run, project) == {}


@pytest.mark.docker_only
def test_a_project_that_its_cpu_limit_holds_back(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "w", python(BURN))
    run("up", "-p", project, "-w", folder, "--cpus", "0.2")
    eventually(lambda: "CPU_THROTTLED" in warned(run, project), timeout=20)
    assert project in run("status", "-p", project).err


def test_a_restart_loop(run: Program, project: str, tmp_path: Path) -> None:
    loop = ("--restart", "always", "--no-wait", "--", "sh", "-c", "sleep 0.2; exit 1")
    run("up", "-p", project, "-w", write(tmp_path / "w", PAGE), *loop)
    eventually(lambda: "RESTART_LOOP" in warned(run, project), timeout=20)
    seen = status(run, project)
    assert seen["restart_count"] >= 3
    assert run("status", "-p", project, "--check", check=False).code == 7
    run("stop", "-p", project)
    assert warned(run, project) == {}, "it is over"


# Exit codes
def test_check_makes_an_exit_code_of_the_state(
    run: Program, new_id: Callable[[], str], tmp_path: Path
) -> None:
    ready, over, missing = new_id(), new_id(), new_id()
    for project in (ready, over):
        run("up", "-p", project, "-w", write(tmp_path / "w", PAGE))
    run("stop", "-p", over)
    run("status", "-p", ready, "--check", "--json")
    run("status", "-p", over, "--check", "--json", check=7)
    run("status", "-p", ready, "-p", over, "--check", check=7)
    vain = run("status", "-p", ready, "-p", missing, "--check", "--json", check=3)
    assert vain.error["code"] == "PROJECT_NOT_FOUND"
    run("status", "-p", over)
    waiting = new_id()
    run("up", "-p", waiting, "-w", tmp_path / "w", "--no-wait", "--", "sleep", "600")
    run("status", "-p", waiting, "--check", check=7)


# Measuring
def docker_stats(eye: Eye, project: str, stop: threading.Event) -> list[float]:
    """Docker's own CPU percents of every second, until ``stop`` is set."""
    found = []
    for sample in eye.client.stats(eye.inspect(project)["Id"], decode=True, stream=True):
        now, before = sample["cpu_stats"], sample["precpu_stats"]
        if before.get("system_cpu_usage"):
            used = now["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
            whole = now["system_cpu_usage"] - before["system_cpu_usage"]
            found.append(CORE * used / whole * now["online_cpus"])
        if stop.is_set():
            return found
    raise AssertionError("it ended")


@pytest.mark.docker_only
def test_cpu_and_memory_are_what_docker_shows(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    """A program that holds 300 MiB, has read 200 MiB of files, and burns one core."""
    held = (
        "held = bytearray(300 << 20)\n"
        "open('/tmp/big', 'wb').write(bytes(200 << 20)); open('/tmp/big', 'rb').read()\n"
    )
    run("up", "-p", project, "-w", write(tmp_path / "w", python(held + BURN)))
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        shown = pool.submit(docker_stats, eye, project, stop)
        time.sleep(2)
        stats = status(run, project)["stats"]
        time.sleep(1)
        stop.set()
        percents = shown.result(30)
    # The machine is busy: what is left for the program differs from second to second.
    assert min(percents) - 0.1 * CORE <= stats["cpu_percent"] <= max(percents) + 0.1 * CORE
    assert max(percents) > 0.2 * CORE, "it did burn"
    raw = eye.client.stats(eye.inspect(project)["Id"], stream=False)["memory_stats"]
    cache = raw["stats"].get("total_inactive_file", raw["stats"].get("inactive_file", 0))
    assert stats["memory_bytes"] == pytest.approx(raw["usage"] - cache, rel=0.02)
    assert stats["memory_bytes"] == pytest.approx(315 << 20, rel=0.1)


# Bad input
@pytest.mark.parametrize(
    "words", [("--sort", "age"), ("--interval", "0"), ("--interval", "often"), ("-p", "A b")]
)
def test_bad_input_is_named(run: Program, words: tuple[str, ...]) -> None:
    failed = run("status", *words, "--json", check=2)
    assert failed.error["code"] == ("INVALID_PROJECT" if words[0] == "-p" else "USAGE")
    assert words[1] in failed.error["message"] or words[0] in failed.error["message"]
