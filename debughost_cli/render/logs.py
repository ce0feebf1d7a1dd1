"""Log lines on the two streams: the bytes as they are, or as JSON."""

from __future__ import annotations

import select
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import BinaryIO, TextIO

from debughost_cli.planning.log_lines import ProjectLine
from debughost_cli.planning.log_positions import size
from debughost_cli.render.streams import Streams
from debughost_cli.resources import LogLine

_COLORS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
"""Of the projects' prefixes. Not red: that is for errors."""
_BLOCK = 64 * 1024


class LogWriter:
    """Writes lines in the order in which they are given, also where both streams are one.

    ``on``: the stream for all of them; None for the one that each was written to.
    ``projects``: with more than one, each line begins with its project. Nothing is on its way to
    the reader for certain before ``flush``.
    """

    def __init__(
        self,
        streams: Streams,
        projects: Sequence[str],
        *,
        json: bool,
        stamps: bool,
        on: str | None = None,
    ) -> None:
        self._sinks = {"stdout": _Sink(streams.stdout), "stderr": _Sink(streams.stderr)}
        self._prefixes = _prefixes(streams, projects) if len(projects) > 1 else {}
        self._json = json
        self._on = on
        self._stamps = stamps
        self._target = "stdout"
        self._blocks: list[bytes] = []
        self._size = 0
        self._midline: set[str] = set()
        self.lines = 0
        """How many there were so far; of JSON, how many documents."""

    def write(self, item: ProjectLine) -> None:
        """A line, or a piece of one."""
        line = item.line
        if self._json:
            if not _is_end(line):
                self._put("stdout", _document(item))
                self.lines += 1
            return
        self.lines += 1
        if self._prefixes or self._stamps:
            self._put(line.stream, self._with_head(item))
        elif size(line) == len(line.data):
            self._put(line.stream, line.data)
        else:
            self._put(line.stream, line.data + b"\n")

    def _with_head(self, item: ProjectLine) -> bytes:
        """With prefix and stamp, unless it goes on with a line that has them already."""
        line = item.line
        prefix = self._prefixes.get((item.project, line.stream), b"")
        stamp = f"{line.ts} ".encode() if self._stamps and line.ts else b""
        if prefix:
            return b"" if _is_end(line) else prefix + stamp + line.data + b"\n"
        text = line.data if size(line) == len(line.data) else line.data + b"\n"
        head = b"" if line.stream in self._midline else stamp
        (self._midline.discard if text.endswith(b"\n") else self._midline.add)(line.stream)
        return head + text

    def _put(self, stream: str, data: bytes) -> None:
        stream = self._on or stream
        if stream != self._target:
            self.flush()
            self._target = stream
        self._blocks.append(data)
        self._size += len(data)
        if self._size >= _BLOCK:
            self.flush()

    def flush(self) -> None:
        """Hands over all that was written. Raises BrokenPipeError where nobody reads any more."""
        if self._blocks:
            data = self._blocks[0] if len(self._blocks) == 1 else b"".join(self._blocks)
            self._blocks, self._size = [], 0
            self._sinks[self._target].write(data)

    def finish(self) -> None:
        """As ``flush``, after an interruption, which may have come within a write."""
        for sink in self._sinks.values():
            sink.go_on()
        self.flush()

    def check_reader(self) -> None:
        """Raises BrokenPipeError where the reader of stdout is gone, without a write."""
        self._sinks["stdout"].check()


def _is_end(line: LogLine) -> bool:
    """The end of a line that was shown without one before: nothing to show by itself."""
    return line.data == b"\n"


def _document(item: ProjectLine) -> bytes:
    """The contract's line; ``partial`` is there where the line has no end (yet)."""
    line = item.line
    text = line.data.decode("utf-8", "replace")
    partial = "" if size(line) > len(line.data) else ',"partial":true'
    return (
        f'{{"type":"log","project":{quoted(item.project)},"ts":{quoted(line.ts)},'
        f'"stream":{quoted(line.stream)},"line":{quoted(text)}{partial}}}\n'
    ).encode()


def _prefixes(streams: Streams, projects: Sequence[str]) -> dict[tuple[str, str], bytes]:
    found = {}
    for name, stream in (("stdout", streams.stdout), ("stderr", streams.stderr)):
        colored = streams.has_color(stream)
        for index, project in enumerate(projects):
            text = f"{project} |"
            if colored:
                text = f"\x1b[{_COLORS[index % len(_COLORS)]}m{text}\x1b[0m"
            found[project, name] = f"{text} ".encode()
    return found


class _Sink:
    """A stream's file, written to without a buffer: it is known what is written and what not."""

    def __init__(self, stream: TextIO) -> None:
        stream.flush()
        self._stream = stream
        buffer: BinaryIO | None = getattr(stream, "buffer", None)
        self._file: BinaryIO | None = getattr(buffer, "raw", buffer)
        self._rest = memoryview(b"")

    def write(self, data: bytes) -> None:
        if self._file is None:
            self._stream.write(data.decode("utf-8", "replace"))
            return
        self._rest = memoryview(data)
        self.go_on()

    def go_on(self) -> None:
        """Writes what is left of the last write."""
        while self._rest and self._file:
            written = self._file.write(self._rest)
            if written is None:  # The other end made it non-blocking, and is slow.
                select.select([], [self._file], [])
            else:
                self._rest = self._rest[written:]

    def check(self) -> None:
        if self._file is None or not hasattr(select, "poll"):
            return
        poll = select.poll()
        try:
            poll.register(self._file, 0)
        except (OSError, ValueError):
            return
        if any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
            raise BrokenPipeError
