"""Which folders may be mounted into a container."""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from debughost_cli.errors import InvalidWorkspace
from debughost_cli.project.unsafe_mounts import unsafe_mount_reason
from debughost_cli.project.workspace import (
    check_mountpoint,
    check_workspace,
    identity_of,
    is_roots_and_open,
    make_mountpoint,
    owner_of,
    remove_mountpoint,
)


def refused(path: Any, allowed: Any = None) -> Any:
    with pytest.raises(InvalidWorkspace) as caught:
        check_workspace(Path(path), allowed)
    assert caught.value.hint
    assert "workspace" in caught.value.details
    return caught.value


def test_a_folder_is_returned_with_its_links_resolved(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "link").symlink_to("shop")
    (tmp_path / "shop/sub").mkdir()
    assert check_workspace(tmp_path / "link") == (tmp_path / "shop").resolve()
    assert check_workspace(tmp_path / "shop/sub/..") == (tmp_path / "shop").resolve()


def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    assert check_workspace(Path()) == (tmp_path / "shop").resolve()


def test_the_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert check_workspace(tmp_path / name).name == name


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    error = refused(tmp_path / "none")
    assert "none" in error.message


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = refused(tmp_path / "file")
    assert str(tmp_path) in error.hint


def test_broken_links_and_loops(tmp_path: Path) -> None:
    (tmp_path / "dead").symlink_to("none")
    (tmp_path / "loop").symlink_to("loop")
    refused(tmp_path / "dead")
    refused(tmp_path / "loop")


@pytest.mark.parametrize("text", ["nul\0byte", "x" * 5000, "~nobody-of-that-name/x"])
def test_paths_that_no_system_accepts(text: str) -> None:
    refused(text)


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "/etc/ssl", "/home", "/usr", "/var", "/var/lib", "/tmp", "/proc", "/proc/1",
     "/sys", "/dev", "/root", "/opt", "/..", "//", "/tmp/..", "/bin", "/usr/lib", "/usr/sbin",
     "/run", "/var/run", "/var/tmp", "/var/log", "/proc/self/root", "/proc/self/root/etc"],
)  # fmt: skip
def test_folders_of_the_system_are_refused(path: str) -> None:
    refused(path)


def test_a_home_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    refused(tmp_path)


def test_a_link_to_a_folder_of_the_system_is_refused(tmp_path: Path) -> None:
    (tmp_path / "innocent").symlink_to("/etc")
    refused(tmp_path / "innocent")


def test_dots_to_a_folder_of_the_system_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / ("../" * 40) / "etc")


@pytest.mark.parametrize("keys", [".ssh", ".docker", ".gnupg/private-keys-v1.d"])
def test_folders_of_keys_are_refused(tmp_path: Path, keys: str) -> None:
    (tmp_path / keys).mkdir(parents=True)
    assert "keys" in refused(tmp_path / keys).message


@pytest.mark.parametrize("file", ["volumes/metadata.db", "storage.lock"])
def test_the_data_of_an_engine_is_refused_anywhere(tmp_path: Path, file: str) -> None:
    (tmp_path / "data/volumes/shop/_data").mkdir(parents=True)
    (tmp_path / "data" / file).write_bytes(b"")
    for place in ("data", "data/volumes", "data/volumes/shop/_data"):
        assert "engine" in refused(tmp_path / place).message
    assert "contains an engine's data" in refused(tmp_path).message


@pytest.mark.parametrize(
    "path",
    ["/usr/local/bin", "/usr/local/lib/x", "/usr/local/sbin", "/usr/include", "/var/lib/dpkg/info",
     "/var/lib/systemd", "/var/backups", "/var/mail/me", "/lost+found", "/mnt/disk/lost+found",
     "/var/log/app", "/var/lib/apt/lists", "/home/me/.config", "/home/me/.config/gh",
     "/home/me/.config/autostart/x", "/home/me/.local/bin", "/home/me/.password-store/x",
     "/home/me/.local", "/home/me/.local/share", "/Users/me/Library/LaunchAgents", "/root/.config",
     "/home/me/.anything", "/home/me/bin", "/home/me/.local/share/keyrings"],
)  # fmt: skip
def test_folders_of_programs_and_of_accounts_are_unsafe(path: str) -> None:
    assert unsafe_mount_reason(Path(path))


@pytest.mark.parametrize(
    "path",
    ["/home/me/shop", "/home/me/.cursor/worktrees/shop", "/home/me/.config/nvim", "/srv/shop",
     "/usr/local/src/shop", "/opt/shop", "/home/me/work/.hidden", "/home/me/work/bin",
     "/var/lib/jenkins/workspace/shop", "/root/shop", "/Users/me/Library/CloudStorage/shop"],
)  # fmt: skip
def test_folders_of_projects_are_not(path: str) -> None:
    assert unsafe_mount_reason(Path(path)) is None


def test_the_hidden_folders_of_the_own_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (".config", ".config/gh", ".local/bin", ".cache"):
        (tmp_path / name).mkdir(parents=True)
        assert "programs" in refused(tmp_path / name).message


@pytest.mark.parametrize(
    "keys", [".ssh/id", ".gnupg/x", ".aws/credentials", ".config/gh/hosts.yml"]
)
def test_a_folder_that_contains_keys_is_refused(tmp_path: Path, keys: str) -> None:
    (tmp_path / "kept" / keys).parent.mkdir(parents=True)
    (tmp_path / "kept" / keys).write_text("")
    assert "keys" in refused(tmp_path / "kept").message
    assert check_workspace(tmp_path / "kept", (tmp_path / "kept").resolve())


def test_a_docker_folder_of_a_project_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "shop/.docker/php").mkdir(parents=True)
    assert check_workspace(tmp_path / "shop")


@pytest.mark.parametrize(("caller", "unsafe"), [(1000, True), (33, True), (0, False)])
def test_what_a_system_account_owns_is_the_systems_for_others(
    monkeypatch: pytest.MonkeyPatch, caller: int, unsafe: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: caller)
    assert bool(unsafe_mount_reason(Path("/usr/local/src"))) is unsafe


@pytest.fixture
def bound() -> Iterator[Any]:
    """Binds sockets, which are closed after the test."""
    made = []

    def bind(path: Any) -> Any:
        made.append(socket.socket(socket.AF_UNIX))
        made[-1].bind(str(path))
        return made[-1]

    yield bind
    for one in made:
        one.close()


@pytest.mark.parametrize("place", ["engine.sock", "deep/down/agent"])
def test_a_folder_with_a_socket_of_this_host_is_refused(
    tmp_path: Path, bound: Any, place: str
) -> None:
    (tmp_path / "deep/down").mkdir(parents=True)
    bound(tmp_path / place)
    assert place in refused(tmp_path).message
    assert check_workspace(tmp_path / "deep") if "deep" not in place else refused(tmp_path / "deep")


def test_a_stale_socket_is_ignored_unless_it_is_an_engines(tmp_path: Path, bound: Any) -> None:
    bound(tmp_path / "server.sock").close()
    assert check_workspace(tmp_path)
    bound(tmp_path / "docker.sock").close()
    assert "docker.sock" in refused(tmp_path).message


def test_an_allowed_folder_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "link").symlink_to(".")
    assert check_workspace(tmp_path / "link", allowed=tmp_path) == tmp_path
    refused("/etc", allowed=tmp_path)
    refused(tmp_path, allowed=tmp_path / "link")


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(odd)  # noqa: PTH102 - of bytes
    assert "UTF-8" in refused(os.fsdecode(odd)).message


def test_the_hint_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    odd = tmp_path / "a b; $(touch x)"
    odd.mkdir()
    (odd / "file").write_text("")
    assert shlex.split(refused(odd / "file").hint)[-1] == str(odd)


# The mount point


@pytest.mark.parametrize("kind", ["file", "link", "dead link"])
def test_only_a_folder_may_be_in_the_place_of_a_mount_point(tmp_path: Path, kind: str) -> None:
    (tmp_path / "real").mkdir()
    check_mountpoint(tmp_path / "real")
    check_mountpoint(tmp_path / "none")
    place = tmp_path / "node_modules"
    place.write_text("") if kind == "file" else place.symlink_to("real" if kind == "link" else "no")
    with pytest.raises(InvalidWorkspace) as caught:
        check_mountpoint(place)
    assert str(place) in caught.value.message


def test_a_mount_point_is_created_once_with_the_workspaces_owner(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 1234, 1235)
    made = tmp_path / "node_modules"
    assert make_mountpoint(made, identity_of(tmp_path))
    assert owner_of(made) == owner_of(tmp_path)
    assert not make_mountpoint(made, identity_of(tmp_path))


def test_a_file_in_the_place_of_a_mount_point_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "vendor").write_text("mine")
    assert not make_mountpoint(tmp_path / "vendor", identity_of(tmp_path))
    assert (tmp_path / "vendor").read_text() == "mine"


@pytest.mark.parametrize("gone", ["none", "file/inside"])
def test_a_mount_point_that_cannot_be_created_is_invalid_workspace(
    tmp_path: Path, gone: str
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidWorkspace):
        make_mountpoint(tmp_path / gone / "vendor", identity_of(tmp_path))


def test_a_removed_workspace_is_invalid_workspace(tmp_path: Path) -> None:
    with pytest.raises(InvalidWorkspace):
        owner_of(tmp_path / "none")


def test_a_mount_point_is_removed_only_while_it_is_empty(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "mine").write_text("")
    for path in (empty, full, tmp_path / "none"):
        remove_mountpoint(path)
    assert not empty.exists()
    assert (full / "mine").exists()


def test_a_folder_of_roots_that_others_can_enter() -> None:
    assert is_roots_and_open(Path("/usr/local/src"))


def test_a_folder_that_others_cannot_enter(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop").chmod(0o700)
    assert not is_roots_and_open(tmp_path / "shop")
    assert not is_roots_and_open(tmp_path / "none")


@pytest.mark.parametrize("place", ["shop", "group"])
def test_no_mount_point_is_made_in_a_folder_that_a_link_leads_to(
    tmp_path: Path, place: str
) -> None:
    """The owner of the folder, or of one above it, puts a link there after the check."""
    workspace, other = tmp_path / "group" / "shop", tmp_path / "other"
    workspace.mkdir(parents=True)
    (other / "shop").mkdir(parents=True)
    checked = identity_of(workspace)
    replaced = workspace if place == "shop" else workspace.parent
    replaced.rename(tmp_path / "moved")
    replaced.symlink_to(other)
    with pytest.raises(InvalidWorkspace, match="another folder is in its place"):
        make_mountpoint(workspace / "node_modules", checked)
    assert not list(other.glob("**/node_modules"))
