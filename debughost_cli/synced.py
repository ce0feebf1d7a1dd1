"""Whether a workspace that was uploaded is on the engine as it is here; part of ``Project``."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class SyncState(StrEnum):
    """``UNKNOWN``: the workspace is another machine's, or could not be read."""

    CURRENT = "current"
    STALE = "stale"
    SYNCING = "syncing"
    UNKNOWN = "unknown"


class Sync(Struct, frozen=True):
    """``files``: how many differ from what was uploaded last; None where that is not known."""

    state: SyncState
    files: int | None = None
