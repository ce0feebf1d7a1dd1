"""Sets one member of a JSON file's text, and leaves all else of it as it is, comments included.

Editors allow comments and a comma after the last element in their files (JSONC).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_COMMENT = r"//[^\n]*+|/\*.*?\*/"
_TOKEN = re.compile(
    rf"""
    "(?:[^"\\]|\\.)*+" | {_COMMENT}
    | ,(?=(?:\s|{_COMMENT})*+[}}\]])
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*")


def parse(text: str) -> dict[str, object]:
    """The file's object; an empty one for an empty file. Raises ValueError."""
    found = json.loads(_plain(text) if text.strip() else "{}")
    if not isinstance(found, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - as for any other text
    return found


def with_member(text: str, path: tuple[str, str], value: Mapping[str, object]) -> str:
    """``text`` with ``value`` at a key in the object at another key. Raises ValueError.

    What else is in an object at that key stays there.
    """
    expected, (outer, name) = parse(text), path
    inner = expected.get(outer, {})
    if not isinstance(inner, dict):
        raise ValueError(f"{outer} is not an object")  # noqa: TRY004 - as for any other text
    before = inner.get(name)
    value = {**before, **value} if isinstance(before, dict) else value
    if before == value:
        return text
    expected = expected | {outer: inner | {name: value}}
    if not text.strip():
        return json.dumps(expected, indent=2) + "\n"
    plain = _plain(text)
    places = _members(plain, plain.index("{"))
    if outer not in places:
        made = _inserted(text, plain, plain.index("{"), outer, {name: value})
    elif name in (within := _members(plain, places[outer][0])):
        start, end = within[name]
        made = text[:start] + _indented(value, _indent(text, start)) + text[end:]
    else:
        made = _inserted(text, plain, places[outer][0], name, value)
    if parse(made) != expected:
        raise ValueError("it cannot be edited without changing more")
    return made


def _plain(text: str) -> str:
    """The same text with spaces in the place of comments and of commas before an end."""
    return _TOKEN.sub(lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", " ", m[0]), text)


def _members(plain: str, start: int) -> dict[str, tuple[int, int]]:
    """Where the value of each key of the object at ``start`` begins and ends."""
    decoder, found, place = json.JSONDecoder(), {}, _skip(plain, start + 1)
    while plain[place] != "}":
        key, place = decoder.raw_decode(plain, place)
        value = _skip(plain, _skip(plain, place) + 1)
        _, end = decoder.raw_decode(plain, value)
        found[key] = (value, end)
        place = _skip(plain, end)
        if plain[place] == ",":
            place = _skip(plain, place + 1)
    return found


def _skip(plain: str, place: int) -> int:
    match = _SPACE.match(plain, place)
    return match.end() if match else place


def _inserted(text: str, plain: str, start: int, name: str, value: object) -> str:
    """With a first member in the object that begins at ``start``."""
    indent, rest = _indent(text, start), text[start + 1 :]
    member = f"\n{indent}  {json.dumps(name)}: {_indented(value, indent + '  ')}"
    is_empty = plain[_skip(plain, start + 1)] == "}"
    if not is_empty:
        member += ","
    elif not rest.lstrip(" \t").startswith(("\n", "\r", "/")):
        member += f"\n{indent}"
    return text[: start + 1] + member + rest


def _indent(text: str, place: int) -> str:
    """That of the line of a place."""
    line = text[text.rfind("\n", 0, place) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _indented(value: object, indent: str) -> str:
    return json.dumps(value, indent=2).replace("\n", f"\n{indent}")
