"""Taking back what a command made before it failed."""

from __future__ import annotations

from collections.abc import Callable

from debughost_cli.errors import DebughostError, Interrupted
from debughost_cli.services.progress import Progress


class Rollback:
    """Steps back, run in reverse order; one that fails is reported, and the rest still run."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._steps: list[tuple[str, Callable[[], None]]] = []

    def __bool__(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self._steps)

    def push(self, what: str, step: Callable[[], None]) -> None:
        """Remembers how to take back what was just done; ``what`` completes "could not ..."."""
        self._steps.append((what, step))

    def remembers(self, what: str) -> bool:
        """True where a step of that name would be taken back."""
        return any(name == what for name, _ in self._steps)

    def forget(self) -> None:
        """What was done stays."""
        self._steps.clear()

    def run(self) -> None:
        """Takes everything back, the last first; a step that is interrupted is still to do."""
        while self._steps:
            what, step = self._steps.pop()
            try:
                step()
            except DebughostError as exc:
                self._progress.warn("CLEANUP_FAILED", f"could not {what}: {exc.message}")
            except Interrupted:
                self.push(what, step)
                raise
