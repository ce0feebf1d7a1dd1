"""What containers print and others write on labels: shown, never obeyed, never taken for ours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from .harness import Program, write
from .private_engine import Private
from .terminals import at_terminal, is_tame
from .workspaces import PAGE

LOUD = (
    "printf '\\033[2J\\033]0;pwned\\a\\233\\302\\23331m%s\\n' over; "
    "printf 'a\\rb\\bc\\000d\\377\\n' >&2; exit 3"
)
"""A shell command whose output clears the screen, names the window, and more."""


def test_output_of_a_container_is_shown_and_not_obeyed(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "site", PAGE)
    args = ("up", "-p", project, "-w", folder)
    failed = run(*args, "--json", "--", "sh", "-c", LOUD, check=7)
    assert failed.out.isascii()
    (loud, *_) = [line for line in failed.error["details"]["log_tail"] if "over" in line]
    assert loud.startswith("\\x1b[2J\\x1b]0;pwned\\x07")
    plain = run(*args, "--", "sh", "-c", LOUD, check=7)
    assert "\\x1b[2J\\x1b]0;pwned\\x07" in plain.err
    assert is_tame(plain.stderr)
    for look in (("status", "-p", project), (*args, "--", "sh", "-c", LOUD),
                 ("wait", "-p", project, "--for", "ready", "--timeout", "3")):  # fmt: skip
        assert is_tame(at_terminal(run, *look)), look
    status = run("status", "-p", project, "--json")
    assert status.project["exit"]["log_tail"]
    assert status.out.isascii()


def test_a_command_that_is_not_there_is_named_and_not_obeyed(
    run: Program, project: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "site", PAGE)
    failed = run(
        "up", "-p", project, "-w", folder, "--", "\x1b[2J\x1b]0;pwned\x07\x9b31m\nError: x", check=7
    )
    assert is_tame(failed.stderr)
    assert is_tame(at_terminal(run, "status", "-p", project))
    status = run("status", "-p", project)
    # The heading, the project, and why it ended; what helps.
    assert (len(status.out.splitlines()), len(status.stderr.splitlines())) == (3, 1)


HOSTILE = "\x1b[2J\nfake  running\t\u202e'$(touch PWNED)"


def labelled(private: Private, labels: Mapping[str, str], name: str) -> str:
    """A running container that somebody else made with labels like ours."""
    client = private.eye.client
    (image, *_) = [i["Id"] for i in client.images() if "debug-host/static" in str(i["RepoTags"])]
    made = client.create_container(
        image, ["sleep", "1000"], entrypoint=[], name=name,
        labels={"debug-host.managed": "true"} | dict(labels),
    )  # fmt: skip
    client.start(made["Id"])
    return made["Id"]


def test_labels_of_others_drive_nothing(private: Private, tmp_path: Path) -> None:
    kinds = ("type", "workspace", "port", "created", "version", "config-hash", "flags", "maker",
             "install", "mountpoint")  # fmt: skip
    odd = {f"debug-host.{kind}": HOSTILE for kind in kinds}
    labelled(private, odd | {"debug-host.project": "odd"}, "debug-host-odd-1")
    private.run("up", "-p", "good", "-w", write(tmp_path / "good", PAGE))
    found = private.run("status", "--json")
    assert [p["project"] for p in found.data["projects"]] == ["good", "odd"]
    assert found.out.isascii()
    plain = private.run("status")
    assert [line.split()[0] for line in plain.out.splitlines()[:3]] == ["PROJECT", "good", "odd"]
    for args in (("status",), ("up", "-p", "odd"), ("restart", "-p", "odd")):
        assert is_tame(private.run(*args, check=False).stderr), args
    assert is_tame(at_terminal(private.run, "status"))
    private.run("rm", "--all", "--yes", "-t", "1")


@pytest.mark.parametrize("project", [HOSTILE, "../../x", "", "x" * 10_000, "Shop"])
def test_what_has_no_id_of_ours_is_another_users(private: Private, project: str) -> None:
    theirs = labelled(private, {"debug-host.project": project}, "debug-host-theirs-1")
    before = private.eye.client.inspect_container(theirs)
    assert private.run("status", "--json").data["projects"] == []
    for args in (
        ("stop", "--all"),
        ("rm", "--all", "--yes"),
        ("rm", "--orphans"),
        ("restart", "--all"),
    ):
        assert private.run(*args, "--json").data["projects"] == []
    after = private.eye.client.inspect_container(theirs)
    assert after["State"] == before["State"]


def test_another_users_things_under_our_names_stay_as_they_are(
    private: Private, tmp_path: Path
) -> None:
    client = private.eye.client
    (image, *_) = [i["Id"] for i in client.images() if "debug-host/static" in str(i["RepoTags"])]
    name = "debug-host-shop-20261123T101500123Z"
    made = client.create_container(image, ["sleep", "1000"], entrypoint=[], name=name)
    client.start(made["Id"])
    for volume in ("debug-host-shop-node_modules", "debug-host-shop-port", "debug-host-cache"):
        client.create_volume(volume)
    before = private.world()
    node = write(tmp_path / "n", {"package.json": '{"scripts": {"dev": "node ."}}'})
    up = ("up", "-p", "shop", "-w", node, "--image", image, "--json")
    assert private.run(*up, check=5).error["code"] == "NAME_CONFLICT"
    site = write(tmp_path / "site", PAGE)
    private.run("up", "-p", "shop", "-w", site)
    private.run("rm", "-p", "shop")
    for args in (("stop", "-p", "shop"), ("rm", "-p", "shop", "--volumes"), ("logs", "-p", "shop")):
        assert private.run(*args, "--json", check=3).error["code"] == "PROJECT_NOT_FOUND"
    for args in (("rm", "--all", "--volumes"), ("volumes", "prune", "--all")):
        private.run(*args, "--yes")
    assert {k: set(v) for k, v in zip("cv", private.world(), strict=False)} == {
        k: set(v) for k, v in zip("cv", before, strict=False)
    }


def test_events_of_others_drive_nothing(private: Private) -> None:
    process = private.run.start("events")
    try:
        time.sleep(1)
        labelled(private, {"debug-host.project": HOSTILE}, "debug-host-theirs-2")
        labelled(private, {"debug-host.project": "fine", "debug-host.type": HOSTILE}, "x3")
        assert process.stdout
        line = process.stdout.readline()
    finally:
        process.terminate()
        rest, errors = process.communicate(timeout=20)
    assert b"fine  started" in line
    assert is_tame(line + rest + errors)
    assert b"fake" not in line + rest
