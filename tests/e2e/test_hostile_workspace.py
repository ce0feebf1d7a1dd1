"""A workspace that tries to reach what is outside of it, on a real engine."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from certificates import PEM

from .harness import Eye, Program, eventually, write
from .workspaces import PAGE, python

SENTINEL = "a key of the host"
UID = 12345
SHOW = """\
command = "echo $(cat /app/key); exec sleep 1000"
type = "static"
restart = "always"
"""
"""Prints what is at /app at every start."""


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder of the host that no container was given."""
    return write(tmp_path / "secrets", {"key": SENTINEL})


def restart_by_engine(eye: Eye, project: str) -> None:
    """As its restart policy does, without the program."""
    eye.client.restart(eye.inspect(project)["Id"], timeout=1)


def logs(eye: Eye, project: str) -> str:
    return str(eye.client.logs(eye.inspect(project)["Id"]).decode())


def test_a_certificate_file_that_is_replaced_later_shows_no_other_file(
    run: Program, eye: Eye, project: str, tmp_path: Path, secrets: Path
) -> None:
    settings = 'ca_bundle = "ca.pem"\nrestart = "always"\n'
    folder = write(tmp_path / "site", {**PAGE, "ca.pem": PEM, "debughost.toml": settings})
    run("up", "-p", project, "-w", folder, env={"DEBUGHOST_CA_BUNDLE": None})
    (folder / "ca.pem").rename(folder / "aside.pem")
    (folder / "ca.pem").symlink_to(secrets / "key")
    restart_by_engine(eye, project)
    eventually(lambda: eye.inspect(project)["State"]["Running"])
    shown = eye.exec(project, "sh", "-c", "cat $SSL_CERT_FILE; cat /app/ca.pem; id -u")[1]
    assert PEM in shown
    assert SENTINEL not in shown
    assert eye.exec(project, "stat", "-c", "%u %a", "/.debughost/ca-bundle.pem") == (0, "0 444\n")
    refused = run("restart", "-p", project, "--json", check=2, env={"DEBUGHOST_CA_BUNDLE": None})
    assert refused.error["code"] == "INVALID_CONFIG"


def is_never_restarted(eye: Eye, project: str) -> bool:
    """From now on. The engine refuses it for a moment between two runs."""
    with suppress(docker.errors.APIError):
        eye.client.update_container(eye.inspect(project)["Id"], restart_policy={"Name": "no"})
        return True
    return False


@pytest.mark.same_machine("what is mounted is replaced")
def test_a_folder_that_is_replaced_is_not_shown_at_the_next_start(
    run: Program, eye: Eye, project: str, tmp_path: Path, secrets: Path
) -> None:
    """Who can write the folder around the workspace can put a link in its place."""
    folder = write(tmp_path / "outer" / "inner", {"debughost.toml": SHOW, "key": "its own"})
    run("up", "-p", project, "-w", folder, "--no-wait")
    eventually(lambda: "its own" in logs(eye, project))
    folder.rename(tmp_path / "outer" / "aside")
    folder.symlink_to(secrets)
    restart_by_engine(eye, project)
    eventually(lambda: "nothing is started" in logs(eye, project))
    assert SENTINEL not in logs(eye, project)
    # A stop might come while the launcher runs, and would then be what ended it.
    eventually(lambda: is_never_restarted(eye, project))
    eventually(lambda: eye.inspect(project)["State"]["Status"] == "exited")
    seen = run("status", "-p", project, "--no-stats", "--json").project
    assert seen["exit"]["reason"] == "never_started"
    assert "another folder" in seen["exit"]["message"]
    words = ("--type", "static", "--", "cat", "key")
    conflict = run("up", "-p", project, "-w", folder, "--json", *words, check=5)
    assert conflict.error["code"] == "WORKSPACE_CONFLICT"


@pytest.mark.same_machine("what is mounted is replaced")
def test_a_folder_that_the_user_replaced_is_mounted_again(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    """A container goes on seeing the folder that it was created with, even if that is gone."""
    folder = write(tmp_path / "site", {"debughost.toml": SHOW, "key": "its first"})
    run("up", "-p", project, "-w", folder, "--no-wait")
    folder.rename(tmp_path / "aside")
    write(folder, {"debughost.toml": SHOW, "key": "its second"})
    again = run("up", "-p", project, "-w", folder, "--no-wait", "--json").project
    assert again["action"] == "recreated"
    eventually(lambda: "its second" in logs(eye, project))


def test_a_program_cannot_replace_its_launcher(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "site", python())
    for path in (folder, *folder.rglob("*")):
        os.chown(path, UID, UID)
    run("up", "-p", project, "-w", folder)
    tries = """\
id -u
mv /.debughost /old
rm -f /.debughost/launch
ln -sf /app/run /.debughost/launch
mkdir /.debughost/run/x && mv /.debughost/run/x /.debughost/launch
chmod 777 /.debughost
echo exit >/.debughost/workspace
ls -ld /.debughost | cut -c 1-10"""
    code, shown = eye.exec(project, "sh", "-c", f"({tries}) 2>/dev/null")
    assert (code, shown) == (0, f"{UID}\ndrwxr-xr-x\n")
    run("stop", "-p", project)
    again = run("up", "-p", project, "-w", folder, "--json").project
    assert (again["action"], again["ready"]) == ("started", True)
