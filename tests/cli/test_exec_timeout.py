"""``exec --timeout`` and ``run --timeout``: the options; the end itself needs a real command."""

from __future__ import annotations

import socket
import time

import pytest
from fakes import FakeEngine

from cli.conftest import App
from debughost_cli.engine.port import Codec, ExecSpec, OnOutput
from debughost_cli.errors import WaitTimeout
from debughost_cli.services import exec as exec_service
from debughost_cli.services.exec import ProjectExec


@pytest.mark.parametrize("command", ["exec", "run"])
@pytest.mark.parametrize("value", ["0", "-1", "soon"])
def test_a_time_that_is_none(app: App, command: str, value: str) -> None:
    assert app("up").code == 0
    run = app(command, "--json", f"--timeout={value}", "true")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert "--timeout" in run.error["message"]


@pytest.mark.parametrize("command", ["exec", "run"])
def test_a_command_that_ends_in_time(app: App, command: str) -> None:
    assert app("up").code == 0
    assert app(command, "--timeout", "60", "echo", "hello").out == "hello\n"


class Sleeper:
    """A command that ends when the engine was asked to send it one signal, and by no other."""

    def __init__(self, engine: FakeEngine, ends_by: str) -> None:
        self.engine = engine
        self.ends_by = ends_by

    def sent(self) -> list[str]:
        return [call[2][-1] for call in self.engine.changes if call[0] == "exec.run"]

    def pump(self, stdin: int | None, on_output: OnOutput) -> None:
        on_output("stdout", memoryview(b"debughost 42\n"))
        deadline = time.monotonic() + 20
        while self.ends_by not in self.sent() and time.monotonic() < deadline:
            time.sleep(0.01)

    def join(self, peer: socket.socket, codec: Codec) -> bool:
        """It is joined with nothing."""
        return False

    def is_silent(self) -> bool:
        return True

    def resize(self, rows: int, columns: int) -> None:
        """There is no terminal."""

    def wait(self) -> int:
        return 143

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize("ends_by", ["TERM", "KILL"])
def test_a_command_that_does_not_end_is_ended(
    app: App, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, ends_by: str
) -> None:
    if ends_by == "KILL":
        monkeypatch.setattr(exec_service, "KILLED_AFTER", 0.05)
    assert app("up").code == 0
    (container,) = engine.stored_containers.values()
    sleeper = Sleeper(engine, ends_by)
    running = ProjectExec(engine, sleeper, "shop", container.id, ExecSpec(("sleep", "100")))
    running.run(None, lambda stream, data: None, 0.05)
    with pytest.raises(WaitTimeout) as caught:
        running.finish()
    assert caught.value.details == {"timeout_seconds": 0.05, "exit_code": 143}
    assert sleeper.sent() == ["TERM", "KILL"][: 1 if ends_by == "TERM" else 2]
    assert running.exit_code == 143
