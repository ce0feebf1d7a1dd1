"""What deletes files of an uploaded workspace there: a shell program, for now or the next start."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress

from debughost_cli import names
from debughost_cli.project.tree import RESERVED, Entry

DELETED = "deleted"
"""Its name in the folder of the upload."""
_AT_ONCE = 200
"""Names in one command that deletes them."""


def delete_commands(paths: Iterable[str], kept: Mapping[str, Entry]) -> bytes:
    """A shell program that deletes ``paths`` of ``/app``, and at last itself.

    Folders are deleted where they are empty: what the program wrote stays.
    """
    lines = [f"cd {names.WORKDIR} || exit"]
    deleted = [p for p in paths if p not in kept]
    for start in range(0, len(deleted), _AT_ONCE):
        quoted = " ".join(shlex.quote(f"./{p}") for p in deleted[start : start + _AT_ONCE])
        # Each is a file or a folder by now; the other command has nothing to do with it.
        lines += [f"rm -f -- {quoted} 2>/dev/null", f"rmdir -- {quoted} 2>/dev/null"]
    lines.append(f"rm -f -- {RESERVED}/{DELETED}")
    return os.fsencode("\n".join(lines) + "\n")


def paths_in(commands: bytes) -> tuple[str, ...]:
    """The paths that ``delete_commands`` would delete."""
    with suppress(ValueError):
        words = shlex.split(os.fsdecode(commands))
        return tuple(dict.fromkeys(w[2:] for w in words if w.startswith("./")))
    return ()
