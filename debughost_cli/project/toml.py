"""Parses TOML that somebody hostile may have written, in bounded time and memory.

``tomllib`` keeps a table, and facts about it, for each part of each key: 40 KB of ``a.a.a`` take
1.6 GB. So a text is looked through before it is parsed, and refused where it has too many parts.
"""

from __future__ import annotations

import re
import tomllib

KEY_PARTS = 20
"""How many parts, separated by dots, a key may have."""
ITEMS = 20_000
"""How many keys, parts of keys, list items and comments a text may have."""
DIGITS = 1000
"""How many digits a number may have: Python converts no more than 4300 of them to text or back."""

_TOKEN = re.compile(
    r"""(?P<string>
        \"{3}(?:[^"\\]|\\[\s\S]|"(?!""))*+"{3,5} | '{3}(?:[^']|'(?!''))*+'{3,5}
        | "(?:[^"\\\n]|\\[^\n])*+" | '[^'\n]*+'
    )
    | (?P<comment>\#[^\n]*+)
    | (?P<name>[\w+-]++|[ \t]++)
    | (?P<dot>\.)
    | (?P<unfinished>["'])
    | (?P<item>[=,\[{])
    | (?P<other>[^"'\#\w+\- \t.=,\[{]++)""",
    re.VERBOSE,
)


def parse_toml(text: str) -> dict[str, object]:
    """The table that a text describes.

    Raises ValueError, tomllib.TOMLDecodeError where it has a line, and RecursionError.
    """
    _check_size(text)
    return tomllib.loads(text)


def _check_size(text: str) -> None:
    """Raises ValueError for too many parts or items."""
    dots = items = 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "dot":
            dots += 1
            items += 1
            if dots >= KEY_PARTS:
                line = text.count("\n", 0, token.start()) + 1
                raise ValueError(f"a key has more than {KEY_PARTS} parts (at line {line})")
        elif kind in ("item", "comment"):
            dots = 0
            items += 1
        elif kind == "name":
            _check_number(token)
        elif kind == "other":
            dots = 0
        elif kind == "unfinished":
            return  # The parser stops here as well, with a better message.
        if items > ITEMS:
            raise ValueError(f"it has more than {ITEMS} keys, list items and comments")


def _check_number(token: re.Match[str]) -> None:
    """A key of that length is refused as well."""
    word = token[0].lstrip("+-")
    if len(word) > DIGITS and word[0].isdigit():
        line = token.string.count("\n", 0, token.start()) + 1
        raise ValueError(f"a number has more than {DIGITS} digits (at line {line})")


def json_number(digits: str) -> int:
    """The same for JSON, as ``parse_int`` of ``json.loads``. Raises ValueError."""
    if len(digits) > DIGITS:
        raise ValueError(f"a number has more than {DIGITS} digits")
    return int(digits)
