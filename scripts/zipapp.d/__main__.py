"""Begins debughost.pyz: unpacks what this Python needs, once, and runs the program from there.

Libraries that are compiled cannot be loaded from a zip file, and those that are not start slower.
What is unpacked lies in a folder that is named by its content, belongs to the user and can be
written by nobody else. Several that start at once each unpack, and the first one's folder stays.
"""

import os
import stat
import sys
from importlib.machinery import EXTENSION_SUFFIXES

CONTENT = "@CONTENT@"
"""Replaced when the file is made: the hash of all that is in it."""
PARTS = ("@PARTS@",)
"""For each Python and platform one, such as ``cpython-311-x86_64-linux-gnu``."""


def main() -> None:
    """Runs the program. Exits where there is no part for this Python."""
    part = EXTENSION_SUFFIXES[0].split(".")[1]
    if part not in PARTS:
        sys.exit(
            f"debughost.pyz is not for this Python ({part}), but for: {', '.join(PARTS)}.\n"
            "Install the package instead: uv tool install debughost-cli"
        )
    folder = unpacked(part)
    sys.path[0] = folder
    from debughost_cli.__main__ import script

    script()


def unpacked(part: str) -> str:
    """The folder with the program; one for this run alone where the cache cannot be used."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    parent = os.path.join(cache, "debughost", "pyz")
    folder = os.path.join(parent, f"{CONTENT}-{part}")
    if is_own(folder):
        return folder
    try:
        os.makedirs(parent, mode=0o700, exist_ok=True)
        if is_own(parent):
            return unpack(part, folder, parent)
    except OSError:
        pass
    import atexit
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="debughost-pyz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    extract(part, folder)
    return folder


def is_own(folder: str) -> bool:
    """Whether the folder is there, and nobody but this user could have written into it."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    return not hasattr(os, "geteuid") or (
        status.st_uid == os.geteuid() and not status.st_mode & 0o022
    )


def unpack(part: str, folder: str, parent: str) -> str:
    """Makes the folder at once, complete. Raises OSError."""
    import shutil
    import tempfile

    made = tempfile.mkdtemp(prefix=".unpacking-", dir=parent)
    try:
        extract(part, made)
        os.rename(made, folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not is_own(folder):
            raise
    return folder


def extract(part: str, folder: str) -> None:
    """Writes what is for all Pythons, and what is for this one."""
    import io
    import zipfile

    with zipfile.ZipFile(sys.path[0]) as outer:
        for name in ("common", part):
            with zipfile.ZipFile(io.BytesIO(outer.read(name + ".zip"))) as inner:
                inner.extractall(folder)


main()
