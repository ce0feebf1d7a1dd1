"""Which machine this is: the other half of a workspace's identity, beside its path.

Clients of several machines may share an engine, and host names and paths repeat between them.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

from debughost_cli.services.lock import lock_folder

_MACHINE_ID = Path("/etc/machine-id")
"""systemd's id of an installation; it must not be published as it is, see machine-id(5)."""


@cache
def host_identity() -> str:
    """32 hexadecimal digits that are the same for every command on this machine.

    From the machine id; where there is none, from one that is generated once and kept beside the
    locks. Raises Busy where that folder cannot be written.
    """
    source = _machine_id() or _generated_id(lock_folder() / "host-id")
    return hashlib.sha256(f"debughost {source}".encode()).hexdigest()[:32]


def _machine_id() -> str:
    with suppress(OSError):
        text = _MACHINE_ID.read_text("ascii", "replace").strip()
        # While an image is set up it may hold the word "uninitialized".
        return text if len(text) == 32 else ""
    return ""


def _generated_id(path: Path) -> str:
    """Written to a file of its own first, so that two commands at once agree on one."""
    with suppress(OSError):
        return path.read_text("ascii")
    made = path.with_name(f"{path.name}.{os.getpid()}")
    made.write_text(uuid.uuid4().hex, "ascii")
    with suppress(FileExistsError):
        made.rename(path) if os.name == "nt" else os.link(made, path)
    made.unlink(missing_ok=True)
    return path.read_text("ascii")
