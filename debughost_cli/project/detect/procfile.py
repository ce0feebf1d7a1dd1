"""A ``Procfile``: the commands of a project's processes, as Heroku and others run them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from debughost_cli.project.reader import Folder

FILE = "Procfile"
_LINE = re.compile(r"^([\w-]+):[ \t]*(\S.*)$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SHELL = re.compile(r"[;&|<>`\n]|\$\(")
_SERVERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "gunicorn": (
        ("-b", "--bind", "-w", "--workers"),
        ("--bind", "0.0.0.0:{port}", "--reload"),
    ),
    "uvicorn": (
        ("--host", "--port", "--workers"),
        ("--host", "0.0.0.0", "--port", "{port}", "--reload"),
    ),
}
"""Servers, their options for production and those for development in place of them."""
_SWITCHES = frozenset({"--reload", "--preload", "--daemon", "-D", "--proxy-headers"})
_ONCE = frozenset({"release", "postdeploy", "console"})
"""Processes that end."""


def web(folder: Folder) -> tuple[str, ...]:
    """The command of the process ``web``, for development; empty where there is none."""
    line = _processes(folder).get("web", "")
    return _development(line) if line else ()


def worker(folder: Folder) -> tuple[str, ...]:
    """The command of the process ``worker``, or of the only one, where there is no ``web``."""
    found = {name: line for name, line in _processes(folder).items() if name not in _ONCE}
    if "web" in found:
        return ()
    line = found.get("worker") or (next(iter(found.values())) if len(found) == 1 else "")
    return _plain(line) if line else ()


def _processes(folder: Folder) -> dict[str, str]:
    return {name: line.strip() for name, line in _LINE.findall(folder.source(FILE))}


def _development(line: str) -> tuple[str, ...]:
    """The command with a server's own options for development, where it is such a server."""
    words = _plain(line)
    at = _program_at(words)
    server = _SERVERS.get(words[at]) if at < len(words) else None
    if server is None:
        return words
    kept = _without(words[at + 1 :], server[0])
    rest = (*words[: at + 1], *server[1], *kept)
    # What a shell would have to replace is left to it, with its options as they are.
    return _shell(line) if any("$" in word for word in rest) else rest


def _program_at(words: Sequence[str]) -> int:
    """Where the program is: after the variables that are set for it."""
    at = 1 if words[0] == "env" else 0
    while at < len(words) and _ASSIGNMENT.match(words[at]):
        at += 1
    return at


def _without(words: tuple[str, ...], options: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        named = word in options
        joined = word.partition("=")[0] in options or word[:2] in options
        if not (skip or named or joined or word in _SWITCHES):
            kept.append(word)
        skip = named
    return kept


def _plain(line: str) -> tuple[str, ...]:
    """The words of a line, or a shell that runs it where only that can."""
    try:
        words = shlex.split(line)
    except ValueError:
        return _shell(line)
    if _SHELL.search(line) or not words:
        return _shell(line)
    program = words[_program_at(words) :][:1]
    if any("$" in word for word in words) and not _SERVERS.keys() & set(program):
        return _shell(line)
    return ("env", *words) if _ASSIGNMENT.match(words[0]) else tuple(words)


def _shell(line: str) -> tuple[str, ...]:
    return ("sh", "-c", line)
