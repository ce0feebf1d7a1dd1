"""Sets one value in the text of a configuration file, and leaves all else of it as it is.

No text is returned that does not read as the old one with that value: what cannot be edited so,
such as a key in a table that is written in one line, is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from debughost_cli.project.toml import parse_toml

_HEADER = re.compile(r"\s*\[")


def with_value(text: str, path: tuple[str, ...], value: object) -> str:
    """``text`` with ``value`` at a key, or at a key in a table. Raises ValueError."""
    expected = _merged(parse_toml(text), path, value)
    for candidate in _candidates(text, path, f"{_key(path[-1])} = {to_toml(value)}"):
        try:
            if parse_toml(candidate) == expected:
                return candidate
        except (ValueError, RecursionError):
            continue
    raise ValueError("it cannot be edited without changing more")


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


def _merged(table: Mapping[str, object], path: tuple[str, ...], value: object) -> object:
    if len(path) == 1:
        return {**table, path[0]: value}
    inner = table.get(path[0], {})
    if not isinstance(inner, dict):
        raise ValueError(f"{path[0]} is not a table")  # noqa: TRY004 - as for any other text
    return {**table, path[0]: _merged(inner, path[1:], value)}


def _candidates(text: str, path: tuple[str, ...], line: str) -> Iterator[str]:
    """In the place of the old value, beside its example in a comment, else at the table's end."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    name = re.escape(path[-1])
    for start, old in enumerate(lines):
        if re.match(rf"""\s*(["']?){name}\1\s*=""", old):
            comment = re.search(r"\s+#[^\"']*$", old.rstrip("\n"))
            kept = f"{line}{comment[0] if comment else ''}\n"
            for end in range(start + 1, len(lines) + 1):
                yield "".join([*lines[:start], kept, *lines[end:]])
                if end - start > 200:
                    break
    examples = [n + 1 for n, old in enumerate(lines) if re.match(rf"\s*#\s*{name}\s*=", old)]
    headers = [n for n, old in enumerate(lines) if _HEADER.match(old)]
    ends = headers if len(path) == 1 else [n + 1 for n in headers]
    for place in (*examples, *ends, len(lines)):
        yield "".join([*lines[:place], f"{line}\n", *lines[place:]])
    if len(path) > 1:
        tables = ".".join(_key(part) for part in path[:-1])
        yield "".join([*lines, "\n" if lines else "", f"[{tables}]\n{line}\n"])
