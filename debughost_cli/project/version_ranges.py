"""Ranges of versions as npm, Composer, Poetry and PEP 440 write them, and what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

_MOST_CHARACTERS = 200
"""The length of the longest range that is looked at."""
_NPM = re.compile(r"[0-9xX*.v^~<>=|\s-]+(?:-[0-9A-Za-z.]+)?", re.ASCII)
_OPERATOR = re.compile(r"([<>=^~])\s+")
_EXCLUSION = re.compile(r"!=\s*[0-9.*]+,?")
_TILDE_OF_TWO = re.compile(r"~\s*(\d{1,6})\.(\d{1,6})(?![\d.])", re.ASCII)
_VERSION = re.compile(r"(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?", re.ASCII)
_LATE = "9999"
"""Greater than the number of any release."""


class Notation(Enum):
    """How a range is written. ``LINE``: one version, of which every patch release will do."""

    NPM = "npm"
    COMPOSER = "composer"
    POETRY = "poetry"
    PEP440 = "pep440"
    LINE = "line"


def line_of(version: str, parts: int) -> str:
    """The release line: the first ``parts`` numbers; ``3.13`` of ``3.13.5`` for 2."""
    return ".".join(version.split(".")[:parts])


def is_met(wanted: str, notation: Notation, version: str, parts: int) -> bool | None:
    """Whether a version is in the range; None where the range cannot be read.

    ``version`` may be a release line, such as ``24``: then some version of it has to be in the
    range. ``parts``: how many numbers a release line has.
    """
    if len(wanted) > _MOST_CHARACTERS:
        return None
    if notation is Notation.LINE:
        lengths = min(parts, wanted.count(".") + 1, version.count(".") + 1)
        return line_of(wanted, lengths) == line_of(version, lengths)
    contains = _in_pep440 if notation is Notation.PEP440 else _in_npm
    text = _as_npm(wanted, notation)
    answers = [contains(text, candidate) for candidate in _candidates(wanted, version)]
    return None if None in answers else any(answers)


def _candidates(wanted: str, version: str) -> Iterator[str]:
    """Versions of the line ``version``: its ends, and those that the range names."""
    numbers = version.split(".")
    missing = 3 - len(numbers)
    yield ".".join(numbers + ["0"] * missing)
    if missing > 0:
        yield ".".join(numbers + [_LATE] * missing)
        named = (_three(m) for m in _VERSION.finditer(wanted))
        yield from (name for name in named if name.startswith(f"{version}."))


def _three(found: re.Match[str]) -> str:
    return ".".join(number or "0" for number in found.groups())


def newest_line(wanted: str, notation: Notation, parts: int) -> str:
    """The newest release line next to those that the range names, and in it; empty for none."""
    if notation is Notation.LINE:
        return line_of(wanted, parts)
    lines = set()
    for found in _VERSION.finditer(wanted[:_MOST_CHARACTERS]):
        numbers = [int(n or 0) for n in found.groups()][:parts]
        lines |= {(*numbers[:-1], numbers[-1]), (*numbers[:-1], numbers[-1] - 1)}
    for line in sorted(lines, reverse=True):
        text = ".".join(map(str, line))
        if min(line) >= 0 and is_met(wanted, notation, text, parts):
            return text
    return ""


def _as_npm(wanted: str, notation: Notation) -> str:
    """The same range in npm's notation."""
    if notation is Notation.PEP440:
        return wanted
    text = wanted.replace("~>", "~").replace("==", "=")
    if notation in (Notation.COMPOSER, Notation.POETRY):
        text = _EXCLUSION.sub("", text).partition("@")[0].replace(",", " ")
        text = re.sub(r"\|+", "||", text)
    if notation is Notation.COMPOSER:
        # The last number may grow, and there it is the second one.
        text = _TILDE_OF_TWO.sub(lambda m: f">={m[1]}.{m[2]} <{int(m[1]) + 1}", text)
    return _OPERATOR.sub(r"\1", text).strip()


def _in_npm(wanted: str, version: str) -> bool | None:
    from nodesemver import satisfies

    if wanted and not _NPM.fullmatch(wanted):
        return None
    try:
        return bool(satisfies(version, wanted, loose=True))
    except (ValueError, IndexError):
        return None


def _in_pep440(wanted: str, version: str) -> bool | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(wanted).contains(version, prereleases=True)
    except InvalidSpecifier:
        return None
