"""The table of commands, and the program that lists them without loading them."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import debughost_cli
from debughost_cli.cli.app import make_app
from debughost_cli.cli.commands import COMMANDS, Program

CLI = Path(debughost_cli.__file__).parent / "cli"
VERSION = f"debughost {debughost_cli.__version__}"


@pytest.fixture(name="program")
def _program() -> Program:
    made = typer.main.get_command(make_app())
    assert isinstance(made, Program)
    return made


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_a_command_is_its_own_help(program: Program, name: str) -> None:
    own, listed = program.load(name), program.commands[name]
    assert inspect.cleandoc(own.help or "").partition("\n\n")[0] == listed.help
    assert own.hidden == listed.hidden
    assert own.deprecated == listed.deprecated
    assert own.short_help == listed.short_help
    for width in (20, 45, 1000):
        assert own.get_short_help_str(width) == listed.get_short_help_str(width)


def test_every_module_that_has_commands_is_in_the_table() -> None:
    having = {p.stem for p in CLI.glob("*.py") if "def register(" in p.read_text("utf-8")}
    assert {module for module, _ in COMMANDS.values()} == having


@pytest.mark.parametrize("module", sorted({module for module, _ in COMMANDS.values()}))
def test_every_command_of_a_module_is_in_the_table(module: str) -> None:
    app = typer.Typer()
    __import__(f"debughost_cli.cli.{module}", fromlist=["register"]).register(app)
    names = [c.name for c in app.registered_commands] + [g.name for g in app.registered_groups]
    assert set(names) == {name for name, (where, _) in COMMANDS.items() if where == module}


def shell(line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k != "DEBUGHOST_OUTPUT"} | environ
    return subprocess.run(
        ["sh", "-c", f"{sys.executable} -m debughost_cli {line}"],
        capture_output=True, text=True, check=False, cwd=CLI.parents[1], env=env,
    )  # fmt: skip


@pytest.mark.parametrize("output", ["", "text", "json"])
def test_the_version_alone(output: str) -> None:
    done = shell("--version", DEBUGHOST_OUTPUT=output)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{VERSION}\n", "")


@pytest.mark.parametrize("line", ["--version >&-", "--version >/dev/full"])
def test_a_version_that_cannot_be_written_is_an_error(line: str) -> None:
    done = shell(line)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Error: " in done.stderr


def test_the_version_with_a_wrong_variable() -> None:
    done = shell("--version", DEBUGHOST_OUTPUT="xml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "DEBUGHOST_OUTPUT" in done.stderr
