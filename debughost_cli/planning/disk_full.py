"""How engines, registries and programs report a full disk."""

from __future__ import annotations

import re

from debughost_cli.planning.failure_hints import is_other_limit

DISK_FULL = re.compile(
    r"no space left on device|disk quota exceeded|not enough free space|\benospc\b",
    re.IGNORECASE,
)


def reports_disk_full(text: str) -> bool:
    """Whether a text reports that a disk is full, and no other limit of the kernel."""
    return DISK_FULL.search(text) is not None and not is_other_limit(text)
