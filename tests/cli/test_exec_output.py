"""``exec --json`` keeps a limited part of what a command writes, and says how much there was."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine

from cli.conftest import App
from debughost_cli import DebugHost
from debughost_cli.engine.output_buffer import OutputBuffer
from debughost_cli.engine.port import ExecResult

MIB = 1024**2
YES = ("yes",)


@pytest.fixture(autouse=True)
def up(app: App, workspace: Path, engine: FakeEngine) -> None:
    engine.execs[YES] = ExecResult(0, b"y\n" * MIB, b"a warning\n")
    assert app("up").code == 0


def test_each_stream_is_cut_at_1_mib(app: App) -> None:
    run = app("exec", "--json", "--", *YES)
    assert run.code == 0
    assert run.document["data"] == {
        "exit_code": 0,
        "stdout": "y\n" * (MIB // 2),
        "stderr": "a warning\n",
        "truncated": True,
        "stdout_bytes": 2 * MIB,
        "stderr_bytes": 10,
    }


@pytest.mark.parametrize(("value", "kept"), [("10", 10), ("1k", 1024)])
def test_the_limit_can_be_chosen(app: App, value: str, kept: int) -> None:
    data = app("exec", "--json", "--max-bytes", value, "--", *YES).document["data"]
    assert (len(data["stdout"]), len(data["stderr"])) == (kept, 10)
    assert data["truncated"] is True


def test_nothing_is_cut_below_it(app: App) -> None:
    data = app("exec", "--json", "--max-bytes", "2m", "--", *YES).document["data"]
    assert (len(data["stdout"]), data["truncated"]) == (2 * MIB, False)


def test_text_is_passed_on_whole(app: App) -> None:
    assert len(app("exec", "--", *YES).out) == 2 * MIB


@pytest.mark.parametrize("value", ["0", "-1", "many", "1x", ""])
def test_a_limit_that_is_none(app: App, value: str) -> None:
    run = app("exec", "--json", f"--max-bytes={value}", "--", *YES)
    assert (run.code, run.document["error"]["code"]) == (2, "USAGE")
    assert "--max-bytes" in run.document["error"]["message"]


def test_no_character_is_cut_in_the_middle() -> None:
    buffer = OutputBuffer(5)
    buffer("stdout", memoryview("äöü".encode()))
    buffer("stderr", memoryview(b"\xc3"))
    assert (buffer.text("stdout"), buffer.size("stdout")) == ("äö", 6)
    assert buffer.text("stderr") == "\ufffd"


def test_the_library_cuts_as_well(engine: FakeEngine) -> None:
    with DebugHost(engine=engine) as host:
        cut = host.exec(YES)
        whole = host.exec(YES, max_bytes=4 * MIB)
    assert (len(cut.stdout), cut.truncated, cut.stdout_bytes) == (MIB, True, 2 * MIB)
    assert (len(whole.stdout), whole.truncated) == (2 * MIB, False)
