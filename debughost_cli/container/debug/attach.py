"""Starts debugpy in the program itself, and in no other process; installed as ``sitecustomize``.

Every Python process under the project's command runs this: package managers, reloaders and
helpers, too. The program is the process that holds the socket which listens on the project's port,
and has no process below it that does: of a reloader the process that it reloads, of a server with
workers one of these. Without a port, it is one that has run for a second with no process below it.
After a reload, the new process takes the place of the one that has ended.

It is for any Python from 3.9 on, and uses what no program replaces: neither gevent's nor other
sockets and threads.
"""

from __future__ import annotations

import _socket
import _thread
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import sleep

SETTINGS = "DEBUGHOST_DEBUG"
"""The variable with the debugger's port, the program's, and the folder that has debugpy."""
PAUSE = 0.5
OFTEN, SELDOM = 240, 2.0
"""After that many readings, seconds between two of them."""
_PROCESSES = Path("/proc")
_LISTENS = "0A"
_DEBUGGED = Path("/.debughost/run/debugged")
"""Has the id of the process that was debugged last."""


def _listening(port: int) -> set[str]:
    """The sockets of this container that listen on ``port``, as file descriptors name them."""
    found = set()
    for table in ("net/tcp", "net/tcp6"):
        for line in _lines(_PROCESSES / table)[1:]:
            words = line.split()
            if words[3] == _LISTENS and int(words[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{words[9]}]")
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii").splitlines()
    except OSError:
        return []


def _sockets(process: str) -> set[str]:
    """What a process has open; nothing where it has ended."""
    found = set()
    try:
        for entry in (_PROCESSES / process / "fd").iterdir():
            found.add(_target(entry))
    except OSError:
        pass
    return {name for name in found if name.startswith("socket:")}


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


def _children() -> Iterable[str]:
    for task in (_PROCESSES / "self" / "task").iterdir():
        yield from " ".join(_lines(task / "children")).split()


def _is_program(program_port: int) -> bool:
    if not program_port:
        return not list(_children())
    own = _sockets("self")
    held = own and own & _listening(program_port)
    return bool(held) and not any(held & _sockets(child) for child in _children())


def _is_free(port: int) -> bool:
    probe = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        probe.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        probe.bind(("0.0.0.0", port))
    except OSError:
        return False
    finally:
        probe.close()
    return True


def _end_stale_adapter(port: int) -> None:
    """What listens for a process that has ended keeps the port while an editor connects to it."""
    before = "".join(_lines(_DEBUGGED))
    if not before or (_PROCESSES / before).exists():
        return
    left = _listening(port)
    for entry in _PROCESSES.iterdir():
        if entry.name.isdigit() and left & _sockets(entry.name):
            os.kill(int(entry.name), signal.SIGTERM)


def _take(port: int) -> bool:
    """Whether nobody else has the debugger's port, as far as that can be brought about."""
    if not _is_free(port):
        _end_stale_adapter(port)
        return False
    with suppress(OSError):
        _DEBUGGED.write_text(str(os.getpid()))
    return True


def _watch(port: int, program_port: int, place: str) -> None:
    """Twice in a row, for a reloader listens a moment before it starts what it reloads."""
    readings = hits = 0
    while hits < 2 or not _take(port):
        sleep(PAUSE if readings < OFTEN else SELDOM)
        readings += 1
        hits = hits + 1 if _is_program(program_port) else 0
    sys.path.append(place)
    # Debuggers warn of the frozen modules of Python 3.11 and later.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    words = os.environ.pop(SETTINGS)
    try:
        # Its adapter is a Python process, too.
        import_module("debugpy").listen(("0.0.0.0", port))
    except Exception as exc:
        sys.stderr.write(f"debughost: debugpy does not start: {exc}\n")
    finally:
        os.environ[SETTINGS] = words


def _start(words: str) -> None:
    port, program_port, place = words.split(" ", 2)

    def start() -> None:
        _thread.start_new_thread(_watch, (int(port), int(program_port), place))

    start()
    # A thread does not come along into the workers that a server forks.
    os.register_at_fork(after_in_child=start)


def _run_next() -> None:
    """The ``sitecustomize`` that this took the place of, where there is one."""
    own = str(Path(__file__).parent)
    before, me = list(sys.path), sys.modules.pop("sitecustomize", None)
    sys.path[:] = [folder for folder in before if folder != own]
    try:
        import_module("sitecustomize")
    except ImportError:
        if me:
            sys.modules["sitecustomize"] = me
    finally:
        sys.path[:] = before


if SETTINGS in os.environ:
    _run_next()
    _start(os.environ[SETTINGS])
