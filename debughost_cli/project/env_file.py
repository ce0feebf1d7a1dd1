"""Parses files of variables: ``NAME=VALUE`` lines as Docker Compose and python-dotenv read them.

Nothing is expanded. Each expression here takes time in proportion to what it consumes, whatever the
text is: ``*+`` never gives back what it took.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_BLANK = re.compile(r"(?:\s|#[^\n]*+)*+")
_EXPORT = re.compile(r"export[^\S\n]++")
_NAME = re.compile(r"'([^']++)'|((?!')[^=#\s]++)")
_EQUALS = re.compile(r"[^\S\n]*+(=[^\S\n]*+)?")
_QUOTED = re.compile(r"'((?:\\[\s\S]|[^'\\])*+)'|\"((?:\\[\s\S]|[^\"\\])*+)\"")
_REST = re.compile(r"[^\n]*+")
_COMMENT = re.compile(r"\s#")
_END = re.compile(r"[^\S\n]*+(?:#[^\n]*+)?(?:\n|\Z)")
_IN_SINGLE = re.compile(r"\\([\\'])")
_IN_DOUBLE = re.compile(r"\\([\\'\"abfnrtv])")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Line(Struct, frozen=True):
    """One variable. ``value`` is None where there is only a name; ``number`` counts from 1.

    ``name`` is None for a line that is not ``NAME=VALUE``; nothing after it is parsed.
    """

    number: int
    name: str | None
    value: str | None


def parse_env_file(text: str) -> Iterator[Line]:
    """The variables of a text, in order; line ends of all systems are taken."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    at, counted, number = 0, 0, 1
    while (begin := _skip(_BLANK, text, at)) < len(text):
        number += text.count("\n", counted, begin)
        counted = begin
        found = _variable(text, begin)
        if found is None:
            yield Line(number, None, None)
            return
        name, value, at = found
        if name:
            yield Line(number, name, value)


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _variable(text: str, at: int) -> tuple[str, str | None, int] | None:
    """Name, value and where the next line begins; None for what is no variable.

    The name is empty for a comment after ``export``.
    """
    at = _skip(_EXPORT, text, at)
    name = _NAME.match(text, at)
    if name is None:
        end = _END.match(text, at) if text.startswith("#", at) else None
        return ("", None, end.end()) if end else None
    value: str | None = None
    equals = _EQUALS.match(text, name.end())
    at = equals.end() if equals else name.end()
    if equals and equals[1]:
        # "NAME= # comment" has a comment, "NAME=#1" a value.
        is_comment = len(equals[1]) > 1 and text.startswith("#", at)
        value, at = ("", at) if is_comment else _value(text, at)
    end = _END.match(text, at) if at >= 0 else None
    return (name[1] or name[2], value, end.end()) if end else None


def _value(text: str, at: int) -> tuple[str, int]:
    """The value and its end, which is -1 where its quotation mark is not closed."""
    quoted = _QUOTED.match(text, at)
    if quoted and quoted[1] is not None:
        return _IN_SINGLE.sub(r"\1", quoted[1]), quoted.end()
    if quoted:
        return _IN_DOUBLE.sub(lambda m: _ESCAPES.get(m[1], m[1]), quoted[2]), quoted.end()
    if text.startswith(("'", '"'), at):
        return "", -1
    end = _skip(_REST, text, at)
    line = text[at:end]
    comment = _COMMENT.search(line)
    return (line[: comment.start()] if comment else line).rstrip(), end
