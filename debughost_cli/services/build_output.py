"""What a build prints, with the step that each line belongs to."""

from __future__ import annotations

from debughost_cli.engine.port import OnText

_BETWEEN = ("---> ", "Removing intermediate container", "Removed intermediate container")


class BuildOutput:
    """Passes text on: ``Step 3/9 : RUN apt-get update`` and what follows begin with ``[3/9]``.

    What the engine says of the containers and images between the steps is left out.
    """

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._step = ""

    def __call__(self, text: str) -> None:
        """One line or more."""
        lines = [line for line in text.splitlines() if not line.lstrip().startswith(_BETWEEN)]
        self._on_text("\n".join(map(self._numbered, lines)))

    def _numbered(self, line: str) -> str:
        head, colon, rest = line.partition(" : ")
        word, _, number = head.partition(" ")
        if word == "Step" and colon and number.replace("/", "").isdigit():
            self._step = f"[{number}] "
            line = rest
        return f"{self._step}{line}" if line.strip() else ""
