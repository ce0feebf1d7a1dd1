"""What could come next on a command line, for the completion scripts of the shells.

A script hands its words to ``debughost __complete``, which answers before the program itself is
loaded: what does not change is in ``table.json``, which ``scripts/completions`` writes, and ids are
read from the engine with one request. Whatever goes wrong, the answer is empty.
"""

from __future__ import annotations

from pathlib import Path

COMMAND = "__complete"
SCRIPTS = {
    "bash": "debughost.bash",
    "zsh": "_debughost",
    "fish": "debughost.fish",
    "powershell": "debughost.ps1",
    "pwsh": "debughost.ps1",
}
"""The file of each shell, here and under ``completions/``."""


def script(shell: str) -> str:
    """The completion script of one of ``SCRIPTS``."""
    return (Path(__file__).parent / "scripts" / SCRIPTS[shell]).read_text("utf-8")
