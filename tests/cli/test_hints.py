"""What a message tells people to type can be typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import debughost_cli
from cli.conftest import App
from cli.test_output import COMMANDS

PACKAGE = Path(debughost_cli.__file__).parent
MENTION = re.compile(r"\bdebughost ([a-z][a-z-]*(?: [a-z][a-z-]*)?)")
GROUPS = {c.split()[0] for c in COMMANDS if " " in c}
NO_COMMANDS = {"and", "is", "was", "does", "cannot", "needs", "the", "project", "runs", "in", "it"}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a source with its line; the pieces of an f-string put together."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else "X" for v in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def mentions() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for line, text in texts(path):
            for match in MENTION.finditer(text):
                found.setdefault(match[1], f"{path.relative_to(PACKAGE)}:{line}")
    return found


def is_command(words: str) -> bool:
    first, _, second = words.partition(" ")
    if first in GROUPS:
        return not second or f"{first} {second}" in COMMANDS or first in COMMANDS
    return first in COMMANDS


MENTIONED = mentions()


def test_there_are_mentions() -> None:
    assert {"up", "logs"} <= {m.partition(" ")[0] for m in MENTIONED}


@pytest.mark.parametrize("words", sorted(MENTIONED))
def test_every_command_in_a_message_exists(words: str) -> None:
    first = words.partition(" ")[0]
    assert is_command(words) or first in NO_COMMANDS, f"'debughost {words}' at {MENTIONED[words]}"


OPTION = re.compile(
    r"\bdebughost ([a-z-]+(?: [a-z-]+)?)((?: -{1,2}[a-z-]+(?: [A-Zna-z0-9./:X]+)?)+)"
)


def test_every_option_in_a_message_exists(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for line, text in texts(path):
            for match in OPTION.finditer(re.sub(r" -- .*", "", text)):
                words = match[1].split()
                command = match[1] if match[1] in COMMANDS else words[0]
                if command not in COMMANDS:
                    continue
                shown = app(*command.split(), "--help").out + capsys.readouterr().out
                wrong += [
                    f"{path.name}:{line}: debughost {command} {option}"
                    for option in re.findall(r" (-{1,2}[a-z-]+)", match[2])
                    if not re.search(rf"{re.escape(option)}\b", shown)
                ]
    assert wrong == []
