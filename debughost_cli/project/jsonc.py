"""Reads JSON with comments and trailing commas, as editors write it, in time that is linear.

Libraries for it search on for the end of a string at each quotation mark: 200 KB of them take
minutes. So what JSON has not is replaced by spaces here, and the rest is the standard library's.
"""

from __future__ import annotations

import json
import re

from debughost_cli.project.toml import json_number

_STRING = r'"(?:[^"\\]|\\.)*+"?'
"""Also one without an end, up to the end of the text: what is in it is looked at once."""
_COMMENT = re.compile(rf"(?P<string>{_STRING})|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?", re.DOTALL)
_COMMA = re.compile(rf"(?P<string>{_STRING})|,(?=\s*[\]}}])", re.DOTALL)
_NO_LINE = re.compile(r"[^\n]")


def parse_jsonc(text: str) -> object:
    """The value that a text describes. Raises ValueError with the line, and RecursionError."""
    plain = _COMMA.sub(_blank, _COMMENT.sub(_blank, text))
    return json.loads(plain, parse_int=json_number)


def _blank(match: re.Match[str]) -> str:
    """Spaces, in as many lines, so that an error names the line of the file."""
    return match["string"] or _NO_LINE.sub(" ", match[0])
