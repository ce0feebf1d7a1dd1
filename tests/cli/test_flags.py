"""The flags of ``up`` belong to the project until they are given again or forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import App

FLAGS = [
    (["-e", "DEBUG=1"], "-e DEBUG", "env.DEBUG removed"),
    (["--memory", "4g"], "--memory 4g", "memory 4g -> 2g"),
    (["--port", "3456"], "--port 3456", ""),
    (["--no-deps"], "--no-deps", ""),
    (["--isolated"], "--isolated", "network changed"),
    (["npm", "run", "other"], "-- npm run other", "command npm run other -> "),
]


@pytest.mark.parametrize(("given", "words", "why"), FLAGS, ids=str)
def test_up_and_restart_keep_flags_until_they_are_reset(
    app: App, workspace: Path, given: list[str], words: str, why: str
) -> None:
    assert app("up", "--json", *given).project["flags"] == [words]
    for again in (["up"], ["restart"], ["start"], ["start", "shop"]):
        run = app(*again, "--json")
        assert run.project["action"] in ("unchanged", "restarted")
        assert run.project["flags"] == [words]
        assert f"shop keeps {words} of an earlier 'up'" in run.err
    assert app("status", "--json").project["flags"] == [words]
    assert app("status", "--json").project["drift"] == []
    reset = app("up", "--reset", "--json")
    assert (reset.project["action"], reset.project["flags"]) == ("recreated", [])
    assert why in reset.project["why"]
    assert "keeps" not in reset.err


def test_flags_of_several_runs_add_up(app: App, workspace: Path) -> None:
    app("up", "-e", "A=1", "--memory", "4g")
    run = app("up", "-e", "B=2", "--memory", "3g", "--json")
    assert run.project["flags"] == ["--memory 3g", "-e A", "-e B"]
    assert run.project["why"] == "memory 4g -> 3g, env.B added"
    assert "keeps -e A of" in run.err
    assert app("up", "--cpus", "1").out.startswith("shop recreated (cpus 2 -> 1), running")


def test_no_value_of_a_variable_is_told(app: App, workspace: Path) -> None:
    app("up", "-e", "TOKEN=hunter2")
    runs = [app("up", "-e", "TOKEN=swordfish"), app("up", "-v"), app("up", "--reset", "--json")]
    assert "env.TOKEN changed" in runs[0].out
    for run in runs:
        assert "hunter2" not in run.out + run.err
        assert "swordfish" not in run.out + run.err


def test_what_a_file_does_not_ask_for_any_more_is_named(app: App, workspace: Path) -> None:
    (workspace / "debughost.toml").write_text('memory = "1g"\n[env]\nDEBUG = "1"\n')
    app("up")
    (workspace / "debughost.toml").write_text("")
    assert "shop recreated (memory 1g -> 2g, env.DEBUG removed)" in app("up").out


def test_a_type_that_an_earlier_run_was_given_is_known(
    app: App, workspace: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    where = ("-w", str(folder))
    assert app("up", *where, "--json").error["code"] == "TYPE_UNKNOWN"
    assert app("up", *where, "--type", "node", "node", "server.js").code == 0
    assert app("up", *where, "--json").project["action"] == "unchanged"


def test_flags_go_with_the_container(app: App, workspace: Path) -> None:
    app("up", "--memory", "4g")
    app("rm")
    assert app("up", "--json").project["flags"] == []
