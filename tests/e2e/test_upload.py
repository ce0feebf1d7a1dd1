"""A workspace on an engine that does not see this machine's files: it is uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness import Eye, write
from .lab import Host, Lab
from .workspaces import PAGE

VOLUME = "debug-host-shop-app"


@pytest.fixture
def far(lab: Lab) -> Host:
    host = lab.host("a")
    host.load("static")
    return host


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    write(folder, PAGE)
    return folder


def in_container(eye: Eye, *command: str) -> bytes:
    (found,) = eye.client.containers(filters={"label": "debug-host.project=shop"})
    made = eye.client.exec_create(found["Id"], list(command))
    return bytes(eye.client.exec_start(made))


def test_what_changes_here_is_there_after_the_next_up(lab: Lab, far: Host, shop: Path) -> None:
    (shop / "old" / "inner").mkdir(parents=True)
    (shop / "old" / "inner" / "file").write_text("old")
    first = lab.client("up", "-w", shop, "--json", env=far.tls)
    assert first.project["sync"] == {"state": "current", "files": 0}
    assert in_container(far.eye, "cat", "/app/index.html") == b"<h1>hello</h1>\n"
    assert in_container(far.eye, "stat", "-c", "%u", "/app", "/app/index.html") == b"12345\n12345\n"
    again = lab.client("up", "-w", shop, "--json", env=far.tls)
    assert (again.project["action"], again.document["changed"]) == ("unchanged", False)
    in_container(far.eye, "sh", "-c", "echo own >/app/own; echo own >/app/old/own")
    (shop / "index.html").write_text("changed")
    (shop / "new").symlink_to("index.html")
    (shop / "old" / "inner" / "file").unlink()
    (shop / "old" / "inner").rmdir()
    stale = lab.client("status", "--json", env=far.tls)
    assert stale.project["sync"] == {"state": "stale", "files": 3}
    assert b"shop: workspace: stale (3 files)" in lab.client("status", env=far.tls).stdout
    third = lab.client("up", "-w", shop, "--json", env=far.tls)
    assert (third.project["action"], third.document["changed"]) == ("unchanged", True)
    assert in_container(far.eye, "cat", "/app/new") == b"changed"
    found = in_container(far.eye, "find", "/app", "-not", "-path", "*/.debughost*").split()
    assert sorted(found) == [
        b"/app", b"/app/index.html", b"/app/new", b"/app/old", b"/app/old/own", b"/app/own",
    ]  # fmt: skip
    current = lab.client("status", "--json", env=far.tls)
    assert current.project["sync"] == {"state": "current", "files": 0}
