"""Names and texts use the words of docs/architecture.md, and none of those that they replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
REPLACED = {
    "Spoilt": "corrupted",
    "Clash": "conflict",
    "Overtaken": "concurrent modification",
    "Manner": "options",
    "Wanted": "resolved project",
    "anew": "again, recreate",
    "hand over": "pass",
    "way back": "rollback",
    "Snatched": "port race",
    "told": "reported",
    "Marks": "launcher status",
}
WORDS = re.compile(rf"\b({'|'.join(REPLACED)})\b")
FOLDERS = ("debughost_cli", "docs", "completions")
KINDS = {"", ".py", ".sh", ".md", ".toml", ".ini", ".conf", ".bash", ".fish"}


def texts() -> Iterator[Path]:
    """The package with its help texts and files for containers, and the documentation."""
    yield from ROOT.glob("*.md")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in KINDS and "__pycache__" not in path.parts:
                yield path


def replaced_words() -> Iterator[str]:
    """Every occurrence, with the word to use."""
    for path in sorted(texts()):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            for found in WORDS.finditer(line):
                word = found[1]
                yield f"{path.relative_to(ROOT)}:{number}: {word} (use: {REPLACED[word]})"


def test_no_replaced_word_is_used() -> None:
    assert list(replaced_words()) == []
