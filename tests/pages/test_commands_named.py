"""Every command that a page names exists, with its options, in blocks and in the text alike."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from debughost_cli.cli.app import make_app
from debughost_cli.cli.commands import ALIASES, Program
from debughost_cli.cli.guide import TEXT

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *ROOT.glob("examples/*.md"))
COMPOSE = (
    "up", "down", "ps", "logs", "exec", "run", "build", "pull", "restart", "stop", "start", "rm",
    "config", "top", "stats", "port", "cp", "kill", "pause", "events", "images", "version", "ls",
    "watch", "attach", "scale", "create", "push", "wait",
)  # fmt: skip
"""The commands of ``docker compose`` that people use."""
_END = re.compile(r"[|;&><]|\|\||&&|#")


def command_lines(text: str) -> Iterator[list[str]]:
    """The words of each ``debughost ...``, up to what the shell takes."""
    inline = re.findall(r"`(debughost [^`\n]+)`", text)
    shown = re.findall(r"^(?:\s*\$ |  |(?=debughost ))(debughost .+)$", text, re.MULTILINE)
    for line in (*inline, *shown):
        words = []
        for word in shlex.split(line, comments=True):
            if _END.match(word) or word.endswith(";"):
                break
            words.append(word)
        yield words[1:]


def fault(root: Program, words: list[str]) -> str:
    """What is wrong with a command line; empty for nothing."""
    common = {name for p in root.params for name in (*p.opts, *p.secondary_opts)}
    while words and words[0] in common:
        words = words[1:]
    if not words or words[0].isupper():
        return ""
    name = ALIASES.get(words[0], words[0])
    if name == "help":
        return fault(root, words[1:])
    if name not in root.commands:
        return f"there is no command {name}"
    command: Any = root.load(name)
    rest = words[1:]
    if hasattr(command, "commands") and rest and rest[0] in command.commands:
        command, rest = command.commands[rest[0]], rest[1:]
    known = {n: p for p in command.params for n in (*p.opts, *p.secondary_opts)}
    takes_words = command.context_settings.get("allow_interspersed_args") is False
    left = iter(rest)
    for word in left:
        if word == "--" or (takes_words and not word.startswith("-")):
            break
        option = word.partition("=")[0]
        if option.startswith("-") and option not in {*known, "--help", "-h"}:
            return f"{name} has no option {option}"
        if option in known and not known[option].is_flag and "=" not in word:
            next(left, None)
    return ""


@pytest.fixture(scope="module")
def root() -> Program:
    made = typer.main.get_command(make_app())
    assert isinstance(made, Program)
    return made


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_exists(root: Program, page: Path) -> None:
    for words in command_lines(page.read_text("utf-8")):
        assert not fault(root, words), f"debughost {' '.join(words)}: {fault(root, words)}"


def test_what_does_not_exist_is_found(root: Program) -> None:
    assert fault(root, ["upp"]) == "there is no command upp"
    assert fault(root, ["volumes", "prune", "--force"]) == "volumes has no option --force"
    assert fault(root, ["exec", "ls", "--force"]) == ""
    assert fault(root, ["--json", "up", "--port", "auto", "--type=node", "--", "npm", "-x"]) == ""


def test_the_guide_is_one_page() -> None:
    # Its commands are run by tests/e2e/test_documentation.py.
    assert len(TEXT.splitlines()) <= 120


@pytest.mark.parametrize("command", COMPOSE)
def test_users_of_compose_find_each_of_their_commands(command: str) -> None:
    page = (ROOT / "docs/coming-from.md").read_text("utf-8")
    rows = re.findall(rf"^\| `docker compose {command}\b[^|]*\| ([^|]+) \|", page, re.MULTILINE)
    assert rows, command
    assert all("`debughost " in row or row == "there is none" for row in rows)
