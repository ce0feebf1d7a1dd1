"""The commands of a devcontainer.json: one text for the shell, and packages that they install."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from debughost_cli.project.compose_values import Values, words_or_line
from debughost_cli.project.translation import is_accepted

_APT = re.compile(r"(?:sudo (?:-E )?)?(?:DEBIAN_FRONTEND=\w+ )?apt(?:-get)? (?P<words>.+)")
_INSTALL = re.compile(
    r"(?:npm (?:install|ci|i)|yarn(?: install)?|pnpm (?:install|i)|bun install"
    r"|poetry install|uv sync|pipenv install|composer install"
    r"|(?:python3? -m )?pip3? install(?: --user)? -r requirements\.txt"
    r"|(?:python3? -m )?pip3? install(?: --user)? -U pip|corepack enable)(?: --?[\w=-]+)*"
)
"""What the launcher does by itself, or has done."""
_NOT_NEEDED = re.compile(
    r"git config --global (?:--add )?safe\.directory \S+|(?:sudo )?rm -rf /var/lib/apt/lists/\*"
)
_USER_SITE = re.compile(r"(pip3? install .*?)--user ")
"""There is none in a virtual environment: pip refuses."""


def read_commands(
    document: Mapping[str, object], keys: tuple[str, ...], values: Values, packages: list[str]
) -> str:
    """The commands under the keys, one after the other; what they install with apt is added.

    Those of an object run one after the other as well, in the order of the file.
    """
    lines = [
        kept
        for key in keys
        for line in _lines(document.get(key), key, values)
        if (kept := _kept(line, key, values, packages))
    ]
    return join_lines(lines)


def join_lines(lines: list[str]) -> str:
    """One text for the shell, of several that run one after the other while none fails."""
    return lines[0] if len(lines) == 1 else " && ".join(map(_group, lines))


def _lines(value: object, key: str, values: Values) -> Iterator[str]:
    """Of a line, of a list of words, or of an object of both."""
    for item in value.values() if isinstance(value, Mapping) else [value]:
        given = words_or_line(item, key, values)
        yield shlex.join(given) if isinstance(given, list) else given.strip()


def _kept(line: str, key: str, values: Values, packages: list[str]) -> str:
    """The line without what is not needed, or cannot be done, in a container of a project."""
    kept = []
    for part in re.split(r"\s*&&\s*", line):
        words = " ".join(part.split())
        if apt := _APT.fullmatch(words):
            packages += _apt_packages(apt["words"].split(), values)
        elif _INSTALL.fullmatch(words):
            values.note(f"{key}: {words!r}", "is not needed: dependencies are installed anyway")
        elif words.startswith("sudo "):
            values.note(f"{key}: {words[:80]!r}", "is left out: nothing is root in a container")
        elif part and not _NOT_NEEDED.fullmatch(words):
            kept.append(_USER_SITE.sub(r"\1", part))
    return " && ".join(kept)


def _apt_packages(words: list[str], values: Values) -> list[str]:
    verb, *names = [word for word in words if not word.startswith("-")] or [""]
    given = names if verb == "install" else []
    return [name for name in given if is_accepted("packages", [name], values.note)]


def _group(line: str) -> str:
    """So that it can be followed by another one; the end of a line ends a comment in it."""
    return f"({line}\n)" if re.search(r"[;&|#\n]", line) else line
