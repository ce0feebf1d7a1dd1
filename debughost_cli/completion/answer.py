"""``debughost __complete SHELL [WORD]... LAST``: what a completion script gets.

The first line is ``words``, ``nospace`` (no space after the word), ``files`` or ``folders``, which
the shell completes by itself; the others are the words that can stand in the place of ``LAST``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from debughost_cli.completion import sources
from debughost_cli.completion.line import Line, Table

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+/:=@")
"""Words go into the command line of a shell as they are: one with anything else is left out."""
_LISTED = ("9", "33", "63", "64")
"""bash's ``COMP_TYPE`` where several words are listed and none of them is inserted."""


def main(argv: Sequence[str]) -> None:
    """Prints the answer. Nothing is written to stderr, whatever goes wrong."""
    try:
        lines = list(answer(argv[0], argv[1:]))
    except Exception:
        lines = ["words"]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def answer(shell: str, words: Sequence[str]) -> Iterator[str]:
    """The lines. Raises what a broken line or engine makes of it."""
    line = Line(_table(), _words(shell, words))
    for place in ("files", "folders"):
        if f"@{place}" in line.sources:
            yield place
            return
    found = sorted(_safe(line))
    is_open = len(found) == 1 and found[0][0].endswith(("=", "."))
    yield "nospace" if is_open else "words"
    yield from _formatted(shell, line, found)


def _table() -> Table:
    table: Table = json.loads((Path(__file__).parent / "table.json").read_text("utf-8"))
    return table


def _words(shell: str, words: Sequence[str]) -> list[str]:
    """As the program would get them. bash and PowerShell pass what was typed, quotes included."""
    if shell == "powershell":
        # It leaves out an empty word: the last one comes with a dot.
        words = [*words[:-1], words[-1].removesuffix(".")]
    if shell == "bash":
        words = _joined(words)
    if shell in ("bash", "powershell"):
        words = [word.strip("\"'") for word in words]
    return list(words)


def _joined(words: Iterable[str]) -> list[str]:
    """Bash takes words apart at ``=`` and ``:``, which are words of their own then."""
    joined: list[str] = []
    is_open = False
    for word in words:
        is_separator = bool(word) and not word.strip("=:")
        if joined and (is_open or is_separator):
            joined[-1] += word
        else:
            joined.append(word)
        is_open = is_separator
    return joined


def _safe(line: Line) -> Iterator[sources.Candidate]:
    """Each word that begins as the last one does, once, and what it is in plain text."""
    seen = {""}
    for source in line.sources:
        for word, about in _candidates(source, line):
            if word.startswith(line.word) and word not in seen and set(word) <= _SAFE:
                seen.add(word)
                text = "".join(c if c.isascii() and c.isprintable() else "?" for c in about)
                yield f"{line.prefix}{word}", text


def _candidates(source: str, line: Line) -> Iterable[sources.Candidate]:
    if not source.startswith("@"):
        return [(source, "")]
    name, _, which = source[1:].partition(" ")
    match name:
        case "commands":
            return line.subcommands()
        case "options":
            return line.option_names()
        case "projects":
            return sources.projects(line, which)
        case "services":
            return sources.services(line)
        case "contexts":
            return sources.contexts()
        case "engines":
            return sources.engines(line)
        case "settings":
            return [(key, entry["help"]) for key, entry in _table()["settings"].items()]
        case "values":
            setting = _table()["settings"].get(line.arguments[0])
            return [(value, "") for value in setting["values"]] if setting else []
    return []


def _formatted(shell: str, line: Line, found: Sequence[sources.Candidate]) -> Iterator[str]:
    if shell == "bash":
        yield from _for_bash(line, found)
    elif shell == "zsh":
        for word, about in found:
            escaped = word.replace(":", "\\:")
            yield f"{escaped}:{about}" if about else escaped
    else:
        yield from (f"{word}\t{about}" if about else word for word, about in found)


def _for_bash(line: Line, found: Sequence[sources.Candidate]) -> Iterator[str]:
    """Bash puts a word in the place of what stands after the last ``=`` or ``:``.

    It shows what would be inserted: what a word is can only stand there where there are several.
    """
    breaks = [c for c in "=:" if c in os.environ.get("COMP_WORDBREAKS", "=:")]
    typed = f"{line.prefix}{line.word}"
    hidden = max((typed.rfind(c) + 1 for c in breaks), default=0)
    shown = [(word[hidden:], about) for word, about in found]
    if len(shown) < 2 or os.environ.get("COMP_TYPE", "9") not in _LISTED:
        yield from (word for word, _ in shown)
        return
    widest = max(len(word) for word, _ in shown)
    width = int(os.environ.get("COLUMNS") or 80)
    for word, about in shown:
        room = width - widest - 5
        yield f"{word:{widest}}  ({about[:room].rstrip()})" if about and room > 10 else word
