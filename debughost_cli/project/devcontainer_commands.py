"""The commands of a devcontainer.json: one text for the shell, and packages that they install."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from debughost_cli.project.compose_values import Values, words_or_line
from debughost_cli.project.translation import is_accepted

_APT = re.compile(r"(?:sudo (?:-E )?)?(?:DEBIAN_FRONTEND=\w+ )?apt(?:-get)? (?P<words>.+)")
_OPTIONS = r"(?: --?[\w=-]+)*"
_INSTALL = re.compile(
    rf"(?:npm (?:install|ci|i)|yarn(?: install)?|pnpm (?:install|i)|bun install"
    rf"|poetry install|uv sync|pipenv install|composer install"
    rf"|(?:python3? -m )?pip3? install{_OPTIONS} (?:-r requirements\.txt|pip)"
    rf"|corepack enable){_OPTIONS}"
)
"""What the launcher does by itself, or has done."""
_GLOBAL = re.compile(
    r"(?:npm|pnpm) (?:install|i|add) (?:.* )?(?:-g|--global)(?: .*)?|yarn global .*"
)
_SERVER = re.compile(
    r"(?:nohup )?(?:(?:npm|pnpm|yarn|bun)(?: run)? (?:dev|start(?::dev)?|serve)(?![\w:.-])"
    r"|flask .*\brun\b|(?:python3? )?(?:\./)?manage\.py runserver"
    r"|(?:python3? -m )?(?:uvicorn|gunicorn) |streamlit run|php artisan serve|php -S "
    r"|(?:npx )?(?:vite|next dev|ng serve)\b).*"
)
_ROOT = re.compile(r"sudo .*")
_LEFT_OUT = (
    (_GLOBAL, "is left out: nothing is root in a container; npx runs what is not installed"),
    (_INSTALL, "is not needed: dependencies are installed anyway"),
    (_SERVER, "is left out: what serves is the command"),
    (_ROOT, "is left out: nothing is root in a container"),
)
"""Parts of commands, and why they are not run."""
_IN_FOLDER = re.compile(r"(?:cd|pushd) ")
"""What is installed from there on is not the project's own."""
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
    kept: list[str] = []
    is_elsewhere = False
    for part in re.split(r"\s*&&\s*", line):
        words = " ".join(part.split())
        is_elsewhere = is_elsewhere or _IN_FOLDER.match(words) is not None
        why = next((why for pattern, why in _LEFT_OUT if pattern.fullmatch(words)), "")
        if apt := _APT.fullmatch(words):
            packages += _apt_packages(apt["words"].split(), values)
        elif why and not (is_elsewhere and _INSTALL.fullmatch(words)):
            values.note(f"{key}: {words[:80]!r}", why)
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
