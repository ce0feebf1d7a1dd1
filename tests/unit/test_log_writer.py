"""Log lines on their way out."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from typing import Any

import pytest

from debughost_cli.errors import Interrupted
from debughost_cli.planning.log_lines import ProjectLine
from debughost_cli.render.logs import LogWriter
from debughost_cli.render.streams import Streams
from debughost_cli.resources import LogLine

from .test_log_positions import fragment, line, stamp

Written = list[tuple[str, bytes]]


class Disk(io.RawIOBase):
    """A file that takes a few bytes at a time and can be interrupted."""

    def __init__(self, log: Written, name: str, step: int = 10**6) -> None:
        self.log, self.name, self.step = log, name, step
        self.breaks_after: int | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.breaks_after == 0:
            self.breaks_after = None
            raise Interrupted
        if self.breaks_after:
            self.breaks_after -= 1
        taken = bytes(data[: self.step])
        self.log.append((self.name, taken))
        return len(taken)


def streams(log: Written, step: int = 10**6) -> tuple[Streams, Disk]:
    files = [Disk(log, name, step) for name in ("out", "err")]
    out, err = (io.TextIOWrapper(io.BufferedWriter(f), encoding="utf-8") for f in files)
    return Streams(io.StringIO(), out, err), files[0]


def written(
    items: Sequence[ProjectLine | LogLine],
    projects: tuple[str, ...] = ("shop",),
    **options: bool,
) -> Written:
    log: Written = []
    json, stamps = options.get("json", False), options.get("stamps", False)
    writer = LogWriter(streams(log)[0], projects, json=json, stamps=stamps)
    for item in items:
        writer.write(item if isinstance(item, ProjectLine) else ProjectLine("shop", item))
    writer.flush()
    return log


def test_order_is_kept_and_neighbours_go_together() -> None:
    items = [line("a"), line("b"), line("E", stream="stderr"), line("c"), fragment("d")]
    assert written(items) == [("out", b"a\nb\n"), ("err", b"E\n"), ("out", b"c\nd")]


def test_a_stamp_begins_lines_and_not_their_parts() -> None:
    items = [line("a", 1), fragment("b", 2), fragment("c", 2), line("d", 2), line("e", 3)]
    text = b"".join(data for _, data in written(items, stamps=True)).decode()
    assert text == f"{stamp(1)} a\n{stamp(2)} bcd\n{stamp(3)} e\n"


def test_a_prefix_begins_every_line_and_what_has_no_end_gets_one() -> None:
    items = [
        ProjectLine("a", fragment("half")), ProjectLine("b", line("x")),
        ProjectLine("a", fragment("\n")), ProjectLine("a", line("y")),
    ]  # fmt: skip
    assert written(items, ("a", "b")) == [("out", b"a | half\nb | x\na | y\n")]


def test_json_holds_any_text() -> None:
    odd = '\u2028 " \\ ünï \x1b[0m'
    ((_, data),) = written(
        [line(odd, 7, "stderr"), fragment("no end", 8), fragment("\n", 8)], json=True
    )
    assert data.isascii()
    assert [json.loads(part) for part in data.splitlines()] == [
        {"type": "log", "project": "shop", "ts": stamp(7), "stream": "stderr", "line": odd},
        {
            "type": "log", "project": "shop", "ts": stamp(8), "stream": "stdout",
            "line": "no end", "partial": True,
        },
    ]  # fmt: skip


@pytest.mark.parametrize("after", range(6))
def test_an_interruption_within_a_write_leaves_whole_documents(after: int) -> None:
    log: Written = []
    made, disk = streams(log, step=50)
    writer = LogWriter(made, ["shop"], json=True, stamps=False)
    writer.write(ProjectLine("shop", line("one")))
    writer.write(ProjectLine("shop", line("two")))
    disk.breaks_after = after
    try:
        writer.flush()
    except Interrupted:
        writer.finish()
    text = b"".join(data for _, data in log).decode()
    assert [json.loads(part)["line"] for part in text.splitlines()] == ["one", "two"]


def test_a_reader_that_is_gone_is_noticed_without_a_write() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w") as out:
        writer = LogWriter(
            Streams(io.StringIO(), out, io.StringIO()), ["shop"], json=False, stamps=False
        )
        writer.check_reader()
        os.close(read)
        with pytest.raises(BrokenPipeError):
            writer.check_reader()
