"""A shell at a terminal, as somebody uses it who presses Tab."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from .harness import environment, program

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
LOAD = {
    "bash": 'eval "$(debughost completion bash)"',
    "zsh": 'eval "$(debughost completion zsh)"',
    "fish": "debughost completion fish | source",
}
"""What README.md says."""
_KEEP_LINE = {
    "bash": """bind -x '"\\C-t": printf %s "$READLINE_LINE" > "$KEPT"'""",
    "zsh": """keep() { print -rn -- $BUFFER > $KEPT }; zle -N keep; bindkey '^T' keep""",
    "fish": """bind \\ct 'commandline > $KEPT'""",
}
"""Ctrl-T writes the line into a file, without running it."""
_CONTROL = re.compile(r"\x1b(\[[0-9;?>=]*[ -/]*[@-~]|[()].|[=>]|\][^\x07]*\x07)|\r")


class Shell:
    """One that has loaded nothing but what ``run`` tells it."""

    def __init__(self, kind: str, home: Path, extra: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self._kept = home / "line"
        self._ours, theirs = pty.openpty()
        env = environment(home) | {
            "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "INPUTRC": "/dev/null",
            "XDG_DATA_HOME": str(home / ".local/share"), "TERM": "xterm", "PS1": "$ ",
            "PATH": f"{program().parent}:{os.environ['PATH']}", "KEPT": str(self._kept),
            "COLUMNS": "200", "LINES": "50", **(extra or {}),
        }  # fmt: skip
        command = env.pop("SHELL_COMMAND", None)
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *(command.split() if command else SHELLS[kind])],
            stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=home,
        )  # fmt: skip
        os.close(theirs)
        self.seen = ""
        self.run("stty columns 200 rows 50")
        self.run(_KEEP_LINE[kind])

    def close(self) -> None:
        """Ends it as a terminal does that is closed."""
        self._process.kill()
        self._process.wait(10)
        os.close(self._ours)

    def run(self, line: str) -> str:
        """What a command line prints, once it has ended."""
        mark = f"done-{time.monotonic_ns()}"
        # Not as one word: what is typed is echoed, too.
        self._type(f"{line}; printf '%s%s\\n' {mark[:5]} {mark[5:]}\n")
        return self.wait_for(mark)

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """What is shown until a text is; from where the last call ended."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._ours], [], [], left)[0]:
                raise AssertionError(f"{self.kind} never showed {text!r}, but {self.seen!r}")
            self.seen += _CONTROL.sub("", os.read(self._ours, 65536).decode("utf-8", "replace"))
        shown, _, self.seen = self.seen.partition(text)
        return shown

    def settle(self, seconds: float) -> str:
        """What is shown until nothing was for a while."""
        while select.select([self._ours], [], [], seconds)[0]:
            self.seen += _CONTROL.sub("", os.read(self._ours, 65536).decode("utf-8", "replace"))
        shown, self.seen = self.seen, ""
        return shown

    def tab(self, typed: str) -> tuple[str, str]:
        """The command line after Tab, and what was shown meanwhile; the line is then cleared."""
        self.settle(0.05)
        self._type(typed)
        self.settle(0.1)
        self._kept.unlink(missing_ok=True)
        self._type("\t")
        self.settle(0.05)
        # It waits for its turn, until all that comes of Tab is there.
        self._type("\x14")
        deadline = time.monotonic() + 20
        while not self._kept.exists() or not self._kept.stat().st_size:
            assert time.monotonic() < deadline, f"{self.kind} is stuck: {self.settle(0)!r}"
            time.sleep(0.02)
        shown = self.settle(0.05)
        self._type("\x15")
        return self._kept.read_text("utf-8").rstrip("\n"), shown

    def listing(self, typed: str, last: str) -> str:
        """What is shown of the words that can follow, until one of them is."""
        self.settle(0.05)
        self._type(typed)
        self.settle(0.1)
        self._type("\t\t" if self.kind == "bash" else "\t")
        shown = self.wait_for(last)
        self._type("\x15")
        return shown

    def seconds_until(self, typed: str, completed: str) -> float:
        """How long after Tab what completes the line is shown."""
        self.settle(0.05)
        self._type(typed)
        self.settle(0.2)
        began = time.monotonic()
        self._type("\t")
        self.wait_for(completed)
        elapsed = time.monotonic() - began
        self.settle(0.1)
        self._type("\x15")
        return elapsed

    def _type(self, text: str) -> None:
        os.write(self._ours, text.encode())
