"""A workspace as an archive: whole and exact, whatever happens to its files meanwhile."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from debughost_cli.project.tree import scan
from debughost_cli.project.tree_archive import CHUNK, TreeArchive, compressed
from debughost_cli.specs import User

USER = User(1234, 5678)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def unpacked(data: bytes) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """What is at a path last counts."""
    found = {}
    opened = io.BytesIO(gzip.decompress(data))
    with tarfile.open(fileobj=opened, encoding="utf-8", errors="surrogateescape") as tar:
        for member in tar:
            handle = tar.extractfile(member) if member.isreg() else None
            found[member.name] = (member, handle.read() if handle else b"")
    return found


def test_it_has_every_entry_with_its_owner_mode_and_exact_time(tmp_path: Path, folder: int) -> None:
    (tmp_path / "sub").mkdir(mode=0o711)
    file = tmp_path / "sub" / ("long" * 60)
    file.write_bytes(b"x" * 1000)
    file.chmod(0o750)
    os.utime(file, ns=(0, 1_700_000_000_123_456_789))
    (tmp_path / "link").symlink_to("sub/" + "far" * 100)
    odd = os.fsdecode(b"b\xff\n")
    (tmp_path / odd).touch()
    made = TreeArchive(folder, USER)
    found = unpacked(b"".join(compressed(made.parts(scan(tmp_path).entries))))
    assert set(found) == {"app/sub", f"app/sub/{file.name}", "app/link", f"app/{odd}"}
    assert {(m.uid, m.gid) for m, _ in found.values()} == {(1234, 5678)}
    member, data = found[f"app/sub/{file.name}"]
    assert (member.mode, data) == (0o750, b"x" * 1000)
    assert member.pax_headers["mtime"] == "1700000000.123456789"
    assert found["app/link"][0].linkname == "sub/" + "far" * 100
    assert found["app/sub"][0].mode == 0o711
    assert made.sent == dict(scan(tmp_path).entries)


def test_without_a_known_user_all_may_do_what_the_owner_may(tmp_path: Path, folder: int) -> None:
    (tmp_path / "f").touch()
    (tmp_path / "f").chmod(0o640)
    found = unpacked(b"".join(compressed(TreeArchive(folder, None).parts(scan(tmp_path).entries))))
    member, _ = found["app/f"]
    assert (member.uid, member.mode) == (0, 0o666)


SIZE = 3 * CHUNK + 7


def shrink(path: Path) -> None:
    os.truncate(path, 10)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def touch(path: Path) -> None:
    os.utime(path, ns=(5, path.stat().st_mtime_ns + 5))


@pytest.mark.parametrize("change", [shrink, grow, touch])
@pytest.mark.parametrize("always", [False, True])
def test_what_changes_while_it_is_read_is_read_once_more(
    tmp_path: Path, folder: int, change: Callable[[Path], None], always: bool
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * SIZE)
    (tmp_path / "b").write_bytes(b"b")
    made = TreeArchive(folder, USER)
    data, times = bytearray(), 0
    entries = scan(tmp_path).entries
    parts = iter(made.parts(entries))
    for part in parts:
        data += part
        if path.name in made.sent and not always:
            continue
        if len(part) == CHUNK and (always or not times):
            times += 1
            path.write_bytes(b"a" * SIZE)
            change(path)
    found = unpacked(b"".join(compressed([bytes(data)])))
    assert found["app/b"][1] == b"b"
    if always and change is not shrink:
        assert made.changing == {"a"}
    elif not always:
        assert made.changing == set()
        assert found["app/a"][1] == path.read_bytes()
        assert made.sent["a"].size == path.stat().st_size


def test_what_is_gone_or_has_become_something_else_is_left_out(tmp_path: Path, folder: int) -> None:
    for name in ("gone", "link", "folder", "inner/f"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("hush")
    entries = scan(tmp_path).entries
    (tmp_path / "inner").rename(tmp_path.parent / "away")
    (tmp_path / "inner").symlink_to(tmp_path.parent / "away")
    for name in ("gone", "link", "folder"):
        (tmp_path / name).unlink()
    (tmp_path / "link").symlink_to("inner/f")
    (tmp_path / "folder").mkdir()
    made = TreeArchive(folder, USER)
    found = unpacked(b"".join(compressed(made.parts(entries))))
    assert set(found) == {"app/inner"}
    assert made.gone == {"gone", "link", "folder", "inner/f"}


def test_an_empty_workspace_is_an_archive_too(folder: int) -> None:
    assert unpacked(b"".join(compressed(TreeArchive(folder, USER).parts({})))) == {}
