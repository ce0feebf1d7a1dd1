"""Bad input: a code, an exit code and a way out, before anything is made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .harness import UPLOADED, Eye, Program, eventually, free_port, listener, listing, write
from .workspaces import PAGE

pytestmark = pytest.mark.once  # what is wrong with an input does not depend on the engine

LONG = {"-m": ("--memory",), "-e": ("--env",)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "site", PAGE)


def refused(
    run: Program, eye: Eye, project: str, *args: str | Path, code: str, exit_code: int = 2
) -> dict[str, Any]:
    """The error of an ``up`` that fails and leaves nothing behind, shown to people as well."""
    failed = run("up", "-p", project, *args, "--json", check=exit_code)
    assert failed.error["code"] == code
    assert failed.document["changed"] is False
    assert eye.everything(project) == ([], [])
    return failed.error


def test_people_read_what_happened_and_the_way_out(
    run: Program, project: str, tmp_path: Path
) -> None:
    failed = run("up", "-p", project, "-w", tmp_path / "missing", check=2)
    assert failed.out == ""
    assert "[INVALID_WORKSPACE]" in failed.err
    assert "Hint: " in failed.err


def test_workspaces_that_are_none(run: Program, eye: Eye, project: str, tmp_path: Path) -> None:
    write(tmp_path, {"file": "x"})
    for wrong in ("missing", "file", "a\nb"):
        refused(run, eye, project, "-w", tmp_path / wrong, code="INVALID_WORKSPACE")
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("wrong", ["/", "~", "/etc", "/usr", "/proc", "/tmp/.."])
def test_workspaces_that_hold_more_than_a_project(
    run: Program, eye: Eye, project: str, wrong: str
) -> None:
    place = os.path.expanduser(wrong)  # noqa: PTH111 - pathlib would tidy up what is tested
    refused(run, eye, project, "-w", place, "--type", "static", code="INVALID_WORKSPACE")


def test_a_link_to_such_a_workspace(run: Program, eye: Eye, project: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    given = ("-w", tmp_path / "link", "--type", "static")
    refused(run, eye, project, *given, code="INVALID_WORKSPACE")


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_stands_where_packages_belong_is_left_as_it_is(
    run: Program, eye: Eye, project: str, tmp_path: Path, kind: str
) -> None:
    """The engine would take it away to mount the volume there."""
    folder = write(tmp_path / "n", {"package.json": '{"scripts": {"dev": "node ."}}', "own/x": ""})
    place = folder / "node_modules"
    place.write_text("mine") if kind == "file" else place.symlink_to("own")
    before = listing(folder)
    error = refused(run, eye, project, "-w", folder, code="INVALID_WORKSPACE")
    assert str(place) in str(error["message"])
    assert listing(folder) == before


def test_a_folder_with_nothing_in_it(run: Program, eye: Eye, project: str, tmp_path: Path) -> None:
    empty = write(tmp_path / "empty", {})
    error = refused(run, eye, project, "-w", empty, code="TYPE_UNKNOWN")
    assert "--type" in str(error["hint"])
    refused(run, eye, project, "-w", empty, "--type", "cobol", code="TYPE_UNKNOWN")
    assert listing(empty).keys() == {"."}


@pytest.mark.parametrize("wrong", ["Shop", "a b", "", "a" * 64, "../x", "-a", "café", "a\n", "a.b"])
def test_ids_that_are_none(run: Program, folder: Path, wrong: str) -> None:
    for command in (("up", "-w", str(folder)), ("stop",), ("logs",)):
        failed = run(*command, f"--project={wrong}", "--json", check=2)
        assert failed.error["code"] == "INVALID_PROJECT", command
    assert failed.document["changed"] is False


def test_the_longest_id_works(run: Program, eye: Eye, project: str, folder: Path) -> None:
    longest = project + "x" * (63 - len(project))
    try:
        run("up", "-p", longest, "-w", folder)
    finally:
        eye.remove(longest)


@pytest.mark.parametrize("wrong", ["80", "65536", "abc", "2601", "2650", "2699", "-1", "0", "3e3"])
def test_ports_that_are_none(
    run: Program, eye: Eye, project: str, folder: Path, wrong: str
) -> None:
    refused(run, eye, project, "-w", folder, "--port", wrong, code="INVALID_PORT")


def test_a_port_that_a_process_holds(run: Program, eye: Eye, project: str, folder: Path) -> None:
    with listener() as port:
        error = refused(
            run, eye, project, "-w", folder, "--port", str(port), code="PORT_IN_USE", exit_code=5
        )
    details = error["details"]
    assert isinstance(details, dict)
    assert details["port"] == port
    assert details["holder"]["kind"] == "process"
    # What holds a port of another machine is not to be seen from here.
    seen = "that the engine saw" if UPLOADED else str(os.getpid())
    assert seen in details["holder"]["name"]
    assert seen in str(error["message"])
    assert details["next_free"] in range(port + 1, port + 1000)
    assert str(details["next_free"]) in str(error["hint"])


def test_a_port_that_another_project_holds_even_stopped(
    run: Program, eye: Eye, new_id: Callable[[], str], folder: Path, tmp_path: Path
) -> None:
    first, second = new_id(), new_id()
    port = str(free_port(20000, 30000))
    run("up", "-p", first, "-w", folder, "--port", port)
    other = write(tmp_path / "other", PAGE)
    for _ in range(2):
        error = refused(
            run, eye, second, "-w", other, "--port", port, code="PORT_IN_USE", exit_code=5
        )
        assert first in str(error["message"])
        run("stop", "-p", first)


def test_a_port_that_is_taken_is_passed_over_unless_requested(
    run: Program, eye: Eye, project: str, folder: Path
) -> None:
    first = run("up", "-p", project, "-w", folder, "--json").project["port"]
    run("rm", "-p", project)
    with listener(first):
        second = run("up", "-p", project, "-w", folder, "--json")
    assert second.project["port"] != first
    assert second.project["port"] in range(4000, 5000)


def test_an_image_that_is_not_to_be_had(run: Program, eye: Eye, project: str, folder: Path) -> None:
    image = "127.0.0.1:9/no/such:image"
    error = refused(
        run, eye, project, "-w", folder, "--image", image, code="IMAGE_NOT_FOUND", exit_code=3
    )
    assert image in str(error["message"])
    assert error["details"] == error["details"] | {"reason": "registry_unreachable"}
    never = ("--image", "no-such-image:of-anybody", "--pull", "never")
    refused(run, eye, project, "-w", folder, *never, code="IMAGE_NOT_FOUND", exit_code=3)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--cpus", "many"), ("--cpus", "0"), ("--cpus", "nan"), ("-m", "1k"), ("-m", "lots"),
        ("--restart", "sometimes"), ("-e", "=x"), ("--env-file", "/no/such/file"),
        ("--wait-timeout", "-1"), ("--pull", "maybe"), ("--no-such-option",),
    ],
)  # fmt: skip
def test_options_that_make_no_sense(
    run: Program, eye: Eye, project: str, folder: Path, wrong: tuple[str, ...]
) -> None:
    error = refused(run, eye, project, "-w", folder, *wrong, code="USAGE")
    said = f"{error['message']} {error['hint']}"
    assert any(name in said for name in (*wrong, *LONG.get(wrong[0], ()))), said


def test_ca_bundles_that_are_none(
    run: Program, eye: Eye, project: str, folder: Path, tmp_path: Path
) -> None:
    missing = {"DEBUGHOST_CA_BUNDLE": str(tmp_path / "missing.pem")}
    failed = run("up", "-p", project, "-w", folder, "--json", check=2, env=missing)
    assert failed.error["code"] == "INVALID_CONFIG"
    assert "missing.pem" in failed.error["message"]
    assert eye.everything(project) == ([], [])


@pytest.mark.parametrize(
    "args", [("no-such-command",), ("stop", "--all", "-p", "a"), ("logs", "-n", "x"), ("up", "-p")]
)
def test_wrong_use_is_json_as_well(run: Program, args: tuple[str, ...]) -> None:
    for words in (("--json", *args), (*args[:1], "--json", *args[1:])):
        failed = run(*words, check=2)
        assert failed.error["code"] == "USAGE"
    plain = run(*args, check=2)
    assert plain.out == ""
    assert "[USAGE]" in plain.err


def test_a_volume_of_another_user_is_not_used(
    run: Program, eye: Eye, project: str, tmp_path: Path
) -> None:
    name = f"debug-host-{project}-node_modules"
    eye.client.create_volume(name)
    try:
        folder = write(tmp_path / "n", {"package.json": '{"scripts": {"dev": "node ."}}'})
        failed = run("up", "-p", project, "-w", folder, "--json", check=5)
        assert failed.error["code"] == "NAME_CONFLICT"
        assert name in failed.error["message"]
        assert eye.everything(project) == ([], [])
        assert not (folder / "node_modules").exists()
    finally:
        eventually(lambda: not eye.containers(project))
        eye.client.remove_volume(name)
