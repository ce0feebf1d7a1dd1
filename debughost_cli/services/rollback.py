"""Undoing what a command did before it failed."""

from __future__ import annotations

from collections.abc import Callable

from debughost_cli.errors import DebughostError, Interrupted
from debughost_cli.services.progress import PhaseKind, Progress


class Rollback:
    """Actions that undo, run in reverse order; one that fails is reported, and the rest run."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._actions: list[tuple[str, Callable[[], None]]] = []

    def __bool__(self) -> bool:
        """Whether there is anything to undo."""
        return bool(self._actions)

    def push(self, name: str, action: Callable[[], None]) -> None:
        """Records how to undo what is about to be done; ``name`` completes "could not ..."."""
        self._actions.append((name, action))

    def contains(self, name: str) -> bool:
        """True where an action of that name would be run."""
        return any(recorded == name for recorded, _ in self._actions)

    def run(self) -> None:
        """Undoes everything, the last first; an action that is interrupted stays recorded."""
        if self._actions:
            self._progress.phase(PhaseKind.ROLLBACK, "Undoing what was done")
        while self._actions:
            name, action = self._actions.pop()
            try:
                action()
            except DebughostError as exc:
                self._progress.warn("CLEANUP_FAILED", f"could not {name}: {exc.message}")
            except Interrupted:
                self.push(name, action)
                raise
