"""The pages and the man page that are written from the program are those of this program."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from debughost_cli.cli.app import main, make_app
from debughost_cli.cli.commands import Program

ROOT = Path(__file__).parents[2]
COMMANDS = (ROOT / "docs/reference/commands.md").read_text("utf-8")
MAN = ROOT / "man/debughost.1"


def paths() -> Iterator[str]:
    """Every command."""
    root = typer.main.get_command(make_app())
    assert isinstance(root, Program)
    for name in root.commands:
        yield name
        yield from (f"{name} {child}" for child in getattr(root.load(name), "commands", ()))


def test_what_is_committed_is_what_the_program_says(tmp_path: Path) -> None:
    """If it fails, run ``make reference`` to regenerate them."""
    subprocess.run([sys.executable, ROOT / "docs/reference.py", tmp_path], check=True)
    written = [p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()]
    assert {p.suffix for p in written} == {".md", ".1"}
    for path in written:
        message = f"{path} is not current: make reference"
        assert (ROOT / path).read_text("utf-8") == (tmp_path / path).read_text("utf-8"), message
    there = {p.relative_to(ROOT) for p in (ROOT / "docs/reference").iterdir()}
    assert there | {Path("man/debughost.1")} == set(written)


def read_help(text: str) -> tuple[str, list[tuple[list[str], str]]]:
    """The sentence of a command's ``--help``, and its options with their sentences."""
    text = re.sub(r"\n {20,}(?=\S)", "  ", text)
    _, sentence, *_ = text.split("\n\n")
    rows = re.findall(r"^  (-.*?)(?:  +)(\S.*)$", text, re.MULTILINE)
    options = [
        (re.findall(r"--[a-z-]+|-[a-zA-Z]\b", names), re.sub(r"  \[default: .*\]$", "", sentence))
        for names, sentence in rows
    ]
    return sentence.strip(), options


@pytest.mark.parametrize("command", list(paths()))
def test_help_the_page_and_the_manual_say_the_same(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", *command.split()]) == 0
    sentence, options = read_help(capsys.readouterr().out)
    page = part(COMMANDS, f"### debughost {command}\n", "\n###? ")
    manual = part(plain_manual(), f"\n.SS debughost {command}\n", "\n.S[SH] ")
    common = part(COMMANDS, "## Options of every command\n", "\n## ")
    assert sentence in page
    assert sentence in manual
    assert len(options) > 5
    for names, text in options:
        term = next((t for t in (page, common) if f"`{names[0]}" in t), "")
        assert re.search(rf"^`[^\n]*{names[0]}[^\n]*\n: {re.escape(text)}$", term, re.MULTILINE), (
            names
        )
        place = manual if term is page else plain_manual()
        assert text in place, names
        for name in names:
            assert re.search(rf"(?<![\w-]){name}(?![\w-])", term), name
            assert re.search(rf"(?<![\w-]){name}(?![\w-])", place), name


def part(text: str, begin: str, end: str) -> str:
    """What stands under a heading."""
    _, found, rest = text.partition(begin)
    assert found, begin
    return re.split(end, rest)[0]


def plain_manual() -> str:
    """The man page without the escapes and fonts of roff."""
    text = re.sub(r"\\f[A-Z]", "", MAN.read_text("utf-8"))
    return text.replace(r"\-", "-").replace(r"\(aq", "'").replace(r"\&", "").replace(r"\\", "\\")


def test_the_manual_page_has_no_faults() -> None:
    """``mandoc`` where it is installed, else ``groff``: part of ``man``."""
    checks = {
        "mandoc": ["-Tlint", "-Wwarning"],
        "groff": ["-man", "-Tutf8", "-ww", "-z"],
        "man": ["--warnings=all", "-l"],
    }
    for tool, words in checks.items():
        if shutil.which(tool):
            done = subprocess.run([tool, *words, MAN], capture_output=True, text=True, check=False)
            assert done.stderr == "", tool
            faults = done.stdout if tool == "mandoc" else ""
            assert (done.returncode, faults) == (0, ""), tool


def test_every_variable_that_the_program_reads_is_in_the_reference() -> None:
    settings = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    source = "".join(p.read_text("utf-8") for p in ROOT.glob("debughost_cli/**/*.py"))
    internal = {"DEBUGHOST_PORT_NUMBER", "DEBUGHOST_DEBUG", "DEBUGHOST_COMPLETE"}
    named = set(re.findall(r"\b_?(DEBUGHOST_[A-Z_]*[A-Z])\b", source)) - internal
    assert {name for name in named if f"`{name}`" not in settings} == set()
