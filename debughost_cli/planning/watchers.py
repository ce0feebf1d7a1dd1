"""Programs that watch files, start another program, and stay when that one has crashed."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NODE = r"Node\.js v\d+\.\d+\.\d+\S*$"
_NODE_VERSION = re.compile(_NODE)
_LAST_WORDS = re.compile(
    # node --watch and nodemon; each also after a program that ended with 0.
    r"(?:Failed|Completed) running '.{0,200}'|"
    r"\[nodemon\] (?:app crashed|clean exit) - waiting for (?:file )?changes|"
    # The form that smaller ones share.
    r".{0,80}waiting for (?:file )?changes(?: before restart(?:ing)?)?\W{0,3}$|" + _NODE,
    # Node's last line about an exception; tsx watch and the like add none of their own.
    re.IGNORECASE,
)
_SOURCE_LINE = re.compile(r' +File "[^"]+", line \d+')
"""Of a Python traceback."""
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?::|$)")
_MOST_LINES = 8
"""Of an exception's text: what follows a traceback that is longer is another thing."""
_RELOADERS = re.compile(
    r"\brunserver\b|--(?:reload|debug)(?![\w-])|\bwatchfiles\b|\bhupper\b|\bwatch\b"
)


def waits_for_changes(tail: Sequence[str]) -> bool:
    """Whether the last line of output says that the program has ended, and its watcher waits."""
    last = next((line.strip() for line in reversed(tail) if line.strip()), "")
    return _LAST_WORDS.match(last) is not None


def is_reloaded(command: Sequence[str]) -> bool:
    """Whether the command is one of Python's programs that start another again and again."""
    return _RELOADERS.search(" ".join(command)) is not None


def ends_in_exception(tail: Sequence[str]) -> bool:
    """Whether the program itself said why it ended, be it that its watcher said more."""
    lines = [line for line in tail if line.strip()]
    while lines and waits_for_changes(lines[-1:]) and not _NODE_VERSION.match(lines[-1]):
        lines.pop()
    return bool(lines and _NODE_VERSION.match(lines[-1])) or ends_in_traceback(lines)


def ends_in_traceback(tail: Sequence[str]) -> bool:
    """Whether the output ends with a Python exception that nobody caught."""
    lines = [line for line in tail if line.strip()]
    sources = [n for n, line in enumerate(lines) if _SOURCE_LINE.match(line)]
    if not sources:
        return False
    text = [line for line in lines[sources[-1] + 1 :] if not line.startswith(" ")]
    return 0 < len(text) <= _MOST_LINES and _EXCEPTION.match(text[0]) is not None
