"""A container's log, as engines store and return it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from debughost_cli.engine.port import LogQuery
from debughost_cli.planning.log_lines import joined
from debughost_cli.resources import LogFragment, LogLine

ENTRY = 16 * 1024
"""The longest entry of a container's log in bytes."""


def in_span(line: LogLine, query: LogQuery) -> bool:
    """Whether the entry is from the requested time."""
    whole = datetime.fromisoformat(f"{line.ts[:19]}+00:00").timestamp()
    moment = Decimal(int(whole)) + Decimal(f"0{line.ts[19:-1]}")
    since, until = query.since, query.until
    return (since is None or moment >= since) and (until is None or moment <= until)


def shaped(entries: Iterable[LogLine], query: LogQuery) -> Iterator[LogLine]:
    """Entries as the query requests them: joined to lines, or as they are stored."""
    if query.fragments and not query.stamps:
        for entry in entries:
            end = b"" if isinstance(entry, LogFragment) else b"\n"
            yield LogFragment(entry.stream, entry.data + end)
        return
    shown = entries if query.stamps else (replace(entry, ts="") for entry in entries)
    yield from shown if query.fragments else joined(shown)


def stored_entries(stream: str, data: bytes, stamp: str) -> Iterator[LogLine]:
    """A line as engines store it: cut at 16 KiB, each part with the stamp of the first."""
    while len(data) > ENTRY:
        yield LogFragment(stream, data[:ENTRY], stamp)
        data = data[ENTRY:]
    yield LogLine(stream, data, stamp)
