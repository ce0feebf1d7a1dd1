"""Text of others, with everything shown that would be obeyed, or that nobody would see.

Terminals obey control characters; people do not see format characters, which hide or reorder text,
while a program that reads for them does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

# The Unicode categories Cc, without newline and tab, and Cf; separators of lines and paragraphs;
# and the whole block of tags. A test compares this with Python's own tables.
_HIDDEN = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
LONGEST_MESSAGE = 4096
"""Characters of one message; the longest path has as many."""
_COLOUR = r"\x1b\[[0-9;:]*+m"
_SEQUENCE = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled on first use, which takes some milliseconds: most runs need none."""
    return re.compile(pattern)


def clean(text: str) -> str:
    """The text with control and format characters as escapes, except newline and tab."""
    if text.isascii() and text.isprintable():
        return text
    return _compiled(_HIDDEN).sub(lambda m: m[0].encode("unicode_escape").decode(), text)


def message(text: str) -> str:
    """As ``clean``, of a message that quotes others: its end is left out where they flood it."""
    cut = f"{text[:LONGEST_MESSAGE]} ..." if len(text) > LONGEST_MESSAGE else text
    return clean(cut)


def without_colours(text: str) -> str:
    """The text without the codes that only set colours and styles."""
    return _compiled(_COLOUR).sub("", text)


def without_sequences(text: str) -> str:
    """The text without whatever moves a cursor, clears a line, colours or links."""
    return _compiled(_SEQUENCE).sub("", text)


def clean_all(value: object) -> object:
    """What JSON is made of, with each text in it as ``message`` has it."""
    if isinstance(value, str):
        return message(value)
    if isinstance(value, Mapping):
        return {clean(str(k)): clean_all(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean_all(item) for item in value]
    return value


def shown(paths: Iterable[str]) -> str:
    """A few of them, as a message has them."""
    found = list(paths)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more
