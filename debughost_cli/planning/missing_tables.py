"""What a program says where its database has no tables, or not all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_UNAPPLIED = re.compile(
    r"You have (\d{1,6}) unapplied migration\(s\)"
    r"(?:.{0,200}? for app\(s\): ([\w, .]{1,200}?)\.?$)?",
    re.MULTILINE,
)
"""Django, when it starts to serve."""
_NO_TABLE = re.compile(
    r"no such table: [\w.]{1,80}"
    r"|relation \"[^\"\n]{1,80}\" does not exist"
    r"|table '[^'\n]{1,80}' doesn't exist"
    r"|the table `[^`\n]{1,80}` does not exist",
    re.IGNORECASE,
)
"""SQLite, PostgreSQL, MySQL and MariaDB, Prisma."""


def missing_tables(lines: Iterable[str]) -> str:
    """What is missing, in a few words; empty where nothing is said to be."""
    text = "\n".join(lines)
    unapplied = _UNAPPLIED.search(text)
    if unapplied:
        which = f" ({unapplied[2]})" if unapplied[2] else ""
        if unapplied[1] == "1":
            return f"1 migration{which} is not applied"
        return f"{unapplied[1]} migrations{which} are not applied"
    found = _NO_TABLE.search(text)
    return f"its database lacks a table ({found[0]})" if found else ""
