"""Ignore rules decide as git does, which is asked for each of them."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from debughost_cli.project.ignore_rules import parse_rules
from debughost_cli.project.tree import EntryKind, scan

NAMES = ["a", "b", "ab", "a.log", "build", "src", ".env", "x y", "[z]", "é", "!n", "#h"]


def files_for_git(root: Path) -> list[str]:
    command = ["git", "-C", str(root), "ls-files", "--others", "--exclude-standard", "-z"]
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": "/nonexistent"}
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    return sorted(name for name in done.stdout.decode().split("\0") if name)


def files_for_us(root: Path) -> list[str]:
    entries = scan(root).entries
    return sorted(path for path, entry in entries.items() if entry.kind is not EntryKind.FOLDER)


def make(root: Path, files: list[str], rules: dict[str, str]) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for folder, text in rules.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / ".gitignore").write_text(text, "utf-8")


TREE = [
    f"{folder}{name}"
    for folder in ("", "src/", "src/deep/", "build/", "a/build/")
    for name in ("f", "f.log", "g.txt", "keep.log", "é", "x y", "[z]", "!n", "#h", ".env", "b/f")
]


@pytest.mark.parametrize(
    "rules",
    [
        {"": "*.log\n!keep.log\n"},
        {"": "*\n!*/\n!*.txt\n"},
        {"": "/*\n!/src\n"},
        {"": "build/\n!build/f\n"},
        {"": "src/**\n!src/deep/\n"},
        {"": "**/build\n"},
        {"": "src/*/f\n"},
        {"": "src/**/f\n"},
        {"": "\\!n\n\\#h\n#h\n"},
        {"": "x\\ y\nf   \n"},
        {"": "\\[z\\]\n[f-g]\n"},
        {"": "*.log\r\nbuild\r\n"},
        {"": "*.log", "src": "!keep.log\n", "src/deep": "*\n!f\n"},
        {"": "*.log", "src": "!deep/\n"},
        {"src": "/f\n", "src/deep": "g.*\n"},
        {"": "[\nf\n"},
        {"": "/\n//\n***\n"},
        {"": "src/deep/**/\n"},
        {"": "é\n"},
        {"": "b/f\n"},
        {"": "/**/b/\n"},
        {"": "**/*\n!*/\n!f\n"},
        {"": "a//b\nsrc//\n"},
        {"": "*e*l*g\n**/s*c/**/d*e*p/**/b\n/**/a/**/f\n"},
        {"": "!*\n!.git\n"},
    ],
)  # fmt: skip
def test_rules_are_those_of_git(tmp_path: Path, rules: dict[str, str]) -> None:
    make(tmp_path, TREE, rules)
    assert files_for_us(tmp_path) == files_for_git(tmp_path)


BOTH = (files_for_us, files_for_git)
PIECES = st.sampled_from(["*", "**", "?", "a", "b", "src", "build", "[ab]", "f", "*.log", "keep*"])
PATTERN = st.builds(
    lambda negated, anchored, parts, folder: f"{negated}{anchored}{'/'.join(parts)}{folder}",
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(PIECES, min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)
LINES = st.lists(PATTERN, max_size=4).map("\n".join)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(top=LINES, inner=LINES)
@example(top="*.log", inner="!deep/")
def test_any_rules_are_those_of_git(tmp_path: Path, top: str, inner: str) -> None:
    if not (tmp_path / ".git").exists():
        make(tmp_path, TREE, {})
    (tmp_path / ".gitignore").write_text(top)
    (tmp_path / "src" / ".gitignore").write_text(inner)
    # "?" is a character for us, and a byte for git.
    ours, theirs = ([f for f in files(tmp_path) if f.isascii()] for files in BOTH)
    assert ours == theirs, (top, inner)


@pytest.mark.parametrize(
    ("rules", "name"),
    [("*a" * 40 + "b", "a" * 255), ("**/a/" * 40 + "b", "/".join("a" * 100)), ("[\n" * 9000, "a")],
)
def test_no_rules_keep_us_busy(rules: str, name: str) -> None:
    began = time.process_time()
    parse_rules(rules).is_ignored(name, name)
    assert time.process_time() - began < 5


def test_rules_of_our_own_come_after_those_of_git(tmp_path: Path) -> None:
    make(tmp_path, [".env", "big.bin", "src/big.bin", ".git/config"], {"": ".env\n"})
    (tmp_path / ".debughostignore").write_text("!.env\n*.bin\n")
    assert files_for_us(tmp_path) == [".debughostignore", ".env", ".gitignore"]


def test_git_s_own_folder_is_left_out_unless_requested(tmp_path: Path) -> None:
    make(tmp_path, ["f", "sub/.git"], {})
    assert files_for_us(tmp_path) == ["f"]
    (tmp_path / ".debughostignore").write_text("!.git\n")
    assert ".git/HEAD" in files_for_us(tmp_path)
    assert "sub/.git" in files_for_us(tmp_path)


def test_rules_behind_a_link_do_not_hold(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("*\n")
    folder = tmp_path / "shop"
    make(folder, ["f"], {})
    (folder / ".gitignore").symlink_to("../elsewhere")
    assert files_for_us(folder) == [".gitignore", "f"]
