"""The common part of the install scripts of all package managers.

Every script runs in ``/app`` as a user without a name in the container. The dependency folder is
a mount: it can be emptied, but neither removed nor replaced. A stamp file in it, written last,
records what filled the folder. Where the stamp is missing (an install was interrupted) or different
(another manager, another runtime), the folder is emptied first; otherwise the manager updates it,
which is much faster.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

STAMP_FILE = ".debughost-complete"

_BEGIN = """\
set -eu
cd /app
{before}if ! grep -q ' /app/{folder} ' /proc/self/mounts; then
    echo 'debughost: /app/{folder} is not a volume, nothing is installed into it' >&2
    exit 1
fi
expected="{stamp}"
if [ "$(cat {folder}/{file} 2>/dev/null)" = "$expected" ]; then
    rm -f {folder}/{file}
else
    find {folder} -mindepth 1 -maxdepth 1 -exec rm -rf {{}} +
fi
"""
_END = """\
printf '%s\\n' "$expected" >{folder}/{file}
"""


_PORT = "DEBUGHOST_PORT_NUMBER"
"""Stands for the port while words are quoted, which it does not need."""


def join(words: Iterable[str], port: str = "{port}") -> str:
    """A command as shell text, with ``port`` in the place of ``{port}``."""
    return shlex.join(word.replace("{port}", _PORT) for word in words).replace(_PORT, port)


def install_script(folder: str, stamp: str, install: str, before: str = "") -> str:
    """The text of an install script.

    ``stamp``: what the content of ``folder`` depends on, as the inside of a double-quoted shell
    string. ``before``: lines that the stamp needs. ``install``: the lines that fill the folder.
    """
    begin = _BEGIN.format(folder=folder, stamp=stamp, before=before, file=STAMP_FILE)
    return begin + install + _END.format(folder=folder, file=STAMP_FILE)
