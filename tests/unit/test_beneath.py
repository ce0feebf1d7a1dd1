"""Files of a workspace are read beneath it, whatever links, pipes and sizes it has."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from debughost_cli.project import beneath
from debughost_cli.project.beneath import (
    FILE_LIMIT,
    UnusableFile,
    hash_beneath,
    open_beneath,
    open_folder_beneath,
    open_resolved,
    read_beneath,
    read_path,
    read_path_or_pipe,
)

OUTSIDE = "it leads out of the workspace"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace beside another project, whose file must never be read."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret").write_text("hush")
    folder = tmp_path / "shop"
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "own").write_text("own")
    (folder / "sub" / "own").write_text("sub")
    return folder


@pytest.mark.parametrize(
    ("name", "content"),
    [("own", b"own"), ("./own", b"own"), ("sub/own", b"sub"), ("sub/deep/../own", b"sub")],
)
def test_a_file_inside_is_read(root: Path, name: str, content: bytes) -> None:
    assert read_beneath(root, name) == content
    assert read_beneath(root, root / name) == content


@pytest.mark.parametrize(
    ("target", "content"),
    [
        ("own", b"own"),
        ("sub/own", b"sub"),
        ("sub/deep/../../own", b"own"),
        ("second", b"own"),
        ("folder/own", b"sub"),
        ("../shop/own", None),
        ("{root}/sub/own", b"sub"),
        ("{root}/folder/../own", b"own"),
    ],
)
def test_links_that_stay_inside_are_followed(
    root: Path, target: str, content: bytes | None
) -> None:
    (root / "second").symlink_to("own")
    (root / "folder").symlink_to("sub")
    (root / "link").symlink_to(target.format(root=root))
    if content is None:
        with pytest.raises(UnusableFile, match=OUTSIDE):
            read_beneath(root, "link")
    else:
        assert read_beneath(root, "link") == content


def test_a_link_to_a_parent_leads_back_to_where_the_path_came_from(root: Path) -> None:
    (root / "link").symlink_to("sub")
    assert read_beneath(root, "link/../own") == b"own"


@pytest.mark.parametrize(
    "target",
    ["../other/secret", "sub/../../other/secret", "{top}/other/secret", "folder/secret", "/"],
)
def test_links_that_lead_out_are_refused(root: Path, target: str) -> None:
    (root / "folder").symlink_to("../other")
    (root / "link").symlink_to(target.format(top=root.parent))
    with pytest.raises(UnusableFile, match=OUTSIDE):
        read_beneath(root, "link")


@pytest.mark.parametrize("name", ["../other/secret", "folder/secret", "sub/../../other/secret"])
def test_names_that_lead_out_are_refused(root: Path, name: str) -> None:
    (root / "folder").symlink_to("../other")
    for given in (name, root.parent / "other" / "secret"):
        with pytest.raises(UnusableFile, match=OUTSIDE):
            read_beneath(root, given)


def test_absolute_links_are_refused_where_only_a_container_counts(root: Path) -> None:
    (root / "link").symlink_to(root / "own")
    with pytest.raises(UnusableFile, match=OUTSIDE):
        open_beneath(root, "link", absolute_links=False)


def test_a_loop_of_links_is_an_error(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(OSError, match=r"."):
        read_beneath(root, "a")


@pytest.mark.parametrize("name", ["nothing", "own/nothing", "nothing/own", "dangling"])
def test_what_does_not_exist_is_an_error(root: Path, name: str) -> None:
    (root / "dangling").symlink_to("nothing")
    with pytest.raises(OSError, match=r"."):
        read_beneath(root, name)


@pytest.mark.parametrize("name", ["fifo", "sub", ".", "link"])
def test_what_is_not_a_regular_file_is_refused_at_once(root: Path, name: str) -> None:
    os.mkfifo(root / "fifo")
    (root / "link").symlink_to("fifo")
    with pytest.raises(UnusableFile, match="not a regular file"):
        read_beneath(root, name)


def test_a_named_pipe_is_refused_wherever_it_is(root: Path) -> None:
    os.mkfifo(root / "fifo")
    with pytest.raises(UnusableFile, match="not a regular file"):
        read_path(root / "fifo")


def test_a_pipe_that_the_user_named_is_read_to_its_end(root: Path) -> None:
    os.mkfifo(root / "fifo")

    def write() -> None:
        with (root / "fifo").open("wb") as file:
            file.write(b"A=1\n")
            file.flush()
            file.write(b"B=2\n")

    writer = threading.Thread(target=write)
    writer.start()
    assert read_path_or_pipe(root / "fifo") == b"A=1\nB=2\n"
    writer.join()


def test_an_empty_pipe_without_a_name_is_at_its_end() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    assert read_path_or_pipe(Path(f"/dev/fd/{reading}")) == b""
    os.close(reading)


def test_a_pipe_is_bounded(root: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"x" * 2048)
    os.close(writing)
    with pytest.raises(UnusableFile, match="larger than 1 KiB"):
        read_path_or_pipe(Path(f"/dev/fd/{reading}"), 1024)
    os.close(reading)


def test_a_pipe_that_nobody_writes_to_is_given_up(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beneath, "_PIPE_SECONDS", 0.01)
    os.mkfifo(root / "fifo")
    with pytest.raises(UnusableFile, match="nothing was written"):
        read_path_or_pipe(root / "fifo")


def test_a_large_file_is_hashed_without_being_kept(root: Path) -> None:
    data = os.urandom(3 * FILE_LIMIT + 5)
    (root / "lock").write_bytes(data)
    expected = hashlib.sha256(data).hexdigest()
    assert hash_beneath(root, "lock", len(data)) == expected
    with pytest.raises(UnusableFile, match="larger than 3 MiB"):
        hash_beneath(root, "lock", len(data) - 1)
    (root / "out").symlink_to("../other/secret")
    with pytest.raises(UnusableFile, match=OUTSIDE):
        hash_beneath(root, "out", 100)


def test_a_socket_is_refused(root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "s"))
        with pytest.raises((OSError, UnusableFile)):
            read_beneath(root, "s")


def test_a_file_is_read_up_to_a_limit(root: Path) -> None:
    (root / "full").write_bytes(b"x" * FILE_LIMIT)
    assert len(read_beneath(root, "full")) == FILE_LIMIT
    (root / "full").write_bytes(b"x" * (FILE_LIMIT + 1))
    with pytest.raises(UnusableFile, match="larger than 1 MiB"):
        read_beneath(root, "full")
    with pytest.raises(UnusableFile, match="larger than 1 MiB"):
        read_path(root / "full")


def test_a_huge_sparse_file_costs_nothing(root: Path) -> None:
    with (root / "sparse").open("wb") as file:
        file.truncate(20 * 1024**3)
    with pytest.raises(UnusableFile, match="larger than 1 MiB"):
        read_beneath(root, "sparse")


def test_a_file_without_a_size_is_bounded_while_it_is_read() -> None:
    with pytest.raises(UnusableFile, match="larger than 1 KiB"):
        read_path(Path("/proc/self/maps"), 1024)


@pytest.fixture
def swapped(root: Path) -> Iterator[Path]:
    """``.env`` and the folder ``sub`` become links to another project and back, all the time."""
    (root / ".env").write_text("own")
    (root / "kept").mkdir()
    (root / "kept" / "secret").write_text("own")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            for name, outside in ((".env", "../other/secret"), ("race", "../other")):
                (root / "new").symlink_to(outside)
                (root / "new").replace(root / name)
            (root / "new").write_text("own")
            (root / "new").replace(root / ".env")
            (root / "new").symlink_to("kept")
            (root / "new").replace(root / "race")

    (root / "race").symlink_to("kept")
    thread = threading.Thread(target=swap)
    thread.start()
    yield root
    done.set()
    thread.join()


def test_a_file_that_becomes_a_link_is_never_read_outside(swapped: Path) -> None:
    found = set()
    for _ in range(1000):
        for name in (".env", "race/secret"):
            with suppress(OSError, UnusableFile):
                found.add(read_beneath(swapped, name))
    assert found == {b"own"}


def test_no_descriptor_stays_open(root: Path) -> None:
    (root / "out").symlink_to("../other/secret")
    (root / "in").symlink_to("sub/deep/../own")
    before = len(list(Path("/dev/fd").iterdir()))
    for name in ("own", "in", "out", "nothing", "sub", "../x", "sub/deep/nothing"):
        with suppress(OSError, UnusableFile):
            read_beneath(root, name)
    with suppress(OSError):
        os.close(open_folder_beneath(root, "sub"))
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_folder_is_opened_beneath(root: Path) -> None:
    (root / "out").symlink_to("../other")
    descriptor = open_folder_beneath(root, "sub")
    with os.scandir(descriptor) as entries:
        assert sorted(entry.name for entry in entries) == ["deep", "own"]
    os.close(descriptor)
    with pytest.raises(UnusableFile, match=OUTSIDE):
        open_folder_beneath(root, "out")


def test_systems_without_relative_opens_resolve_the_path_first(root: Path) -> None:
    (root / "in").symlink_to("sub/own")
    (root / "out").symlink_to("../other/secret")
    descriptor = open_resolved(root, Path("in"))
    assert os.read(descriptor, 9) == b"sub"
    os.close(descriptor)
    with pytest.raises(UnusableFile, match=OUTSIDE):
        open_resolved(root, Path("out"))
