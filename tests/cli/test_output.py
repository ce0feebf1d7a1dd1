"""stdout is data, stderr is talk; the envelope; the options of every command."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, listens

from cli.conftest import App, Terminal
from debughost_cli import __version__
from debughost_cli.errors import EngineError, ExitCode
from debughost_cli.models import Warn
from debughost_cli.services.progress import NullProgress

ESCAPE = "\x1b["


@pytest.fixture
def up(app: App, workspace: Path) -> None:
    assert app("up").code == 0


# --json, in both positions, and by variable


@pytest.mark.parametrize(
    "argv",
    [
        ["--json", "up"], ["up", "--json"], ["--json", "up", "--json"],
        ["--json", "network", "ensure"], ["network", "--json", "ensure"],
        ["network", "ensure", "--json"], ["--json", "volumes", "ls"], ["images", "ls", "--json"],
    ],
)  # fmt: skip
def test_json_may_stand_before_and_after_the_command(app: App, argv: list[str]) -> None:
    run = app(*argv)
    assert run.code == 0
    assert run.document["command"] == " ".join(a for a in argv if a != "--json")
    assert len(run.out.splitlines()) == 1


@pytest.mark.parametrize("argv", [["up"], ["network", "ensure"], ["status"]])
def test_json_by_variable(app: App, argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUGHOST_OUTPUT", "json")
    assert app(*argv).document["ok"] is True


def test_the_variable_may_say_text(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUGHOST_OUTPUT", "text")
    assert app("up").out.startswith("shop created")
    assert app("up", "--json").document["ok"] is True


def test_a_variable_that_says_neither(
    app: App, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUGHOST_OUTPUT", "xml")
    run = app("up")
    assert (run.code, run.out) == (2, "")
    assert "DEBUGHOST_OUTPUT" in run.err
    assert app("up", "--json").error["code"] == "USAGE"
    assert engine.changes == []


# The envelope's shape: Run.document checks the keys


@pytest.mark.parametrize(
    ("argv", "code", "command"),
    [
        (["up", "--json"], 0, "up"),
        (["stop", "-p", "nobody", "--json"], 3, "stop"),
        (["up", "--json", "--bogus"], 2, "up"),
        (["--json", "--bogus"], 2, ""),
        (["--json", "bogus"], 2, ""),
        (["--json"], 2, ""),
        (["network", "--json"], 2, "network"),
        (["network", "bogus", "--json"], 2, "network"),
        (["up", "--json", "--port"], 2, "up"),
        (["logs", "--bogus", "--json"], 2, "logs"),
        (["images", "build", "ruby", "--json"], 2, "images build"),
    ],
)
def test_there_is_one_document_whatever_happens(
    app: App, argv: list[str], code: int, command: str
) -> None:
    run = app(*argv)
    made = json.loads(run.out)
    made.pop("type", None)
    assert run.code == code
    assert made["command"] == command
    assert (made["error"] is None) is (code == 0)
    assert "Usage:" not in run.out + run.err


def test_the_engine_is_named_with_where_its_address_came_from(app: App, engine: FakeEngine) -> None:
    assert app("up", "--json").document["engine"] == {
        "endpoint": engine.info.endpoint,
        "source": "flag",
        "version": "28.5.2",
    }


def test_before_an_engine_was_needed_there_is_none(app: App) -> None:
    assert app("up", "--json", "--bogus").document["engine"] is None


def test_json_is_ascii_alone(app: App, engine: FakeEngine, workspace: Path) -> None:
    engine.program = listens()
    app("up", "--", "echo", "zwölf \u2028 €")
    run = app("status", "--json")
    assert run.out.isascii()
    assert run.project["command"] == ["echo", "zwölf \u2028 €"]


def test_words_after_two_dashes_are_the_commands_own(app: App, engine: FakeEngine) -> None:
    run = app("up", "--", "npm", "--json", "-q", "--bogus", "--")
    assert run.code == 0
    assert run.out.startswith("shop created")
    assert engine.container("shop").spec.command == ("npm", "--json", "-q", "--bogus", "--")


# Where it goes


def test_people_get_data_on_stdout_and_talk_on_stderr(app: App) -> None:
    run = app("up")
    assert run.out == "shop created, running at http://127.0.0.1:3725\n"
    assert "Creating container" in run.err


def test_json_keeps_its_progress_on_stderr(app: App) -> None:
    run = app("up", "--json")
    assert "Creating container" in run.err
    assert len(run.out.splitlines()) == 1


@pytest.mark.parametrize("flag", ["--quiet", "-q"])
@pytest.mark.parametrize("before", [True, False])
def test_quiet(app: App, flag: str, before: bool) -> None:
    run = app(flag, "up") if before else app("up", flag)
    assert run.err == ""
    assert run.out.startswith("shop created")


def test_quiet_does_not_hide_errors(app: App) -> None:
    run = app("stop", "-q", "-p", "nobody")
    assert (run.code, run.out) == (3, "")
    assert "PROJECT_NOT_FOUND" in run.err


def test_an_error_for_people_has_its_code_and_a_hint(app: App) -> None:
    run = app("stop", "-p", "nobody")
    assert run.out == ""
    error, hint = run.err.splitlines()
    assert error.startswith("Error: ")
    assert error.endswith("[PROJECT_NOT_FOUND]")
    assert hint.startswith("Hint: ")


def test_a_usage_error_for_people(app: App) -> None:
    run = app("up", "--bogus")
    assert run.code == 2
    assert "--bogus" in run.err
    assert "debughost up --help" in run.err


# Colour


@pytest.mark.parametrize(
    ("variables", "argv", "tty", "color"),
    [
        ({}, [], False, False),
        ({}, [], True, True),
        ({"NO_COLOR": "1"}, [], True, False),
        ({"TERM": "dumb"}, [], True, False),
        ({}, ["--no-color"], True, False),
        ({"FORCE_COLOR": "1"}, [], False, True),
        ({"FORCE_COLOR": "1"}, ["--no-color"], False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False, False),
    ],
)
def test_colour_of_errors(
    app: App,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    argv: list[str],
    tty: bool,
    color: bool,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    run = app("stop", "-p", "nobody", *argv, stderr=Terminal() if tty else None)
    assert (ESCAPE in run.err) is color


@pytest.mark.usefixtures("up")
def test_a_table_in_a_terminal_has_colour_and_piped_it_has_none(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ESCAPE in app("status", stdout=Terminal()).out
    assert ESCAPE not in app("status").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in app("status", stdout=Terminal()).out


def test_json_has_no_colour_even_in_a_terminal(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert ESCAPE not in app("up", "--json", stdout=Terminal(), stderr=Terminal()).out


def test_control_characters_of_others_reach_no_terminal(app: App, engine: FakeEngine) -> None:
    engine.fail("containers.list", EngineError("odd \x1b[2J\x07 words"), times=5)
    run = app("status", stdout=Terminal(), stderr=Terminal())
    assert "\x1b[2J" not in run.err
    assert r"\x1b[2J" in run.err


# Help and version


@pytest.mark.parametrize("argv", [["--version"], ["--json", "--version"]])
def test_the_version(app: App, argv: list[str]) -> None:
    run = app(*argv)
    assert (run.code, run.out) == (0, f"debughost {__version__}\n")


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize(
    "path", [[], ["up"], ["network"], ["network", "ensure"], ["images", "build"]]
)
def test_help(app: App, capsys: pytest.CaptureFixture[str], path: list[str], flag: str) -> None:
    run = app(*path, flag)
    shown = run.out + capsys.readouterr().out
    assert run.code == 0
    assert "Usage: debughost" in shown
    assert "--json" in shown
    assert app.engine.calls == []


@pytest.mark.parametrize("path", [[], ["network"], ["volumes"], ["images"]])
def test_a_group_by_itself_shows_its_help(app: App, path: list[str]) -> None:
    run = app(*path)
    assert (run.code, run.err) == (0, "")
    assert "Usage: debughost" in run.out


@pytest.mark.parametrize("typo", ["statsu", "pu", "netwrok"])
def test_an_unknown_command(app: App, typo: str) -> None:
    run = app(typo)
    assert (run.code, run.out) == (2, "")
    assert typo in run.err


# Every command takes the common options


def commands() -> list[str]:
    out = io.StringIO()
    from debughost_cli.cli.app import main
    from debughost_cli.cli.session import Session
    from debughost_cli.render.streams import Streams

    main(["schema", "--commands", "--json"], Session(Streams(io.StringIO(), out, out)))
    tree = json.loads(out.getvalue())["data"]["commands"]
    flat = [c for entry in tree for c in (entry, *entry.get("commands", []))]
    return [c["command"] for c in flat]


COMMANDS = commands()


def test_every_command_of_the_contract_is_there() -> None:
    assert {
        "up", "stop", "restart", "rm", "status", "logs", "wait", "exec", "shell", "events",
        "network ensure", "network inspect", "network rm", "volumes ls", "volumes prune",
        "images ls", "images build", "images pull", "doctor", "init", "config show",
        "config validate", "schema", "completion", "guide",
    } <= set(COMMANDS)  # fmt: skip


def test_the_guide_comes_as_files_that_agents_read(app: App) -> None:
    plain = app("guide").out.strip()
    skill = app("guide", "--format", "skill").out
    _, head, body = skill.split("---\n", 2)
    assert head.startswith("name: debughost\ndescription: ")
    assert plain in body
    section = app("guide", "--format", "agents", "--json").document["data"]["guide"]
    assert section.startswith("## ")
    assert plain in section
    run = app("guide", "--format", "pdf", "--json")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert "skill" in run.error["hint"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_the_common_options(
    app: App, capsys: pytest.CaptureFixture[str], command: Any
) -> None:
    shown = app(*command.split(), "--help").out + capsys.readouterr().out
    for option in ("--json", "--host", "-H", "--context", "-c", "--quiet", "-q", "--verbose", "-v",
                   "--no-color", "--no-input"):  # fmt: skip
        assert re.search(rf"(^|[\s,|]){re.escape(option)}\b", shown), option


# Interruptions and readers that go away


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_takes_back_what_was_half_made(
    app: App, engine: FakeEngine, workspace: Path, number: Any, code: int
) -> None:
    app("network", "ensure")
    world = engine.snapshot()
    engine.before("containers.start", lambda: os.kill(os.getpid(), number))
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (code, "INTERRUPTED")
    assert engine.snapshot() == world
    assert not (workspace / "node_modules").exists()


class Killing(io.StringIO):
    """A stream each of whose writes is interrupted."""

    def write(self, text: str) -> int:
        written = super().write(text)
        os.kill(os.getpid(), signal.SIGTERM)
        return written


class KillingProgress(NullProgress):
    """An observer whose end is interrupted: the work is done, and nothing is printed yet."""

    def __init__(self) -> None:
        self.warnings: list[Warn] = []

    def mute(self) -> None: ...

    def done(self, *, ok: bool = True) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("json_", [True, False], ids=["json", "text"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("words", "code"), [("rm -p shop", 0), ("status", 0), ("up --nope", 2)])
def test_a_signal_when_the_work_is_done_takes_neither_result_nor_exit_code_away(
    app: App, up: None, words: str, code: int, moment: str, json_: bool
) -> None:
    app.progress = KillingProgress() if moment == "before" else None
    stdout = Killing() if moment == "after" else None
    run = app(*words.split(), *(["--json"] if json_ else []), stdout=stdout)
    assert run.code == code
    if json_:
        assert run.document["command"] == words.partition(" ")[0]
        assert run.document["ok"] is (code == 0)
    elif code:
        assert "no such option: --nope" in run.err.lower()
    else:
        assert "shop" in run.out


def test_a_signal_ends_a_result_that_nobody_reads(app: App, up: None) -> None:
    class Stuck(io.StringIO):
        def write(self, text: str) -> int:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
            return super().write(text)

    began = time.monotonic()
    assert app("status", "--json", stdout=Stuck()).code == 143
    assert time.monotonic() - began < 10


class Closed(io.StringIO):
    """A pipe whose reader went away."""

    def write(self, text: Any) -> Any:
        if text:
            raise BrokenPipeError
        return 0


@pytest.mark.parametrize(
    "argv", [["up"], ["up", "--json"], ["status"], ["logs", "--json"], ["--help"]]
)
def test_a_reader_that_goes_away_is_no_defect(
    app: App, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    app("up")
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    run = app(*argv, stdout=Closed())
    if getattr(sys.stdout, "name", "") == os.devnull:
        sys.stdout.close()
    assert run.code in (0, 141)
    assert "defect" not in run.err


# Defects


def test_a_defect_is_reported_as_such_without_a_traceback(app: App, engine: FakeEngine) -> None:
    engine.fail("containers.list", ZeroDivisionError("odd"), times=5)
    run = app("status", "--json")
    assert (run.code, run.error["code"]) == (1, "INTERNAL")
    assert "Traceback" not in run.err + run.out
    engine.fail("containers.list", ZeroDivisionError("odd"), times=5)
    assert "Traceback" in app("status", "--verbose").err


def test_exit_codes_are_the_contracts() -> None:
    assert {e.name: int(e) for e in ExitCode} == {
        "OK": 0, "INTERNAL": 1, "USAGE": 2, "NOT_FOUND": 3, "ENGINE": 4, "CONFLICT": 5,
        "TIMEOUT": 6, "PROJECT_FAILED": 7, "PARTIAL": 8, "NO_SPACE": 9, "SIGINT": 130,
        "SIGTERM": 143,
    }  # fmt: skip


# Reaching the engine


@pytest.mark.parametrize(
    ("argv", "variables", "code"),
    [
        (["-c", "nope"], {}, "CONTEXT_NOT_FOUND"),
        (["--context", "nope"], {"DEBUGHOST_HOST": "unix:///x"}, "CONTEXT_NOT_FOUND"),
        ([], {"DEBUGHOST_CONTEXT": "nope"}, "CONTEXT_NOT_FOUND"),
        ([], {"DOCKER_CONTEXT": "nope"}, "CONTEXT_NOT_FOUND"),
        (["-H", "nonsense"], {}, "USAGE"),
        (["-H", "tcp://x:1", "-c", "y"], {}, "USAGE"),
        ([], {"DOCKER_HOST": "nonsense"}, "INVALID_CONFIG"),
        ([], {"DOCKER_HOST": "nonsense", "DOCKER_CONTEXT": "nope"}, "INVALID_CONFIG"),
        (["-c", "nope"], {"DOCKER_HOST": "nonsense"}, "CONTEXT_NOT_FOUND"),
    ],
)
def test_a_bad_address_is_reported_at_once(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    variables: dict[str, str],
    code: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert App(None)("status", "--json", *argv).error["code"] == code
    assert App(None)(*argv, "status", "--json").error["code"] == code


def test_no_engine_is_needed_for_help_and_bad_input(workspace: Path) -> None:
    app = App(FakeEngine())
    for argv in (["--help"], ["--version"], ["up", "--bogus"], ["up", "--pull", "x"], ["images"]):
        app(*argv)
    assert app.engine.calls == []
