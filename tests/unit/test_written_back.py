"""What comes from a container is written into the workspace, and nowhere else."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from debughost_cli.project.beneath import UnusableFile
from debughost_cli.project.tree import Entry, EntryKind
from debughost_cli.project.written_back import Workspace, may_be_written
from debughost_cli.services.remote_files import _parse, conflicts, is_same


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    made.mkdir()
    return made


@pytest.fixture
def workspace(root: Path) -> Iterator[Workspace]:
    made = Workspace(root)
    yield made
    made.close()


def file(size: int, mtime: int = 10**9, mode: int = 0o644) -> Entry:
    return Entry(EntryKind.FILE, size, mtime, mode)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", True),
        ("a/.github/b", True),
        ("a/.gitignore", True),
        ("", False),
        ("../a", False),
        ("a/../../b", False),
        ("/etc/passwd", False),
        (".git/hooks/pre-commit", False),
        ("vendor/.GIT/config", False),
        (".debughost/manifest", False),
        ("a\0b", False),
        ("a//b", False),
    ],
)
def test_what_may_be_written(path: str, expected: bool) -> None:
    assert may_be_written(path) is expected


def test_a_file_with_its_time_and_permissions(root: Path, workspace: Workspace) -> None:
    entry = file(5, 1_700_000_000_123_456_789, 0o4755)
    assert workspace.write_file("new/deep/a", entry, io.BytesIO(b"hello"))
    status = (root / "new/deep/a").stat()
    assert (root / "new/deep/a").read_bytes() == b"hello"
    assert (status.st_mtime_ns, status.st_mode & 0o7777) == (entry.mtime_ns, 0o755)
    assert workspace.entry("new/deep/a") == Entry(EntryKind.FILE, 5, entry.mtime_ns, 0o755)


def test_what_root_writes_belongs_to_the_owner_of_the_workspace(
    root: Path, workspace: Workspace
) -> None:
    if os.geteuid() == 0:
        os.chown(root, 12345, 12346)
    assert workspace.write_file("new/deep/a", file(5), io.BytesIO(b"hello"))
    workspace.make_folder("other")
    owner = root.stat()
    for path in root.rglob("*"):
        assert (path.stat().st_uid, path.stat().st_gid) == (owner.st_uid, owner.st_gid), path


def test_a_file_that_is_cut_off_changes_nothing(root: Path, workspace: Workspace) -> None:
    (root / "a").write_text("old")
    assert not workspace.write_file("a", file(100), io.BytesIO(b"short"))
    assert [p.name for p in root.iterdir()] == ["a"]
    assert (root / "a").read_text() == "old"


def test_no_link_is_followed(root: Path, workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_text("safe")
    (root / "folder").symlink_to(outside)
    (root / "link").symlink_to(outside / "a")
    with pytest.raises(UnusableFile):
        workspace.write_file("folder/a", file(4), io.BytesIO(b"evil"))
    workspace.delete("folder/a")
    assert workspace.entry("folder/a") is None
    assert workspace.write_file("link", file(4), io.BytesIO(b"mine"))
    assert (outside / "a").read_text() == "safe"
    assert (root / "link").read_text() == "mine"
    assert not (root / "link").is_symlink()


@pytest.mark.parametrize(
    ("place", "target", "expected"),
    [
        ("a/link", "b", True),
        ("a/link", "../b", True),
        ("a/link", "../../b", False),
        ("link", "../shop/b", False),
        ("link", "/etc/passwd", False),
        ("a/link", "b/../../../c", False),
    ],
)
def test_links_that_lead_out(
    root: Path, workspace: Workspace, place: str, target: str, expected: bool
) -> None:
    assert workspace.write_link(place, target) is expected
    assert os.path.lexists(root / place) is expected


def test_a_folder_is_not_replaced_by_a_file(root: Path, workspace: Workspace) -> None:
    (root / "a").mkdir()
    with pytest.raises(UnusableFile):
        workspace.write_file("a", file(1), io.BytesIO(b"x"))
    assert [p.name for p in root.iterdir()] == ["a"]


def test_the_rules_of_every_folder(root: Path, workspace: Workspace) -> None:
    (root / ".gitignore").write_text("*.log\nbuild/\n")
    (root / "sub").mkdir()
    (root / "sub/.gitignore").write_text("!keep.log\n")
    ignored = {
        path: workspace.is_ignored(path, is_folder=False)
        for path in ("a.log", "sub/a.log", "sub/keep.log", "build/x/y", "a", ".git/config")
    }
    assert [p for p, is_ignored in ignored.items() if is_ignored] == [
        "a.log", "sub/a.log", "build/x/y", ".git/config",
    ]  # fmt: skip


def test_lists_of_find_and_of_stat() -> None:
    records = b"f 5 1700000000.1234567890 644\0\0./a b\n\xff\0l 3 1.5 777\0b\0./link\0"
    records += b"d 4096 1.0 755\0\0./folder\0p 0 1.0 644\0\0./pipe\0"
    assert _parse(records) == {
        os.fsdecode(b"a b\n\xff"): Entry(EntryKind.FILE, 5, 1_700_000_000_123_456_789, 0o644),
        "link": Entry(EntryKind.LINK, mode=0o777, target="b"),
        "folder": Entry(EntryKind.FOLDER, mode=0o755),
    }
    lines = b"regular file|5|1700000000|644|./a|./a\nsymbolic link|1|1|777|'./l' -> 'b'|./l\n"
    found = _parse(lines + b"half a name\n")
    assert found["a"] == Entry(EntryKind.FILE, 5, 1_700_000_000 * 10**9, 0o644)
    assert found["l"].target == "b"
    exact = Entry(EntryKind.FILE, 5, 1_700_000_000_123_456_789, 0o600)
    assert is_same(found["a"], exact)
    assert not is_same(exact, Entry(EntryKind.FILE, 5, exact.mtime_ns + 1))


def test_conflicts_are_what_differs_on_both_sides() -> None:
    old, ours, theirs = file(1, 11), file(2, 12), file(3, 13)
    base = {"ours": old, "theirs": old, "both": old, "same": old, "cut": file(-1)}
    local = {"ours": ours, "theirs": old, "both": ours, "same": ours, "cut": ours, "new": ours}
    remote = {
        "ours": old, "theirs": theirs, "both": theirs, "same": ours, "cut": theirs, "new": theirs,
    }  # fmt: skip
    assert conflicts(base, local, remote, list(remote)) == ["both", "new"]
    assert conflicts({"gone": old}, {}, {"gone": theirs}, ["gone"]) == ["gone"]
    assert conflicts({"gone": old}, {"gone": ours}, {}, ["gone"]) == []
