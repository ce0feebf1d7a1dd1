"""Programs that watch files, start another program, and stay when that one has crashed."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LAST_WORDS = re.compile(
    # node --watch and nodemon; each also after a program that ended with 0.
    r"(?:Failed|Completed) running '.{0,200}'|"
    r"\[nodemon\] (?:app crashed|clean exit) - waiting for (?:file )?changes|"
    # The form that smaller ones share.
    r".{0,80}waiting for (?:file )?changes(?: before restart(?:ing)?)?\W{0,3}$",
    re.IGNORECASE,
)


def waits_for_changes(tail: Sequence[str]) -> bool:
    """Whether the last line of output says that the program has ended, and its watcher waits."""
    last = next((line.strip() for line in reversed(tail) if line.strip()), "")
    return _LAST_WORDS.match(last) is not None
