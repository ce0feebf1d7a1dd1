"""A disk that is full, for real: an engine of the tests' own on a file system of 500 MiB."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import docker
import pytest

from . import registry
from .harness import Eye, Program, write
from .private_engine import Private, PrivateEngine, lacks, load_image
from .workspaces import PAGE

SIZE = "500m"
MIB = 1 << 20

pytestmark = pytest.mark.once  # the machine's own dockerd, as with a private engine


class SmallEngine(PrivateEngine):
    """An engine whose data has a file system of its own."""

    def start(self) -> None:
        data = self.folder / "data"
        data.mkdir()
        self.inside("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "small", data)
        super().start()

    @contextmanager
    def full(self, left: int = 0) -> Iterator[None]:
        """Nothing but ``left`` bytes fits any more, for the length of a block."""
        filler = self.folder / "data" / "filler"
        script = f"cat /dev/zero >'{filler}' 2>/dev/null; truncate -s -{left} '{filler}'"
        self.inside("sh", "-c", script)
        try:
            yield
        finally:
            self.inside("rm", "-f", filler)


@dataclass
class Small:
    """The engine, the program turned to it, and a look behind its back."""

    engine: SmallEngine
    run: Program
    eye: Eye
    image: str


@pytest.fixture(scope="module")
def small(run: Program, eye: Eye, unavailable: Callable[[str], NoReturn]) -> Iterator[Small]:
    missing = lacks()
    if missing:
        unavailable(missing)
    engine = SmallEngine(Path(tempfile.mkdtemp(prefix="dh-", dir="/var/tmp")), run)
    try:
        engine.start()
        client = docker.APIClient(base_url=engine.url, version="auto")
        ref = run.image("static")
        load_image(eye, Eye(client), ref)
        yield Small(engine, engine.program(), Eye(client), ref)
        client.close()
    finally:
        engine.end()


@pytest.fixture
def a(small: Small, tmp_path: Path) -> Iterator[Path]:
    """The workspace of a project ``a`` that runs."""
    folder = write(tmp_path / "a", PAGE)
    small.run("up", "-p", "a", "-w", folder)
    yield folder
    Private(small.engine, small.eye).clear()


def check(error: dict[str, Any]) -> None:
    """It says that the disk is full, what takes the room, and what may be given back."""
    assert error["code"] == "DISK_FULL"
    assert error["details"]["room"]["images_bytes"] > 50 * MIB
    assert "MiB" in error["hint"]
    assert "docker image prune" in error["hint"]


def test_what_runs_goes_on_and_what_is_new_leaves_nothing(small: Small, a: Path) -> None:
    before = small.eye.everything("a")
    with small.engine.full():
        check(small.run("up", "-p", "b", "-w", a, "--json", check=9).error)
        check(small.run("up", "-p", "a", "-w", a, "-e", "NEW=1", "--json", check=9).error)
        found = small.run("status", "-p", "a", "--json").project
        assert (found["state"], found["ready"]) == ("running", True)
        assert small.eye.everything("a") == before
        assert small.eye.everything("b") == ([], [])
        assert small.run("network", "ensure", "--json").document["changed"] is False
        assert small.run("exec", "-p", "a", "--", "true").code == 0


def test_what_stopped_starts_again_when_there_is_room(small: Small, a: Path) -> None:
    with small.engine.full():
        small.run("stop", "-p", "a")
        check(small.run("up", "-p", "a", "-w", a, "--json", check=9).error)
    again = small.run("up", "-p", "a", "-w", a, "--json").project
    assert (again["action"], again["ready"]) == ("started", True)


def test_removing_works_and_gives_room(small: Small, a: Path) -> None:
    small.run("up", "-p", "a", "-w", a, "--port", "4321")
    with small.engine.full():
        removed = small.run("rm", "-p", "a", "--json")
        assert removed.project["action"] == "removed"
    assert small.eye.containers("a") == []


def test_a_build(small: Small) -> None:
    with small.engine.full():
        args = ("images", "build", "static", "--base", small.image, "--no-cache", "--json")
        check(small.run(*args, check=9).error)


def test_a_pull(small: Small, a: Path, unavailable: Callable[[str], NoReturn]) -> None:
    missing = registry.lacks()
    if missing:
        unavailable(missing)
    with registry.registry(small.run.prefix) as port:
        ref = f"127.0.0.1:{port}/noise/noise:1"
        registry.push_noise(small.eye.client, ref, 20 * MIB)
        with small.engine.full(left=5 * MIB):
            check(small.run("up", "-p", "b", "-w", a, "--image", ref, "--json", check=9).error)
    assert small.eye.everything("b") == ([], [])


def test_a_write_in_the_container(small: Small, a: Path) -> None:
    hog = ("--", "sh", "-c", "cat /dev/zero >/var/tmp/big")
    failed = small.run("up", "-p", "hog", "-w", a, "--type", "static", "--json", *hog, check=9)
    check(failed.error)
    assert "debughost rm" in failed.error["hint"]
    assert failed.error["details"]["exit_code"] == 1
    small.run("rm", "-p", "hog")
    assert small.run("status", "-p", "a", "--json").project["ready"] is True


def test_an_install(small: Small, tmp_path: Path) -> None:
    """Its package manager is a script that writes a package as large as what it is to install."""
    lock = {"package.json": '{"scripts": {"dev": "serve-static"}}', "package-lock.json": "{}"}
    npm = "#!/bin/sh\nexec dd if=/dev/zero of=node_modules/package bs=1M count=900\n"
    folder = write(tmp_path / "n", {**lock, "index.html": "x", "bin/npm": npm})
    (folder / "bin/npm").chmod(0o755)
    args = ("up", "-p", "n", "-w", folder, "--type", "node", "--image", small.image, "--json")
    failed = small.run(*args, "-e", "PATH=/app/bin:/usr/local/bin:/usr/bin:/bin", check=9)
    check(failed.error)
    small.run("rm", "-p", "n", "--volumes")
    assert small.eye.everything("n") == ([], [])
