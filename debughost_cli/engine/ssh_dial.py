"""An engine behind ssh where no socket can be forwarded: the ``docker`` command there connects.

As docker's own ``ssh://`` does, each connection is a ``docker system dial-stdio`` on the other
machine. All of them share the one connection of ssh that a tunnel keeps open.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

NOT_FORWARDED = ": open failed: "
"""ssh's words where the server forbids a forward, and where nobody listens at the socket."""

HAS_DOCKER = (
    "exec sh -c 'command -v docker >/dev/null 2>&1 && echo debughost-engine docker "
    "|| echo debughost-engine none; exec cat'"
)
"""Answers as the search for a socket does, and stays as long as its input."""


def dial_command(remote: str) -> str:
    """What connects to the engine at that socket; for an empty one, to docker's own choice."""
    to = f"-H {shlex.quote(f'unix://{remote}')} " if remote else ""
    return f"exec docker {to}system dial-stdio"


class Dialer:
    """A socket of this machine; whoever connects to it talks to a command of its own."""

    def __init__(self, path: Path, command: Sequence[str], said: Path) -> None:
        """``said``: the file for what the commands write on stderr."""
        self._command, self._said = command, said
        self._running: list[subprocess.Popen[bytes]] = []
        self._listener = socket.socket(socket.AF_UNIX)
        path.unlink(missing_ok=True)
        self._listener.bind(str(path))
        self._listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                # The command ends with its input, however this process ends.
                with near, suppress(OSError):
                    self._start(near.fileno())

    def _start(self, near: int) -> None:
        self._running = [p for p in self._running if p.poll() is None]
        with self._said.open("ab") as said:
            made = subprocess.Popen(  # noqa: S603 - no shell, and no option of others
                self._command, stdin=near, stdout=near, stderr=said, start_new_session=True
            )
        self._running.append(made)

    def close(self) -> None:
        """Ends what it started."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for process in self._running:
            process.terminate()
        for process in self._running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(2)
