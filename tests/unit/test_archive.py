"""Files of a container, which may be as large as a container likes."""

from __future__ import annotations

import io
import itertools
import tarfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, make_spec

from debughost_cli.engine.docker.archive import LONGEST, plain_files
from debughost_cli.errors import EngineError
from debughost_cli.project.resolve import resolve_project
from debughost_cli.project.settings import Flags
from debughost_cli.resources import FileEntry
from debughost_cli.services.container_files import container_files
from debughost_cli.specs import User

GIB = 1024**3


class Stream:
    """The bytes of ``chunks``, with a count of what was read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.count = 0

    def read(self, amt: int) -> bytes:
        if not self._rest:
            self._rest = next(self._chunks, b"")
        data, self._rest = self._rest[:amt], self._rest[amt:]
        self.count += len(data)
        return data


def header(name: str, size: int, type_: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, type_, link
    return info.tobuf(tarfile.GNU_FORMAT)


def zeros() -> Iterator[bytes]:
    return itertools.repeat(bytes(65536))


def cost_of(stream: Stream, limit: int) -> tuple[dict[str, bytes], int]:
    """The files, and the most memory that reading them took, in bytes."""
    tracemalloc.start()
    try:
        return plain_files(stream, limit), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_file_of_4_gib_costs_what_is_asked_for() -> None:
    stream = Stream(itertools.chain([header("launch", 4 * GIB)], zeros()))
    found, memory = cost_of(stream, 1000)
    assert found == {"launch": bytes(1000)}
    # Python 3.15 reads twice as far ahead as those before.
    assert stream.count < 200_000
    assert memory < 1024**2


def test_a_large_file_in_a_folder_ends_the_reading() -> None:
    small = header("etc/a", 1) + b"a".ljust(512, b"\0")
    start = header("etc/", 0, tarfile.DIRTYPE) + small + header("etc/b", 4 * GIB)
    stream = Stream(itertools.chain([start], zeros()))
    found, memory = cost_of(stream, 10)
    assert found == {"etc/a"[4:]: b"a", "b": bytes(10)}
    assert stream.count <= LONGEST
    assert memory < 4 * LONGEST


@pytest.mark.parametrize("type_", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE])
def test_a_header_of_4_gib_is_cut(type_: bytes) -> None:
    stream = Stream(itertools.chain([header("x", 4 * GIB, type_)], zeros()))
    found, memory = cost_of(stream, 10)
    assert found == {}
    assert stream.count <= LONGEST
    assert memory < 4 * LONGEST


def test_a_link_with_a_huge_name_is_no_plain_file() -> None:
    name = b"x" * 100_000
    padded = name.ljust(100_352, b"\0")
    long_link = header("././@LongLink", len(name), tarfile.GNUTYPE_LONGLINK) + padded
    data = long_link + header("passwd", 0, tarfile.SYMTYPE, "x") + bytes(1024)
    assert plain_files(Stream(iter([data])), 10) == {}


def test_a_sparse_file_costs_what_is_asked_for() -> None:
    info = header("s", 512, tarfile.GNUTYPE_SPARSE)
    # One part of 512 bytes at offset 0 of a file of 4 GiB, see GNU tar's "old sparse format".
    buffer = bytearray(info)
    buffer[386:398], buffer[398:410] = b"%011o\0" % 0, b"%011o\0" % 512
    buffer[483:495] = b"%012o" % (4 * GIB)
    buffer[148:156] = b" " * 8
    buffer[148:156] = b"%06o\0 " % sum(buffer)
    found, memory = cost_of(Stream(iter([bytes(buffer) + b"y" * 512 + bytes(1024)])), 1000)
    assert found == {"s": b"y" * 512 + bytes(488)}
    assert memory < 1024**2


def test_headers_for_headers_without_an_end_are_no_archive() -> None:
    one = header("x", 0, tarfile.XHDTYPE)
    with pytest.raises((ValueError, tarfile.TarError)):
        plain_files(Stream(itertools.repeat(one)), 10)


def test_an_archive_that_ends_early_is_none() -> None:
    with pytest.raises(tarfile.ReadError):
        plain_files(Stream(iter([header("x", 10_000), b"y" * 512])), 10_000)


def test_the_connection_is_closed_where_the_rest_would_follow(
    connect: Any, script: Any, server: Any
) -> None:
    chunks = itertools.chain([header("launch", 4 * GIB)], itertools.repeat(bytes(65536), 4096))
    script.on("/containers/x/archive", (200, chunks))
    engine = connect()
    assert engine.containers.read_files("x", "/.debughost/launch", limit=1) == {"launch": b"\0"}
    assert server.sent < 8 * 1024**2


def test_an_archive_that_is_none_is_an_engine_error(connect: Any, script: Any) -> None:
    one = header("x", 0, tarfile.XHDTYPE)
    script.on("/containers/x/archive", (200, itertools.repeat(one)))
    engine = connect()
    with pytest.raises(EngineError):
        engine.containers.read_files("x", "/etc")


def test_a_huge_passwd_of_an_image_is_left_as_it_is(tmp_path: Path) -> None:
    """Written back it would lose its end."""
    engine = FakeEngine()
    engine.add_base_images()
    spec = make_spec("/", image=next(iter(engine.stored_images)), user=User(1234, 1234))
    ref = str(engine.containers.create("debug-host-shop-1", spec))
    engine.containers.put_files(ref, [FileEntry("/etc/passwd", b"x" * 2 * 1024**2)])
    (tmp_path / "index.html").touch()
    resolved = resolve_project(tmp_path, Flags(), {})
    entries = container_files(engine, ref, spec, resolved)
    assert [e.path for e in entries if e.path == "/etc/passwd"] == []


def test_an_empty_archive_holds_nothing() -> None:
    buffer = io.BytesIO()
    tarfile.open(fileobj=buffer, mode="w").close()
    assert plain_files(Stream(iter([buffer.getvalue()])), 10) == {}
