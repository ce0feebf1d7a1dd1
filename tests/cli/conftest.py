"""The whole program over an engine in memory: arguments in, exit code and streams out."""

from __future__ import annotations

import io
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes import FakeEngine

from debughost_cli.api import Connect
from debughost_cli.cli import signals
from debughost_cli.cli.app import main
from debughost_cli.cli.session import Session
from debughost_cli.render.streams import Streams

if TYPE_CHECKING:
    from debughost_cli.cli.session import SessionProgress

ENVELOPE = {
    "schema_version", "ok", "command", "changed", "data", "warnings", "error", "next", "engine",
    "duration_ms",
}  # fmt: skip
ERROR = {"code", "message", "hint", "retryable", "details"}


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


@dataclass
class Run:
    """What one run of the program came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The envelope, checked for its shape; stdout must hold nothing else."""
        made = json.loads(self.out)
        assert set(made) == ENVELOPE
        check_envelope(made, self.code)
        return made

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The objects of a stream; the last is the envelope."""
        found = [json.loads(line) for line in self.out.splitlines()]
        assert all("type" in line for line in found), found[-1]
        last = found[-1]
        assert last["type"] == "result"
        assert set(last) == ENVELOPE | {"type"}
        check_envelope(last, self.code)
        return found

    @property
    def error(self) -> dict[str, Any]:
        """The envelope's error."""
        found = self.document["error"]
        assert found, self.document
        return found

    @property
    def project(self) -> dict[str, Any]:
        """The only project of the result."""
        (found,) = self.document["data"]["projects"]
        return found

    @property
    def projects(self) -> dict[str, dict[str, Any]]:
        return {p["project"]: p for p in self.document["data"]["projects"]}


def check_envelope(made: dict[str, Any], code: int) -> None:
    assert made["schema_version"] == 1
    assert made["ok"] is (made["error"] is None)
    assert isinstance(made["changed"], bool)
    assert isinstance(made["duration_ms"], int)
    assert all(set(w) == {"code", "message"} for w in made["warnings"])
    assert all(n.startswith("debughost ") for n in made["next"])
    if made["engine"] is not None:
        assert set(made["engine"]) == {"endpoint", "source", "version"}
    if made["error"] is not None:
        assert set(made["error"]) == ERROR
        assert code != 0


class App:
    """The program, on one engine, or on those that ``connect`` knows."""

    def __init__(self, engine: FakeEngine | None, connect: Connect | None = None) -> None:
        self.engine = engine
        self.connect = connect
        self.progress: SessionProgress | None = None

    def __call__(
        self,
        *argv: str,
        stdin: io.StringIO | None = None,
        stdout: io.StringIO | None = None,
        stderr: io.StringIO | None = None,
    ) -> Run:
        out, err = stdout or io.StringIO(), stderr or io.StringIO()
        streams = Streams(stdin or io.StringIO(), out, err)
        handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            signals.install()
            session = Session(
                streams,
                given_engine=self.engine,
                given_connect=self.connect,
                given_progress=self.progress,
            )
            code = main([*argv], session=session)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return Run(code, out.getvalue(), err.getvalue())


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's user counts."""
    for name in list(os.environ):
        if name.startswith(("DEBUGHOST", "DOCKER_", "FORCE_COLOR", "NO_COLOR", "_DEBUGHOST")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a Node.js project called shop."""
    folder = tmp_path / "shop"
    node_project(folder)
    monkeypatch.chdir(folder)
    return folder


def node_project(folder: Path) -> Path:
    """A folder with what a Node.js project needs."""
    folder.mkdir()
    package = {
        "name": folder.name,
        "scripts": {"dev": "node server.js"},
        "dependencies": {"express": "5"},
    }
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "package-lock.json").write_text('{"lockfileVersion": 3}')
    return folder


@pytest.fixture
def engine() -> FakeEngine:
    """An engine that has the base images."""
    made = FakeEngine()
    made.add_base_images()
    return made


@pytest.fixture
def app(engine: FakeEngine, workspace: Path) -> App:
    return App(engine)
