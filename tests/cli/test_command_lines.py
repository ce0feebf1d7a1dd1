"""What people type: where options end, ids as words, aliases."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine

from cli.conftest import App
from debughost_cli.engine.port import ExecResult

LINES = [
    ["pytest", "-q"],
    ["mkdir", "-p", "foo"],
    ["pip", "--help"],
    ["npm", "run", "build", "--", "--watch"],
    ["node", "-e", "1", "--json"],
    ["tail", "-n", "1", "-v", "--no-color", "x"],
]


@pytest.mark.parametrize("dashes", [[], ["--"]])
@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_exec_passes_on_all_that_follows_the_first_word(
    app: App, workspace: Path, engine: FakeEngine, line: list[str], dashes: list[str]
) -> None:
    assert app("up").code == 0
    engine.execs[tuple(line)] = ExecResult(3, b"it ran\n", b"")
    run = app("exec", "-p", "shop", "-e", "A=1", *dashes, *line)
    assert (run.code, run.out) == (3, "it ran\n")
    document = app("exec", "--json", *dashes, *line).document
    assert document["data"]["stdout"] == "it ran\n"


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_up_passes_on_all_that_follows_the_first_word(
    app: App, workspace: Path, line: list[str]
) -> None:
    project = app("up", "--json", "--dry-run", *line).project
    assert project["command"] == line


def test_an_unknown_option_before_the_first_word_is_refused_as_before(app: App) -> None:
    run = app("exec", "--json", "--bogus", "ls")
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert app("exec", "--bogus", "ls", "--help").code == 2


def test_ids_are_taken_as_words(app: App, workspace: Path) -> None:
    for project in ("one", "two", "three"):
        assert app("up", "-p", project).code == 0
    assert set(app("status", "one", "two", "--json").projects) == {"one", "two"}
    assert set(app("stop", "one", "-p", "two", "--json").projects) == {"one", "two"}
    assert app("wait", "three", "--for", "running").code == 0
    assert app("logs", "three").code == 0
    assert set(app("rm", "one", "two", "--json").projects) == {"one", "two"}
    assert app("stop", "Not An Id", "--json").error["code"] == "INVALID_PROJECT"


def test_start_brings_projects_up_with_what_they_were_given(app: App, workspace: Path) -> None:
    assert app("up", "-p", "one", "-e", "A=1", "--port", "3456").code == 0
    assert app("stop", "one").code == 0
    project = app("start", "one", "--json").project
    assert (project["action"], project["port"]) == ("started", 3456)
    assert app("start", "one", "--json").project["action"] == "unchanged"
    assert app("start", "nobody", "--json").error["code"] == "PROJECT_NOT_FOUND"


def test_start_in_a_folder_without_a_project_is_up(app: App, workspace: Path) -> None:
    assert app("start", "--json").project["action"] == "created"


@pytest.mark.parametrize(("alias", "command"), [("down", "rm"), ("ps", "status"), ("ls", "status")])
def test_an_alias_is_the_command(app: App, workspace: Path, alias: str, command: str) -> None:
    assert app("up").code == 0
    document = app("--host", "tcp://x", alias, "-p", "shop", "--json").document
    assert (document["command"], document["ok"]) == (command, True)


@pytest.mark.parametrize("words", [[], ["up"], ["network", "ensure"], ["down"]])
def test_help_is_a_command_too(
    app: App, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert app(*words, "--help").code == 0
    wanted = capsys.readouterr().out
    assert app("help", *words).code == 0
    assert capsys.readouterr().out == wanted
    assert "Usage: debughost" in wanted


@pytest.mark.parametrize("words", [["rm"], ["rm", "--volumes"], ["rm", "--dry-run"]])
def test_what_does_not_exist_can_be_removed(app: App, workspace: Path, words: list[str]) -> None:
    assert app(*words, "gone", "--json").error["code"] == "PROJECT_NOT_FOUND"
    document = app(*words, "gone", "--if-exists", "--json").document
    assert (document["changed"], document["data"]["projects"][0]["action"]) == (False, "unchanged")
    assert app(*words, "gone", "--if-exists").out == "gone does not exist\n"
    assert app("up").code == 0
    found = app(*words, "gone", "shop", "--if-exists", "--json").projects
    assert [found[p]["action"] for p in ("gone", "shop")] == ["unchanged", "removed"]


@pytest.mark.parametrize("command", ["stop", "rm", "restart", "logs", "wait", "status"])
@pytest.mark.parametrize(
    ("typed", "near"), [("shp", "shop"), ("shop-ap", "shop-api"), ("wbe", "web")]
)
def test_an_id_that_does_not_exist_suggests_near_ones(
    app: App, workspace: Path, command: str, typed: str, near: str
) -> None:
    for project in ("shop", "shop-api", "web"):
        assert app("up", "-p", project).code == 0
    run = app(command, typed)
    assert run.code == 3
    assert "Did you mean" in run.err
    assert near in run.err.partition("Did you mean")[2].partition("?")[0]
    assert "Did you mean" not in app(command, "zzzz").err


@pytest.mark.parametrize("words", [[], ["up"], ["exec"], ["network", "ensure"]])
def test_help_has_examples_exit_codes_and_a_link(
    app: App, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert app(*words, "--help").code == 0
    out = capsys.readouterr().out
    assert f"debughost {' '.join(words)}".strip() in out.partition("Examples:")[2]
    assert "Exit codes: " in out
    assert "https://" in out
    assert "..." not in out.partition("Commands:")[2].partition("Examples:")[0]
