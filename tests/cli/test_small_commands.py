"""What hands type: ``open``, ``config set``, and words of other programs."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cli.conftest import App, Terminal


def test_the_page_of_a_project(app: App, workspace: Path) -> None:
    url = app("up", "--json").project["url"]
    assert app("open").out == f"{url}\n"
    assert app("open", "shop", "--print").out == f"{url}\n"
    data = app("open", "--json").document["data"]
    assert data == {"project": "shop", "url": url, "opened": False}


def test_a_browser_is_opened_where_somebody_looks(
    app: App, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = app("up", "--json").project["url"]
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" >>{opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setattr("webbrowser._tryorder", None)
    terminal = {"stdin": Terminal(), "stdout": Terminal(), "stderr": Terminal()}
    assert app("open", "--print", **terminal).code == 0
    assert not opened.exists()
    assert app("open", **terminal).code == 0
    assert opened.read_text() == f"{url}\n"


def test_a_project_without_a_page(app: App, workspace: Path) -> None:
    assert app("open", "--json").error["code"] == "PROJECT_NOT_FOUND"
    assert app("up").code == 0
    assert app("stop").code == 0
    assert app("open", "--json").error["code"] == "PROJECT_NOT_FOUND"
    assert app("up", "--port", "none").code == 0
    assert app("open", "--json").error["code"] == "USAGE"


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        (None, "port", "3100", "port = 3100\n"),
        ("# mine\nport = 3000  # why\n", "port", "3100", "# mine\nport = 3100  # why\n"),
        ('memory = "1g"', "memory", "2g", 'memory = "2g"\n'),
        ("# memory = '2g'\n\n[env]\nA = '1'\n", "memory", "4g",
         "# memory = '2g'\nmemory = \"4g\"\n\n[env]\nA = '1'\n"),
        ("[env]\nA = '1'\n", "isolated", "true", "isolated = true\n[env]\nA = '1'\n"),
        ("command = [\n  'npm',\n  'start',\n]\ncpus = 1\n", "command", '["npm", "test"]',
         'command = ["npm", "test"]\ncpus = 1\n'),
        ("[env]\nA = '1'\n\n[hooks]\n", "env.B", "two words",
         "[env]\nA = '1'\nB = \"two words\"\n\n[hooks]\n"),
        ("env = { A = '1' }  # ours\n", "env.B", "2", "env = { A = '1', B = 2}  # ours\n"),
        ("env.A = '1'\n", "env.B", "x", "env.A = '1'\nenv.B = \"x\"\n"),
        ("[services]\ndb = { image = 'postgres:17' }  # ours\n", "services.db.publish", "5433",
         "[services]\ndb = { image = 'postgres:17', publish = 5433}  # ours\n"),
        ("[services]\ndb = 'postgres:17'  # ours\n", "services.db.publish", "5433",
         '[services]\ndb = { image = "postgres:17", publish = 5433 }  # ours\n'),
        ("[services.db]\nimage = 'postgres:17'\n", "services.db.env.TZ", "UTC",
         "[services.db]\nimage = 'postgres:17'\n\n[services.db.env]\nTZ = \"UTC\"\n"),
        ("cpus = 1\n", "services.my-db", "postgres:17",
         'cpus = 1\n\n[services]\nmy-db = "postgres:17"\n'),
        ("[ports]\nmail-ui = 8025\n", "ports.mail-ui", "8026", "[ports]\nmail-ui = 8026\n"),
        ("cpus = 1\r\n# ours\r\n", "port", "3100", "cpus = 1\r\n# ours\r\nport = 3100\r\n"),
        ("cpus = 1\n", "env.DEBUG", "1", 'cpus = 1\n\n[env]\nDEBUG = 1\n'),
        ("cpus = 1\n", "wait-timeout", "90", "cpus = 1\nwait_timeout = 90\n"),
        ("", "project", "web-2", 'project = "web-2"\n'),
        ("text = 1", "port", "auto", None),
    ],
)  # fmt: skip
def test_a_setting_is_written(
    app: App, workspace: Path, before: str | None, key: str, value: str, after: str | None
) -> None:
    file = workspace / "debughost.toml"
    if before is not None:
        file.write_text(before, newline="")
        file.chmod(0o640)
    run = app("config", "set", key, value, "--json")
    if after is None:
        assert (run.code, file.read_text()) == (0, 'text = 1\nport = "auto"\n')
        return
    assert (run.code, file.read_bytes().decode()) == (0, after), run.out
    assert run.document["changed"] is True
    if before:
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert app("config", "set", key, value, "--json").document["changed"] is False
    assert app("config", "validate").code == 0


@pytest.mark.parametrize(
    ("key", "value", "code", "words"),
    [
        ("prot", "1", "USAGE", "'port'"),
        ("nothing", "1", "USAGE", "Settings: "),
        ("shared_cache", "true", "USAGE", "config.toml"),
        ("env", "1", "USAGE", "env.DEBUG"),
        ("port", "many", "INVALID_PORT", "3100"),
        ("cpus", "-1", "INVALID_CONFIG", "cpus"),
        ("memory", "lots", "INVALID_CONFIG", "memory"),
    ],
)
def test_what_cannot_be_set(
    app: App, workspace: Path, key: str, value: str, code: str, words: str
) -> None:
    run = app("config", "set", "--json", "--", key, value)
    assert (run.code, run.error["code"]) == (2, code)
    assert words in run.error["message"] + run.error["hint"] or code == "INVALID_PORT"
    assert not (workspace / "debughost.toml").exists()


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("[tool.debughost]\ncpus = 1  # few\n\n[tool.ruff]\n", "port", "3100",
         "[tool.debughost]\ncpus = 1  # few\nport = 3100\n\n[tool.ruff]\n"),
        ("[tool.debughost]\ncpus = 1  # few\n[tool.ruff]\n", "cpus", "2",
         "[tool.debughost]\ncpus = 2  # few\n[tool.ruff]\n"),
        ("[tool]\ndebughost = { cpus = 1 }\n", "env.A", "x",
         '[tool]\ndebughost = { cpus = 1, env = {A = "x"}}\n'),
        ("[project]\nname = 'x'\n[tool.debughost.env]\nA = '1'\n", "env.B", "x",
         "[project]\nname = 'x'\n[tool.debughost.env]\nA = '1'\nB = \"x\"\n"),
    ],
)  # fmt: skip
def test_settings_in_pyproject_stay_there(
    app: App, workspace: Path, before: str, key: str, value: str, after: str
) -> None:
    file = workspace / "pyproject.toml"
    file.write_text(f"# ours\n{before}")
    run = app("config", "set", key, value, "--json")
    assert (run.code, run.document["data"]["file"]) == (0, str(file))
    assert file.read_text() == f"# ours\n{after}"
    assert not (workspace / "debughost.toml").exists()
    shown = app("config", "show", "--json").document["data"]
    assert key in {s["name"] for s in shown["settings"] if s["source"] == "file"}


def test_values_are_shown_as_a_file_has_them(app: App, workspace: Path) -> None:
    (workspace / "debughost.toml").write_text(
        'command = ["npm", "start"]\nmemory = "1g"\ncpus = 1.5\ndebug = true\nstable = 2\n'
    )
    lines = app("config", "show").out.splitlines()
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in lines}
    assert rows["command"] == '["npm", "start"] file'
    assert rows["memory"] == "1 GiB file"
    assert rows["cpus"] == "1.5 file"
    assert rows["debug"] == "true file"
    assert rows["stable"] == "2 file"
    assert rows["isolated"] == "false default"


def test_a_pyproject_without_settings_gets_none(app: App, workspace: Path) -> None:
    (workspace / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert app("config", "set", "port", "3100").code == 0
    assert (workspace / "debughost.toml").read_text() == "port = 3100\n"


@pytest.mark.parametrize(
    ("text", "key", "value", "words"),
    [
        ("services = ['postgres:17']\n", "services.postgres.publish", "5433", "by hand"),
        ("[services]\ndb = 'x:1'\n", "services.db.prot", "1", "prot"),
        ("[services]\ndb = 'x:1'\n", "services.db.port", "many", "port"),
        ("", "services.No_Name", "x:1", "No_Name"),
    ],
)
def test_a_service_that_cannot_be_set_so(
    app: App, workspace: Path, text: str, key: str, value: str, words: str
) -> None:
    file = workspace / "debughost.toml"
    file.write_text(text)
    error = app("config", "set", key, value, "--json").error
    assert error["code"] == "INVALID_CONFIG"
    assert words in error["message"] + error["hint"]
    assert file.read_text() == text


@pytest.mark.parametrize("text", ["port = [", "env = 3\n"])
def test_a_file_that_cannot_be_edited_stays(app: App, workspace: Path, text: str) -> None:
    file = workspace / "debughost.toml"
    file.write_text(text)
    assert app("config", "set", "env.B", "2", "--json").error["code"] == "INVALID_CONFIG"
    assert file.read_text() == text


def test_nothing_is_written_through_a_link(app: App, workspace: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("cpus = 1\n")
    (workspace / "debughost.toml").symlink_to(target)
    app("config", "set", "port", "3100")
    assert target.read_text() == "cpus = 1\n"
    assert list(workspace.glob(".debughost-*")) == []


@pytest.mark.parametrize(
    ("word", "words"),
    [("build", "images build"), ("delete", "debughost rm"), ("sh", "debughost shell"),
     ("stpo", "stop"), ("restrat", "restart")],
)  # fmt: skip
def test_an_unknown_word_has_a_suggestion(app: App, word: str, words: str) -> None:
    run = app("--json", word)
    assert (run.code, run.error["code"]) == (2, "USAGE")
    assert words in run.error["message"] + run.error["hint"]
