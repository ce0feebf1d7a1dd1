"""The rules of ``.gitignore`` and ``.debughostignore``: which files of a folder are left out.

pathspec translates the patterns. They are combined into few regular expressions here, and matched
against each name once, for a workspace may have tens of thousands of files.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby

from msgspec import Struct
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

GIT_FILE, OWN_FILE = ".gitignore", ".debughostignore"
"""Where rules are read from, in each folder; those of the second one decide."""

_MOST_LINES, _LONGEST_LINE = 2000, 1000
"""Of one file; what is more is left out. The workspace may want to keep us busy."""
_STAR = "[^/]*"
_GROUP_NAME = re.compile(r"\(\?P<\w+>")


class _Line(Struct, frozen=True):
    """One pattern; ``of_name``: it is matched against the last part of a path alone."""

    ignores: bool
    of_name: bool
    regex: str


class _Group(Struct, frozen=True):
    """Patterns in a row that all ignore, or all do not."""

    ignores: bool
    of_name: re.Pattern[str] | None
    of_path: re.Pattern[str] | None


class IgnoreRules(Struct, frozen=True):
    """The rules that hold in a folder: its own, and then those of the folders above it.

    ``start``: the length of the folder's own path with its last ``/``, 0 for the workspace. The
    last group comes first. ``of_git``: they say nothing about ``.git``, which git never looks for.
    """

    start: int
    groups: tuple[_Group, ...]
    above: IgnoreRules | None = None
    of_git: bool = False

    def is_ignored(self, path: str, name: str) -> bool:
        """``path`` and its last part ``name``, a folder's with a final ``/``.

        What is in a folder that is ignored is not matched: nobody looks there.
        """
        rules: IgnoreRules | None = self
        is_git = name.startswith(".git") and name.removesuffix("/") == ".git"
        while rules is not None:
            for group in () if is_git and rules.of_git else rules.groups:
                of_name, of_path = group.of_name, group.of_path
                if (of_name and of_name.fullmatch(name)) or (
                    of_path and of_path.fullmatch(path, rules.start)
                ):
                    return group.ignores
            rules = rules.above
        return False


def parse_rules(
    text: str, folder: str = "", above: IgnoreRules | None = None, file: str = OWN_FILE
) -> IgnoreRules:
    """The rules in ``text``, lines as in ``.gitignore``; those that are not valid are left out.

    ``folder``: where the file with these lines is, relative to the workspace with a final ``/``.
    """
    lines = [line for line in map(_line, text.split("\n")[:_MOST_LINES]) if line]
    groups = [_group(ignores, found) for ignores, found in groupby(lines, lambda x: x.ignores)]
    return IgnoreRules(len(folder), tuple(reversed(groups)), above, file == GIT_FILE)


def _line(text: str) -> _Line | None:
    pattern = text.removeprefix("!").removesuffix("\r")
    if not pattern.endswith("\\ "):
        pattern = pattern.rstrip()
    if not pattern.strip("/") or text.startswith("#") or len(pattern) > _LONGEST_LINE:
        return None
    folder, body = pattern.endswith("/"), pattern.removesuffix("/")
    of_name = "/" not in body
    regexes = list(_parts(body.removeprefix("/").split("/"), folder))
    if None in regexes:
        return None
    return _Line(not text.startswith("!"), of_name, "".join(r for r in regexes if r))


def _parts(parts: list[str], folder: bool) -> Iterator[str | None]:
    """Pieces of a regular expression for a path; None for what matches nothing.

    pathspec's own, of a whole path, would also match what is in a folder that matches. Of several
    "**", as of several "*", only the last needs to try more than one length.
    """
    *rest, last = parts
    chunks: list[list[str | None]] = [[]]
    for part in rest:
        if part == "**":
            chunks.append([])
        else:
            chunks[-1].append(_translate(f"{part}/"))
    for number, chunk in enumerate(chunks):
        if None in chunk:
            yield None
        found = "".join(piece for piece in chunk if piece)
        if number == 0:
            yield found
        elif number < len(chunks) - 1:
            yield f"(?>(?:[^/]+/)*?{found})"
        else:
            yield f"(?:[^/]+/)*{found}"
    if last == "**":
        yield ".+/" if folder else ".+"
    else:
        yield _translate(f"{last}/" if folder else last)


def _translate(part: str) -> str | None:
    try:
        regex, _ = GitIgnoreSpecPattern.pattern_to_regex(f"/{part}")
    except ValueError:
        return None
    if regex is None:
        return None
    first, *rest = _GROUP_NAME.sub("(?:", regex).removeprefix("^").split(_STAR)
    if not rest:
        return first
    *inner, last = rest
    return first + "".join(f"(?>{_STAR}?{piece})" for piece in inner) + _STAR + last


def _group(ignores: bool, lines: Iterable[_Line]) -> _Group:
    found = list(lines)
    of_name = [line.regex for line in found if line.of_name]
    of_path = [line.regex for line in found if not line.of_name]
    return _Group(ignores, _any_of(of_name), _any_of(of_path))


def _any_of(regexes: list[str]) -> re.Pattern[str] | None:
    """Each is looked at by itself first: git leaves out what is not valid."""
    valid = [regex for regex in regexes if _compiled(regex)]
    return _compiled("|".join(valid)) if valid else None


def _compiled(regex: str) -> re.Pattern[str] | None:
    with suppress(re.error, RecursionError, OverflowError), warnings.catch_warnings():
        # Of "[[a]", which may mean something else in a later Python.
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(regex, re.DOTALL)
    return None
