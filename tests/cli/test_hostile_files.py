"""What a hostile workspace puts in the place of the files that are read, and what comes of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fakes import FakeEngine

from cli.conftest import App

COMMANDS = (["config", "show"], ["config", "validate"], ["up", "--dry-run"])


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another project beside the workspace, with a value that must not get out."""
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "debughost.toml").write_text('env = {KEY = "hush"}\nproject = "hush-project"\n')
    (folder / "pyproject.toml").write_text('[tool.debughost]\nproject = "hush-project"\n')
    (folder / ".env").write_text("KEY=hush\n")
    return folder


@pytest.fixture
def engine() -> FakeEngine:
    """An engine on this machine, so that workspaces are compared with what runs."""
    made = FakeEngine(endpoint="unix:///run/fake.sock")
    made.add_base_images()
    return made


@contextmanager
def at_once() -> Iterator[None]:
    """Fails where the block takes longer than a command that waits for nothing."""
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < 5


def refused(app: App, *line: str) -> str:
    """The message of a refusal as JSON and as text, which never has the other project's value."""
    with at_once():
        run = app(*line, "--json")
        shown = app(*line)
    assert (run.code, run.error["code"]) == (2, "INVALID_CONFIG"), run.out
    assert "hush" not in run.out + shown.out + shown.err
    message: str = run.error["message"]
    return message


@pytest.mark.parametrize("line", COMMANDS)
def test_a_configuration_that_is_a_link_to_another_project(
    app: App, workspace: Path, other: Path, line: list[str]
) -> None:
    (workspace / "debughost.toml").symlink_to("../other/debughost.toml")
    message = refused(app, *line)
    assert "debughost.toml" in message
    assert "leads out of the workspace" in message


def test_a_pyproject_that_is_a_link_to_another_project(
    app: App, workspace: Path, other: Path
) -> None:
    (workspace / "pyproject.toml").symlink_to("../other/pyproject.toml")
    assert "hush" not in app("config", "show", "--json").out


def test_a_configuration_that_is_a_link_inside(app: App, workspace: Path) -> None:
    (workspace / "etc").mkdir()
    (workspace / "etc" / "own.toml").write_text('project = "mine"\n')
    for target in (Path("etc/own.toml"), workspace / "etc" / "own.toml"):
        (workspace / "debughost.toml").unlink(missing_ok=True)
        (workspace / "debughost.toml").symlink_to(target)
        assert '"mine"' in app("config", "show", "--json").out


@pytest.mark.parametrize("line", COMMANDS)
@pytest.mark.parametrize("name", ["vars", "link/.env"])
def test_variables_behind_a_link_to_another_project(
    app: App, workspace: Path, other: Path, name: str, line: list[str]
) -> None:
    (workspace / "debughost.toml").write_text(f'env_file = "{name}"\n')
    (workspace / "vars").symlink_to(other / ".env")
    (workspace / "link").symlink_to("../other")
    assert "leads out of the workspace" in refused(app, *line)


@pytest.mark.parametrize("line", COMMANDS)
def test_variables_that_are_a_pipe_without_a_writer(
    app: App, workspace: Path, line: list[str]
) -> None:
    (workspace / "debughost.toml").write_text('env_file = ".env"\n')
    os.mkfifo(workspace / ".env")
    assert "not a regular file" in refused(app, *line)


@pytest.mark.parametrize("line", COMMANDS)
@pytest.mark.parametrize("name", ["debughost.toml", "pyproject.toml", ".env", "package.json"])
def test_a_huge_sparse_file(app: App, workspace: Path, name: str, line: list[str]) -> None:
    (workspace / "debughost.toml").write_text('env_file = ".env"\n')
    if name == "pyproject.toml":
        (workspace / "debughost.toml").unlink()
    with (workspace / name).open("wb") as file:
        file.truncate(20 * 1024**3)
    if name == "package.json" and line[0] == "config":
        return  # It is not read for these.
    message = refused(app, *line)
    assert name in message
    assert "larger than 1 MiB" in message


def test_requirements_that_are_huge(app: App, workspace: Path) -> None:
    (workspace / "package.json").unlink()
    (workspace / "requirements.txt").write_text("flask\n" * 200_000)
    assert "larger than 1 MiB" in refused(app, "up", "--dry-run")


def test_the_status_of_everybody_with_one_bad_workspace(app: App, workspace: Path) -> None:
    assert app("up").code == 0
    (workspace / "debughost.toml").write_text('env_file = ".env"\n')
    os.mkfifo(workspace / ".env")
    with at_once():
        run = app("status", "--json")
    assert run.code == 0
    assert run.project["state"] == "running"
    (warning,) = run.document["warnings"]
    assert warning["code"] == "CONFIG_INVALID"
    assert "not a regular file" in warning["message"]


def test_the_status_with_a_lock_file_that_grew_beyond_all_limits(app: App, workspace: Path) -> None:
    assert app("up").code == 0
    with (workspace / "package-lock.json").open("wb") as file:
        file.truncate(20 * 1024**3)
    with at_once():
        run = app("status", "--json")
    assert run.code == 0
    (warning,) = run.document["warnings"]
    assert "package-lock.json" in warning["message"]
    assert "larger than 64 MiB" in warning["message"]


def test_a_lock_file_of_a_large_project(app: App, workspace: Path) -> None:
    (workspace / "package-lock.json").write_bytes(b" " * 3 * 1024**2)
    assert app("up").code == 0
    assert app("status", "--json").document["warnings"] == []


def test_sources_that_are_pipes_or_huge(app: App, workspace: Path) -> None:
    (workspace / "package.json").unlink()
    os.mkfifo(workspace / "requirements.txt")
    with (workspace / "app.py").open("wb") as file:
        file.truncate(20 * 1024**3)
    with at_once():
        assert app("up", "--dry-run", "--json").code in (0, 2)


def test_a_flag_with_a_pipe_that_somebody_writes_to(app: App, workspace: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"KEY=1\n")
    os.close(writing)
    assert app("up", "--dry-run", "--env-file", f"/dev/fd/{reading}").code == 0
    os.close(reading)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_configuration_that_hides_text(app: App, workspace: Path, form: list[str]) -> None:
    """What a person does not see, an agent would read, and obey."""
    hidden = "\u200b\u202e\U000e0041\u00ad"
    (workspace / "debughost.toml").write_text(f'command = ["a{hidden}b"]\n', "utf-8")
    shown = app("config", "show", *form).out
    (workspace / "debughost.toml").write_text(f'cpus = "a{hidden}b"\nb{hidden} = 1\n', "utf-8")
    refused = app("config", "validate", *form)
    text = shown + refused.out + refused.err
    if form:
        text = "".join(str(json.loads(part)) for part in (shown, refused.out))
    assert r"\u200b" in text.replace("\\\\", "\\")
    assert not set(hidden) & set(text)


@pytest.mark.parametrize("names", [[".env"] * 9000, [".env", "./.env"] * 20])
def test_one_file_of_variables_named_thousands_of_times(
    app: App, workspace: Path, names: list[str]
) -> None:
    """Each reading of 1 MiB takes a moment."""
    (workspace / ".env").write_text("".join(f"A{i}={'x' * 200}\n" for i in range(5000)))
    (workspace / "debughost.toml").write_text(f"env_file = {json.dumps(names)}\n")
    assert "at most 20 paths" in refused(app, "up", "--dry-run")
