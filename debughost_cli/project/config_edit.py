"""Sets one value in the text of a TOML file, and leaves all else of it as it is.

No text is returned that does not read as the old one with that value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from debughost_cli.project.toml import parse_toml

_HEADER = re.compile(r"\s*\[")


def with_value(text: str, path: tuple[str, ...], value: object) -> str:
    """``text`` with ``value`` at a key, or at a key in a table. Raises ValueError."""
    old = parse_toml(text)
    expected = merged(old, path, value)
    if old == expected:
        return text
    for candidate in _candidates(text, path, value):
        try:
            if parse_toml(candidate) == expected:
                return candidate
        except (ValueError, RecursionError):
            continue
    raise ValueError("it cannot be edited without changing more")


def merged(table: object, path: tuple[str, ...], value: object) -> object:
    """A table with ``value`` at a path in it. Raises ValueError where something else is on it."""
    if not path:
        return value
    if not isinstance(table, Mapping):
        raise ValueError(f"what holds {path[0]} is not a table")  # noqa: TRY004 - as for other text
    return {**table, path[0]: merged(table.get(path[0], {}), path[1:], value)}


def to_toml(value: object) -> str:
    """A value as it is written in TOML."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {to_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(to_toml(item) for item in value) + "]"
    # Of text, JSON's escapes are TOML's, but for a pair of surrogates.
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _candidates(text: str, path: tuple[str, ...], value: object) -> Iterator[str]:
    """Beside its example in a comment, at its table's end, or as tomlkit edits the text.

    A table that is not there yet comes last.
    """
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += end
    line = f"{_key(path[-1])} = {to_toml(value)}{end}"
    for place in _places(lines, path[-1]):
        yield "".join([*lines[:place], line, *lines[place:]])
    if len(path) > 1:
        header = ".".join(_key(name) for name in path[:-1])
        yield "".join([*lines, end if lines else "", f"[{header}]{end}", line])
    yield _edited("".join(lines), path, value)


def _places(lines: Sequence[str], name: str) -> Iterator[int]:
    """Where a line for a key could be: after its examples, and where a table ends."""
    example = re.compile(rf"\s*#\s*{re.escape(name)}\s*=")
    yield from (n + 1 for n, line in enumerate(lines) if example.match(line))
    for place in (*(n for n, line in enumerate(lines) if _HEADER.match(line)), len(lines)):
        while place and not lines[place - 1].strip():
            place -= 1  # noqa: PLW2901 - before the empty lines
        yield place


def _edited(text: str, path: tuple[str, ...], value: object) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import InlineTable, Table

    try:
        document = tomlkit.parse(text)
        table: tomlkit.TOMLDocument | Table | InlineTable = document
        for name in path[:-1]:
            if name not in table:
                is_inline = isinstance(table, InlineTable)
                table[name] = tomlkit.inline_table() if is_inline else tomlkit.table()
            table = table[name]
        table[path[-1]] = tomlkit.parse(f"value = {to_toml(value)}")["value"]
        edited = tomlkit.dumps(document)
    except TOMLKitError as exc:
        raise ValueError(str(exc)) from None
    return edited if edited.endswith("\n") else f"{edited}\n"
