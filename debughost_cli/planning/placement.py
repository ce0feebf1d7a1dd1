"""Where ``up --engine auto`` puts a project: on the engine with most memory left."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class Candidate(Struct, frozen=True):
    """An engine that was considered. ``error``: why it did not answer, empty where it did.

    ``memory_free_bytes``: its memory without the limits of what runs there. ``projects``: how many
    run there; ``capacity``: how many may, None for any number.
    """

    name: str
    error: str = ""
    memory_bytes: int = 0
    memory_free_bytes: int = 0
    projects: int = 0
    capacity: int | None = None

    @property
    def is_full(self) -> bool:
        return self.capacity is not None and self.projects >= self.capacity


class Considered(Struct, frozen=True):
    """A candidate as the result has it. ``reason``: why it was chosen, or why not."""

    name: str
    reason: str
    memory_bytes: int | None = None
    memory_free_bytes: int | None = None
    projects: int | None = None
    capacity: int | None = None


class Placement(Struct, frozen=True):
    """The engine that was chosen, why, and what was considered; ``fits``: its memory is enough."""

    chosen: str
    reason: str
    candidates: tuple[Considered, ...] = ()
    fits: bool = True


def place(candidates: Sequence[Candidate], needed: int) -> Placement | None:
    """The one with most free memory; None where none answers that is not full.

    ``needed``: the memory limits of the project and its services, in bytes. The first of the file
    is taken among equals.
    """
    usable = [c for c in candidates if not c.error and not c.is_full]
    if not usable:
        return None
    best = max(usable, key=lambda c: c.memory_free_bytes)
    reason = f"most memory free: {_gib(best.memory_free_bytes)} of {_gib(best.memory_bytes)}"
    shown = tuple(considered(c, reason if c is best else _why_not(c, best)) for c in candidates)
    return Placement(best.name, reason, shown, best.memory_free_bytes >= needed)


def considered(candidate: Candidate, reason: str) -> Considered:
    """With what is known of it."""
    if candidate.error:
        return Considered(candidate.name, reason, capacity=candidate.capacity)
    return Considered(
        candidate.name,
        reason,
        candidate.memory_bytes,
        candidate.memory_free_bytes,
        candidate.projects,
        candidate.capacity,
    )


def why_none(candidate: Candidate) -> str:
    """Why it cannot be chosen, whatever the others are."""
    if candidate.error:
        return f"no answer: {candidate.error}"
    return f"{candidate.projects} of {candidate.capacity} projects run"


def _why_not(candidate: Candidate, best: Candidate) -> str:
    if candidate.error or candidate.is_full:
        return why_none(candidate)
    less = "as much" if candidate.memory_free_bytes == best.memory_free_bytes else "less"
    return f"{less} memory free: {_gib(candidate.memory_free_bytes)}"


def _gib(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB"
