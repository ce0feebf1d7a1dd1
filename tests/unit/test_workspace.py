"""Which folders may be handed to a container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from debughost_cli.errors import InvalidWorkspace
from debughost_cli.workspace import check_workspace, make_mountpoint, owner, remove_mountpoint


def refused(path):
    with pytest.raises(InvalidWorkspace) as caught:
        check_workspace(Path(path))
    assert caught.value.hint
    assert "workspace" in caught.value.details
    return caught.value


def test_a_folder_is_returned_with_its_links_resolved(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "link").symlink_to("shop")
    (tmp_path / "shop/sub").mkdir()
    assert check_workspace(tmp_path / "link") == (tmp_path / "shop").resolve()
    assert check_workspace(tmp_path / "shop/sub/..") == (tmp_path / "shop").resolve()


def test_a_relative_folder(tmp_path, monkeypatch):
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    assert check_workspace(Path()) == (tmp_path / "shop").resolve()


def test_the_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "shop").mkdir()
    assert check_workspace(Path("~/shop")) == (tmp_path / "shop").resolve()


@pytest.mark.parametrize(
    "name",
    [
        "odd name with spaces",
        "ümlaut-Ω-文",
        "a'b\"c",
        "$(touch x)",
        "comma,colon:semi;",
        "-leading",
        "new\nline",
    ],
)
def test_any_name_may_be_a_folders(tmp_path, name):
    (tmp_path / name).mkdir()
    assert check_workspace(tmp_path / name).name == name


def test_a_folder_that_is_missing(tmp_path):
    error = refused(tmp_path / "none")
    assert "none" in error.message


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    error = refused(tmp_path / "file")
    assert str(tmp_path) in error.hint


def test_links_that_lead_nowhere_or_in_a_circle(tmp_path):
    (tmp_path / "dead").symlink_to("none")
    (tmp_path / "loop").symlink_to("loop")
    refused(tmp_path / "dead")
    refused(tmp_path / "loop")


@pytest.mark.parametrize("text", ["nul\0byte", "x" * 5000, "~nobody-of-that-name/x"])
def test_paths_that_no_system_takes(text):
    refused(text)


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "/etc/ssl", "/home", "/usr", "/var", "/var/lib", "/tmp", "/proc", "/proc/1",
     "/sys", "/dev", "/root", "/opt", "/..", "//", "/tmp/.."],
)  # fmt: skip
def test_folders_of_the_system_are_refused(path):
    refused(path)


def test_a_home_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    refused(tmp_path)


def test_a_link_to_a_folder_of_the_system_is_refused(tmp_path):
    (tmp_path / "innocent").symlink_to("/etc")
    refused(tmp_path / "innocent")


def test_dots_to_a_folder_of_the_system_are_refused(tmp_path):
    refused(tmp_path / ("../" * 40) / "etc")


# The mount point


def test_a_mount_point_is_made_once_with_the_workspaces_owner(tmp_path):
    if os.geteuid() == 0:
        os.chown(tmp_path, 1234, 1235)
    made = tmp_path / "node_modules"
    assert make_mountpoint(made, tmp_path)
    assert owner(made) == owner(tmp_path)
    assert not make_mountpoint(made, tmp_path)


def test_a_file_in_the_place_of_a_mount_point_is_left_alone(tmp_path):
    (tmp_path / "vendor").write_text("mine")
    assert not make_mountpoint(tmp_path / "vendor", tmp_path)
    assert (tmp_path / "vendor").read_text() == "mine"


@pytest.mark.parametrize("gone", ["none", "file/inside"])
def test_a_mount_point_that_cannot_be_made_is_an_error_of_ours(tmp_path, gone):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidWorkspace):
        make_mountpoint(tmp_path / gone / "vendor", tmp_path)


def test_a_workspace_that_went_away_is_an_error_of_ours(tmp_path):
    with pytest.raises(InvalidWorkspace):
        owner(tmp_path / "none")


def test_a_mount_point_is_taken_away_only_while_it_is_empty(tmp_path):
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "mine").write_text("")
    for path in (empty, full, tmp_path / "none"):
        remove_mountpoint(path)
    assert not empty.exists()
    assert (full / "mine").exists()
