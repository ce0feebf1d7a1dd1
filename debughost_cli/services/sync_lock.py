"""One client at a time keeps a workspace in step: a lock on the engine, for as long as it lives.

A command in the container holds it, and ends with the connection of its client. So no client that
was killed leaves a lock behind, and no clock of two machines is compared.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime

from debughost_cli import names
from debughost_cli.engine.port import Conflict, Engine, ExecSpec, Execution, NotFound
from debughost_cli.errors import Busy
from debughost_cli.names import rfc3339

LOCK = "lock"
"""In the folder of the upload; its holder is in it, and it is empty without one, unless that one
was killed.
"""
_FILE = f"{names.SYNC_DIR}/{LOCK}"
_HOLD = """\
command -v flock >/dev/null 2>&1 || { echo held; exec cat >/dev/null; }
exec 9<>"$1" || exit 1
if ! flock -n 9; then
    # One of this very client, whose connection has broken, is ended.
    read -r token pid _ <"$1"
    { [ "$token" = "$2" ] && kill "$pid" && flock -w 5 9; } 2>/dev/null || { cat "$1"; exit 1; }
fi
echo "$2 $$ $3" >"$1"
echo held
cat >/dev/null
: >"$1"
"""
_ASK = 'exec 9<"$1" && command -v flock >/dev/null && ! flock -n 9'
_HELD = b"held\n"
_TIMEOUT = 30.0
_LONGEST = 4096


class _Plain:
    """The streams as they are."""

    first = b""
    wants_input = True
    is_over = False
    idle_seconds = None

    def input(self, data: bytes) -> bytes:
        return data

    def output(self, stream: str, data: bytes) -> bytes:
        return data if stream == "stdout" else b""


class SyncLock:
    """Held from ``acquire`` until ``release``, or until ``is_lost``."""

    def __init__(self, engine: Engine, ref: str, project: str, token: str) -> None:
        """``token``: tells this client from others."""
        self._engine = engine
        self._ref = ref
        self._project = project
        self._token = token
        self._execution: Execution | None = None
        self._ours: socket.socket | None = None
        self._ended = threading.Event()

    @property
    def is_lost(self) -> bool:
        """True once the container or the connection to it has ended."""
        return self._ended.is_set()

    def acquire(self) -> None:
        """Raises Busy, naming the client that has it, and what starting a command raises."""
        owner = json.dumps(
            {
                "machine": platform.node(),
                "pid": os.getpid(),
                "since": rfc3339(datetime.now(UTC)),
            }
        )
        command = ("/bin/sh", "-c", _HOLD, "hold", _FILE, self._token, owner)
        self._execution = self._engine.exec.start(self._ref, ExecSpec(command, stdin=True))
        self._ours, theirs = socket.socketpair()
        threading.Thread(target=self._hold, args=(self._execution, theirs), daemon=True).start()
        answer = self._answer(self._ours)
        if not answer.endswith(_HELD):
            self.release()
            raise _busy(self._project, answer)

    def release(self) -> None:
        """Another client may have it; without effect where it is not held."""
        if self._execution:
            self._execution.close()
        if self._ours:
            self._ours.close()

    def _hold(self, execution: Execution, peer: socket.socket) -> None:
        with peer:
            execution.join(peer, _Plain())
        self._ended.set()

    @staticmethod
    def _answer(ours: socket.socket) -> bytes:
        ours.settimeout(_TIMEOUT)
        answer = b""
        with suppress(OSError):
            while not answer.endswith(_HELD) and len(answer) < _LONGEST:
                data = ours.recv(_LONGEST)
                if not data:
                    break
                answer += data
        return answer


def is_held(engine: Engine, ref: str) -> bool:
    """Whether a client keeps the workspace of a running container in step."""
    with suppress(NotFound, Conflict):
        return not engine.exec.run(ref, ("/bin/sh", "-c", _ASK, "ask", _FILE), user="0").exit_code
    return False


def new_token() -> str:
    """What tells a client from others."""
    return secrets.token_hex(8)


def _busy(project: str, answer: bytes) -> Busy:
    _, _, text = answer.decode("utf-8", "replace").strip().partition(" {")
    owner: dict[str, object] = {}
    with suppress(ValueError):
        found = json.loads("{" + text)
        owner = found if isinstance(found, dict) else {}
    known = f"pid {owner.get('pid')} on {owner.get('machine')}, since {owner.get('since')}"
    return Busy(
        f"another client keeps {project} in step: {known if owner else 'it is not known which'}",
        hint="End it there, with Ctrl-C; two clients would overwrite each other's files",
        details={"project": project, "holder": owner},
    )
