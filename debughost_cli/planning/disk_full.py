"""How engines, registries and programs report a full disk."""

from __future__ import annotations

import re

DISK_FULL = r"no space left on device|disk quota exceeded|not enough free space|\benospc\b"
"""In any case."""


def reports_disk_full(text: str) -> bool:
    """Whether a text reports that a disk is full, and no other limit of the kernel."""
    from debughost_cli.planning.failure_hints import is_other_limit

    return bool(re.search(DISK_FULL, text, re.IGNORECASE)) and not is_other_limit(text)
