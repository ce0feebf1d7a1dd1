"""Files that are replaced as a whole: others read what was there before, or all that is new."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_file(
    path: Path, text: str, mode: int = 0o600, owner: tuple[int, int] | None = None
) -> None:
    """Puts a new file in the place of what is there; a link is replaced and not followed.

    ``mode`` and ``owner`` (UID and GID) are those of the new file, where the system has them.
    Raises OSError, and leaves what was there.
    """
    descriptor, new = tempfile.mkstemp(prefix=".debughost-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            if os.name == "posix":
                os.fchmod(descriptor, mode)
                if owner:
                    os.fchown(descriptor, *owner)
        Path(new).replace(path)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise
