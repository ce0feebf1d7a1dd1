"""What of a workspace is uploaded, and how two states of it are compared."""

from __future__ import annotations

import os
import socket
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debughost_cli.project.manifest import (
    Changes,
    Manifest,
    decode_manifest,
    encode_manifest,
    find_changes,
)
from debughost_cli.project.tree import DEEPEST, Entry, EntryKind, open_entry, scan

FILE, FOLDER, LINK = EntryKind


def test_files_folders_and_links_are_entries_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("hush")
    shop = tmp_path / "shop"
    (shop / "src").mkdir(parents=True)
    (shop / "src" / "app.js").write_text("12345")
    (shop / "src" / "app.js").chmod(0o4755)
    (shop / "out").symlink_to("../secret")
    (shop / "loop").symlink_to(".")
    (shop / "gone").symlink_to("/nowhere")
    entries = scan(shop).entries
    mtime = (shop / "src" / "app.js").stat().st_mtime_ns
    assert dict(entries) == {
        "out": Entry(LINK, target="../secret"),
        "loop": Entry(LINK, target="."),
        "gone": Entry(LINK, target="/nowhere"),
        "src": Entry(FOLDER, mode=0o755),
        "src/app.js": Entry(FILE, 5, mtime, 0o755),
    }
    assert list(entries)[-1] == "src/app.js"


def test_the_dependency_folder_and_our_own_are_left_out_at_the_top_alone(tmp_path: Path) -> None:
    for folder in ("node_modules", ".debughost", "sub/node_modules", "sub/.debughost"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "f").touch()
    entries = scan(tmp_path, ["node_modules"]).entries
    files = sorted(path for path, entry in entries.items() if entry.kind is FILE)
    assert files == ["sub/.debughost/f", "sub/node_modules/f"]


def test_sockets_and_pipes_are_counted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "socket"))
        found = scan(tmp_path)
    assert (found.entries, found.skipped) == ({}, 2)


def test_names_may_have_any_byte(tmp_path: Path) -> None:
    odd = [bytes([byte]) + b"x" for byte in range(1, 256) if byte != ord("/")]
    for name in odd:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).touch()
    entries = scan(tmp_path).entries
    assert sorted(map(os.fsencode, entries)) == sorted(odd)
    manifest = Manifest("u1", entries)
    assert decode_manifest(encode_manifest(manifest)) == manifest


def test_lock_files_at_the_top_are_not_left_out(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*lock*\n")
    (tmp_path / "sub").mkdir()
    for name in ("yarn.lock", "lock", "sub/yarn.lock"):
        (tmp_path / name).touch()
    assert list(scan(tmp_path).entries) == [".gitignore", "yarn.lock", "sub"]


def test_what_rules_leave_out_at_the_top_is_named(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(".env\ndist/\n")
    (tmp_path / ".env").touch()
    (tmp_path / "dist").mkdir()
    assert scan(tmp_path).ignored == (".env", "dist")


def test_root_sends_nothing_that_the_owner_of_the_workspace_may_not_read(tmp_path: Path) -> None:
    is_root = os.geteuid() == 0
    modes = {"mine": 0o600, "hers": 0o644, "ours": 0o040, "secret": 0o600, "cell": 0o700}
    for name, mode in modes.items():
        path = tmp_path / name
        path.mkdir() if name == "cell" else path.touch()
        path.chmod(mode if is_root or name not in ("secret", "cell") else 0)
    if is_root:
        os.chown(tmp_path, 12345, 12346)
        os.chown(tmp_path / "mine", 12345, 0)
        os.chown(tmp_path / "ours", 0, 12346)
    else:
        (tmp_path / "ours").unlink()
    tree = scan(tmp_path)
    assert tree.unreadable == ("secret", "cell")
    assert set(tree.entries) >= {"mine", "hers", "cell"}
    workspace = os.open(tmp_path, os.O_RDONLY)
    os.close(open_entry(workspace, "mine"))
    with pytest.raises(OSError):  # noqa: PT011 - another one for each user
        open_entry(workspace, "secret")
    os.close(workspace)


def test_folders_that_are_too_deep_are_named(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    for _ in range(DEEPEST + 2):
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    assert scan(tmp_path).unreadable == ("/".join("d" * (DEEPEST + 1)),)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_is_opened_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f").write_text("hush")
    shop = tmp_path / "shop"
    (shop / "sub").mkdir(parents=True)
    (shop / "sub" / "f").write_text("own")
    (shop / "way").symlink_to("../outside")
    (shop / "file").symlink_to("../outside/f")
    folder = os.open(shop, os.O_RDONLY)
    before = open_files()
    os.mkfifo(shop / "pipe")
    for path in ("way/f", "file", "sub/none/f", "sub", "pipe"):
        with pytest.raises(OSError, match=r"Not a directory|levels of symbolic|No such|regular"):
            open_entry(folder, path)
    opened = open_entry(folder, "sub/f")
    assert os.read(opened, 9) == b"own"
    os.close(opened)
    assert open_files() == before
    os.close(folder)


def test_changes_are_what_differs(tmp_path: Path) -> None:
    before = {
        "a": Entry(FOLDER),
        "a/kept": Entry(FILE, 1, 1),
        "a/gone": Entry(FILE, 1, 1),
        "b": Entry(FOLDER),
        "b/c": Entry(FOLDER),
        "b/c/f": Entry(FILE),
        "x": Entry(FILE, 1, 1, 0o644),
    }
    after = {
        "a": Entry(FOLDER),
        "a/kept": Entry(FILE, 1, 2),
        "new": Entry(LINK, target="a"),
        "x": Entry(FILE, 1, 1, 0o755),
    }
    changes = Manifest("u", before).changes_to(after)
    assert changes == Changes(("a/kept", "new", "x"), ("b/c/f", "b/c", "b", "a/gone"))
    assert changes
    assert not find_changes(after, after)


def test_what_is_replaced_is_not_deleted_through_a_link() -> None:
    before = {"a": Entry(FOLDER), "a/f": Entry(FILE), "b": Entry(FOLDER), "b/f": Entry(FILE)}
    after = {"a": Entry(LINK, target="b"), "b": Entry(FOLDER), "b/f": Entry(FILE)}
    assert find_changes(before, after) == Changes(("a",), ())


ENTRIES = st.dictionaries(
    st.text(st.characters(exclude_characters="/\0"), min_size=1).filter(
        lambda name: name not in (".", "..", ".debughost")
    ),
    st.builds(
        Entry,
        st.sampled_from(EntryKind),
        st.integers(0, 2**60),
        st.integers(-(2**62), 2**62),
        st.integers(0, 0o777),
        st.text(),
    ),
    max_size=5,
)


@given(ENTRIES)
def test_a_manifest_is_read_as_it_was_written(entries: dict[str, Entry]) -> None:
    manifest = Manifest("0123", entries)
    assert decode_manifest(encode_manifest(manifest)) == manifest


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".", ".debughost/manifest", "a\0b"]
)
def test_a_manifest_names_nothing_outside(path: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        decode_manifest(encode_manifest(Manifest("u", {path: Entry(FILE)})))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zlib",
        zlib.compress(b"no json"),
        zlib.compress(b"[1]"),
        zlib.compress(b'{"upload":"u","entries":{"a":["device",0,0,0,""]}}'),
        encode_manifest(Manifest("u", {}))[:-3],
        zlib.compress(b"[" * 100_000),
        zlib.compress(b" " * (33 * 1024**2)),
    ],
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"manifest|JSON|Expecting"):
        decode_manifest(data)
