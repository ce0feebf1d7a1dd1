"""What services report while they work: an observer that ignores it unless another is given."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives steps and warnings; the caller decides whether a user sees them."""

    def step(self, text: str) -> None:
        """Something begins that may take a while, such as "Building image ..."."""
        ...

    def detail(self, text: str) -> None:
        """A line of a long step: a build's output, a pull's layers."""
        ...

    def warn(self, code: str, message: str) -> None:
        """Something the user should know; it also goes into the result's ``warnings``."""
        ...


class NullProgress:
    """Ignores everything."""

    def step(self, text: str) -> None:
        """Nothing."""

    def detail(self, text: str) -> None:
        """Nothing."""

    def warn(self, code: str, message: str) -> None:
        """Nothing."""
