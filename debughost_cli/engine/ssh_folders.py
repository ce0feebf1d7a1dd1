"""The folders of the sockets that ssh forwards: each is one command's, which its name says."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

SOCKET = "engine.sock"
CONTROL = "c"
_PREFIX = "debughost-ssh-"
_MADE_BY_SSH = f"{CONTROL}.0123456789abcdef"
"""While ssh makes the control socket, its name is longer."""
_LONGEST = 103 - len(f"/{_PREFIX}4194304-01234567/{_MADE_BY_SSH}")
_PLAIN = re.compile(r"/[\w./@+-]+", re.ASCII)


def new_folder() -> Path:
    """An empty one, for this user alone. Raises OSError."""
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_place()))


def _place() -> str:
    """Where the sockets' folders are: the usual place for what is temporary, or ``/tmp``.

    A socket's path has at most 103 characters on macOS and 107 on Linux, and ssh parses the one
    that it is given.
    """
    usual = tempfile.gettempdir()
    is_fit = len(usual) <= _LONGEST and _PLAIN.fullmatch(usual)
    return usual if is_fit else "/tmp"  # noqa: S108 - the folder in it is this user's alone


def remove_left() -> None:
    """Removes the folders of commands that were killed: nobody listens at the socket any more."""
    for folder in Path(_place()).glob(f"{_PREFIX}*"):
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            if folder.stat().st_uid != os.getuid() or _is_alive(folder.name):
                continue
            try:
                probe.connect(str(folder / SOCKET))
            except ConnectionRefusedError:
                shutil.rmtree(folder, ignore_errors=True)


def _is_alive(name: str) -> bool:
    """Whether the process in a folder's name runs: the ssh of one that does may just have ended."""
    pid = name.removeprefix(_PREFIX).partition("-")[0]
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        pass
    return True
