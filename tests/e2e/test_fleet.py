"""Several real engines: all asked at once, and a project that goes from one to another."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .harness import write
from .lab import Host, Lab
from .private_engine import load_image
from .workspaces import PAGE

APP = "debug-host-shop-app"
LABELS = ["debug-host.project=shop", "debug-host.role=main"]


@pytest.fixture
def hosts(lab: Lab) -> tuple[Host, Host]:
    made = lab.host("a"), lab.host("b")
    for host in made:
        host.load("static")
    return made


@pytest.fixture
def own(lab: Lab, hosts: tuple[Host, Host], tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables of a user whose file names both hosts, by ssh, and two that do not answer."""
    a, b = hosts
    mute = tmp_path / "mute.sock"
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(mute))
        listening.listen()
        file = tmp_path / "config" / "debughost" / "config.toml"
        file.parent.mkdir(parents=True)
        file.write_text(
            f"[engines]\na = '{a.ssh_url}'\nb = '{b.ssh_url}'\nlocal = '{a.unix_url}'\n"
            f"mute = 'unix://{mute}'\nrefused = 'unix://{tmp_path}/none.sock'\n"
        )
        yield {"XDG_CONFIG_HOME": str(file.parents[1]), "DOCKER_HOST": a.ssh_url}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    write(folder, PAGE)
    return folder


def projects(host: Host) -> set[str]:
    found = host.eye.client.containers(all=True)
    return {c["Labels"].get("debug-host.project", "") for c in found}


def volumes(host: Host) -> set[str]:
    return {v["Name"] for v in host.eye.client.volumes()["Volumes"] or ()}


def in_container(host: Host, *command: str) -> bytes:
    (found,) = host.eye.client.containers(filters={"label": LABELS})
    made = host.eye.client.exec_create(found["Id"], list(command))
    return bytes(host.eye.client.exec_start(made))


def test_five_engines_of_which_two_do_not_answer(lab: Lab, own: dict[str, str], shop: Path) -> None:
    lab.client("up", "-w", shop, "--engine", "b", env=own)
    seen = lab.client("status", "--all-engines", "--json", env=own, check=8).document
    assert seen["duration_ms"] < 3500
    (found,) = seen["data"]["projects"]
    assert (found["project"], found["engine"]) == ("shop", "b")
    assert found["stats"]["memory_bytes"] > 0
    answers = {e["name"]: e["ok"] for e in seen["data"]["engines"]}
    assert answers == {"a": True, "b": True, "local": True, "mute": False, "refused": False}
    stopped = lab.client("stop", "shop", "--json", env=own).document
    assert stopped["data"]["projects"][0]["engine"] == "b"
    gone = lab.client("rm", "shop", "--volumes", "--all-engines", "--json", env=own, check=8)
    assert gone.document["data"]["projects"][0]["action"] == "removed"


def test_a_project_is_moved_with_its_data_and_what_it_wrote(
    lab: Lab, hosts: tuple[Host, Host], own: dict[str, str], shop: Path, redis_image: str
) -> None:
    a, b = hosts
    for host in hosts:
        load_image(lab.source, host.eye, redis_image)
    (shop / "debughost.toml").write_text(f"[services.redis]\nimage = '{redis_image}'\n")
    lab.client("up", "-w", shop, "--memory", "300m", env=own)
    in_container(a, "sh", "-c", "echo written >/app/there")
    lab.client("exec", "-p", "shop", "--service", "redis", "redis-cli", "set", "k", "v", env=own)
    lab.client("exec", "-p", "shop", "--service", "redis", "redis-cli", "save", env=own)
    moved = lab.client("move", "-p", "shop", "--to", "b", "--data", "--json", env=own)
    assert (moved.project["engine"], moved.project["ready"]) == ("b", True)
    assert projects(a) == set()
    assert not any("shop" in name for name in volumes(a))
    assert in_container(b, "cat", "/app/there", "/app/index.html").startswith(b"written\n<h1>")
    value = lab.client(
        "exec", "-p", "shop", "--service", "redis", "redis-cli", "get", "k", env=own
    ).stdout
    assert value == b"v\n"
    assert "--memory 300m" in " ".join(moved.project["flags"])


@pytest.mark.parametrize("end", ["crash", "interrupt"])
def test_a_move_that_is_cut_off_leaves_the_project_where_it_was(
    lab: Lab, hosts: tuple[Host, Host], own: dict[str, str], shop: Path, end: str
) -> None:
    _, b = hosts
    lab.client("up", "-w", shop, env=own)
    (shop / "big").write_bytes(os.urandom(5_000_000))
    moving = lab.client.start("move", "-p", "shop", "--to", "b", env=own)
    assert moving.stderr
    assert any(line.startswith(b"Bringing up") for line in moving.stderr)
    if end == "crash":
        b.crash()
    else:
        moving.send_signal(signal.SIGINT)
    moving.communicate(timeout=90)
    assert moving.returncode != 0
    if end == "crash":
        b.start()
        lab.client("rm", "shop", "--volumes", "--engine", "b", "--if-exists", env=own)
    assert lab.client("status", "shop", "--json", env=own).project["state"] == "running"
    assert "shop" not in projects(b)
    assert APP not in volumes(b)
