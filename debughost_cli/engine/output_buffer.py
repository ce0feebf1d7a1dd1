"""What a command wrote, up to a limit: a command in a container can write without an end."""

from __future__ import annotations

import codecs

from debughost_cli.engine.port_types import ExecResult

LIMIT = 1024**2
"""Bytes of each stream that are kept unless a caller says otherwise."""


class OutputBuffer:
    """An ``OnOutput`` that keeps the first ``limit`` bytes of each stream and counts the rest."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}
        self._sizes = {"stdout": 0, "stderr": 0}

    def __call__(self, stream: str, data: memoryview) -> None:
        """Receives output."""
        kept = self._kept[stream]
        kept += data[: self._limit - len(kept)]
        self._sizes[stream] += len(data)

    def text(self, stream: str) -> str:
        """What was kept of ``stdout`` or ``stderr``; no character is cut in the middle."""
        kept = self._kept[stream]
        is_whole = len(kept) == self._sizes[stream]
        return codecs.getincrementaldecoder("utf-8")("replace").decode(bytes(kept), is_whole)

    def size(self, stream: str) -> int:
        """How many bytes the command wrote."""
        return self._sizes[stream]

    @property
    def truncated(self) -> bool:
        """True where not all of a stream was kept."""
        return any(len(kept) < self._sizes[s] for s, kept in self._kept.items())

    def result(self, exit_code: int) -> ExecResult:
        """What was kept, with the sizes."""
        return ExecResult(
            exit_code,
            bytes(self._kept["stdout"]),
            bytes(self._kept["stderr"]),
            truncated=self.truncated,
            stdout_bytes=self._sizes["stdout"],
            stderr_bytes=self._sizes["stderr"],
        )
