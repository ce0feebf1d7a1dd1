"""Commands in containers of the fake engine."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from debughost_cli.engine.port import Codec, Conflict, ExecResult, ExecSpec, OnOutput
from fakes.calls import Part, changing


class FakeExecution:
    """A command that has ended as soon as it is read."""

    def __init__(self, result: ExecResult, process: int | None) -> None:
        self._result = result
        self._process = process

    def pump(self, stdin: int | None, on_output: OnOutput) -> None:
        if self._process is not None:
            on_output("stdout", memoryview(b"debughost %d\n" % self._process))
        for stream in ("stdout", "stderr"):
            data = getattr(self._result, stream)
            if data:
                on_output(stream, memoryview(data))

    def join(self, peer: socket.socket, codec: Codec) -> bool:
        """Nothing listens in the fake's containers."""
        codec.output("stdout", b"F\xff\xff\xff\xff")
        return True

    def is_silent(self) -> bool:
        return True

    def resize(self, rows: int, columns: int) -> None:
        """There is no terminal."""

    def wait(self) -> int:
        return self._result.exit_code

    def close(self) -> None:
        """Nothing is held."""


class FakeExec(Part):
    """Commands in containers."""

    name = "exec"

    @changing
    def start(self, ref: str, spec: ExecSpec) -> FakeExecution:
        """Knows the commands in ``execs``, and the wrapper that ``exec`` puts around its own."""
        self._check_running(ref)
        is_wrapped = len(spec.command) > 5 and spec.command[3] == "debughost"
        command = spec.command[6:] if is_wrapped else spec.command
        return FakeExecution(self._result_of(command), 42 if is_wrapped else None)

    @changing
    def run(
        self, ref: str, command: Sequence[str], *, user: str = "", workdir: str = ""
    ) -> ExecResult:
        self._check_running(ref)
        return self._result_of(tuple(command))

    def _check_running(self, ref: str) -> None:
        found = self.engine.find_container(ref)
        if found.status != "running":
            raise Conflict(f"Container {found.id} is not running")

    def _result_of(self, command: tuple[str, ...]) -> ExecResult:
        if command in self.engine.execs:
            return self.engine.execs[command]
        word, *rest = command
        if word == "echo":
            return ExecResult(0, " ".join(rest).encode() + b"\n", b"")
        return ExecResult({"true": 0, "false": 1}.get(word, 127), b"", b"")
