"""What the install scripts of all package managers have in common.

Every script runs in ``/app`` as a user who has no name in the container. The dependency folder
is a mount: it can be emptied, but neither removed nor replaced. A mark in it, written last, says
what the folder was filled with. Where the mark is missing (an install was interrupted) or tells
of something else (another manager, another runtime), the folder is emptied first; otherwise the
manager brings it up to date, which is much faster.
"""

from __future__ import annotations

MARK = ".debughost-complete"

_BEGIN = """\
set -eu
cd /app
{before}if ! grep -q ' /app/{folder} ' /proc/self/mounts; then
    echo 'debughost: /app/{folder} is not a volume, nothing is installed into it' >&2
    exit 1
fi
want="{stamp}"
if [ "$(cat {folder}/{mark} 2>/dev/null)" = "$want" ]; then
    rm -f {folder}/{mark}
else
    find {folder} -mindepth 1 -maxdepth 1 -exec rm -rf {{}} +
fi
"""
_END = """\
printf '%s\\n' "$want" >{folder}/{mark}
"""


def install_script(folder: str, stamp: str, install: str, before: str = "") -> str:
    """The text of an install script.

    ``stamp``: what the content of ``folder`` depends on, as the inside of a double-quoted shell
    string. ``before``: lines that the stamp needs. ``install``: the lines that fill the folder.
    """
    begin = _BEGIN.format(folder=folder, stamp=stamp, before=before, mark=MARK)
    return begin + install + _END.format(folder=folder, mark=MARK)
