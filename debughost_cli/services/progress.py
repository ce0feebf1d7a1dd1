"""What services report while they work: an observer that ignores it unless another is given."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what happens; it decides what of it a user sees."""

    def step(self, text: str) -> None:
        """Something begins that may take a while, such as "Building image ..."."""
        ...

    def detail(self, text: str) -> None:
        """A line of a long step: a build's output, a pull's layers."""
        ...

    def notice(self, text: str) -> None:
        """Something that the user should see at once, such as that a call is tried again."""
        ...

    def warn(self, code: str, message: str) -> None:
        """Something the user should know; it also goes into the result's ``warnings``."""
        ...

    def trace(self, text: str) -> None:
        """A request to the engine is about to be sent."""
        ...


class NullProgress:
    """Ignores everything."""

    def step(self, text: str) -> None:
        """Nothing."""

    def detail(self, text: str) -> None:
        """Nothing."""

    def warn(self, code: str, message: str) -> None:
        """Nothing."""

    def notice(self, text: str) -> None:
        """Nothing."""

    def trace(self, text: str) -> None:
        """Nothing."""
