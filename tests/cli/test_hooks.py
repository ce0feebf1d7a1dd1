"""Hooks: what a project has run in its container before its program."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeEngine, Program

from cli.conftest import App

HOOKS = """
[hooks]
after_install = "npm run assets && echo done"
before_start = ["sh", "-c", "echo 'a b'"]
"""


def test_they_are_files_for_the_launcher(app: App, engine: FakeEngine, workspace: Path) -> None:
    (workspace / "debughost.toml").write_text(HOOKS)
    assert app("up").code == 0
    files = engine.container("shop").files
    assert files["/.debughost/after_install"].data == b"npm run assets && echo done"
    assert files["/.debughost/before_start"].data == b"""sh -c 'echo '"'"'a b'"'"''"""
    assert {files[f"/.debughost/{n}"].uid for n in ("after_install", "before_start")} == {0}


def test_a_project_without_hooks_has_none_of_it(app: App, engine: FakeEngine) -> None:
    assert app("up").code == 0
    assert not {"/.debughost/after_install", "/.debughost/before_start"} & set(
        engine.container("shop").files
    )


def test_other_hooks_make_a_new_container(app: App, workspace: Path) -> None:
    app("up")
    (workspace / "debughost.toml").write_text(HOOKS)
    run = app("up", "--json")
    assert (run.project["action"], run.project["why"]) == ("recreated", "hooks changed")
    assert app("up", "--json").project["action"] == "unchanged"
    (workspace / "debughost.toml").write_text(HOOKS.replace("done", "ready"))
    assert app("up", "--json").project["why"] == "hooks changed"
    (workspace / "debughost.toml").write_text("")
    assert app("up", "--json").project["why"] == "hooks changed"


@pytest.mark.parametrize(("hook", "code"), [("after_install", 3), ("before_start", 127)])
def test_one_that_fails_is_named(
    app: App, engine: FakeEngine, workspace: Path, hook: str, code: int
) -> None:
    (workspace / "debughost.toml").write_text(HOOKS)
    engine.program = Program(phase=f"{hook}_failed", exit_code=code, output=("no such table",))
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (7, "START_FAILED")
    assert hook in run.error["message"]
    assert run.error["details"]["hook"] == hook
    assert run.error["details"]["exit_code"] == code
    assert "no such table" in run.error["details"]["log_tail"]
    found = app("status", "--json").project
    assert found["state"] == "crashed"
    assert found["exit"]["message"] == f"its hook {hook} failed (exit code {code})"


@pytest.mark.parametrize("hook", ["after_install", "before_start"])
def test_they_count_as_install_and_not_as_start(
    app: App, engine: FakeEngine, workspace: Path, hook: str
) -> None:
    (workspace / "debughost.toml").write_text(HOOKS)
    engine.program = Program(phase=hook)
    run = app("up", "--wait-timeout", "0.01", "--install-timeout", "0.3", "--json")
    assert (run.code, run.error["code"]) == (6, "NOT_READY")
    assert "0.3 s" in run.error["message"]
    assert f"its hook {hook} still runs" in run.error["message"]
    assert f"Running the hook {hook}" in run.err


def test_they_are_shown(app: App, workspace: Path) -> None:
    (workspace / "debughost.toml").write_text(HOOKS)
    rows = app("config", "show", "--json").document["data"]["settings"]
    found = {r["name"]: (r["value"], r["source"]) for r in rows}
    assert found["hooks.after_install"] == ("npm run assets && echo done", "file")


@pytest.mark.parametrize(
    "text", ['hooks = "make"', "[hooks]\nstart = 'x'", "[hooks]\nbefore_start = 3"]
)
def test_what_is_no_table_of_hooks_is_refused(app: App, workspace: Path, text: str) -> None:
    (workspace / "debughost.toml").write_text(text)
    run = app("up", "--json")
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG")
    assert "hooks" in run.error["message"]
