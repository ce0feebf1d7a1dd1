"""The data of the commands for projects on other machines, as classes; see ``shapes``."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class ForwardedPortFacts(Struct, frozen=True):
    """A port of a project on another machine, ``host``, which is on this one as well.

    ``service``: the companion service whose port it is; null for the project's own program.
    """

    project: str
    name: str
    service: str | None
    port: int
    url: str
    host: str


class ForwardOut(ForwardedPortFacts, Struct, frozen=True):
    """A line of ``forward``. ``message``: of ``failed``, why a connection could not be made."""

    type: Literal["forward"]
    event: Literal["listening", "failed", "recovered"]
    message: str


class Forwarded(Struct, frozen=True):
    """Of ``forward``. ``connections``: how many were made."""

    ports: list[ForwardedPortFacts]
    connections: int


class SyncOut(Struct, frozen=True):
    """A line of ``sync``. Of ``sent``: files and their bytes, deleted paths, the first 20 paths.

    ``away``: the engine or the container cannot be reached, and why (``message``).
    """

    type: Literal["sync"]
    event: Literal["sent", "watching", "away", "back"]
    project: str
    files: int
    bytes: int
    deleted: int
    paths: list[str]
    duration_ms: int
    message: str


class Synced(Struct, frozen=True):
    """Of ``sync``: the sums. ``needed``: false where the engine mounts the workspace."""

    project: str
    needed: bool
    files: int
    bytes: int
    deleted: int
    batches: int
    ports: list[ForwardedPortFacts]


class PulledFileFacts(Struct, frozen=True):
    """A file that ``pull`` brought here, or would with ``--dry-run``."""

    path: str
    change: Literal["created", "changed", "deleted"]
    bytes: int


class Pulled(Struct, frozen=True):
    """Of ``pull``. ``needed``: false where the engine mounts the workspace."""

    project: str
    needed: bool
    dry_run: bool
    files: list[PulledFileFacts]
