"""Whether a program that was started with a debugger can be debugged."""

from __future__ import annotations

from contextlib import suppress

from debughost_cli import names
from debughost_cli.clock import Clock
from debughost_cli.engine.port import Conflict, Engine, NotFound
from debughost_cli.models import ProjectType
from debughost_cli.resources import Container
from debughost_cli.services.progress import Progress
from debughost_cli.specs import as_port

TABLES = ("cat", "/proc/net/tcp", "/proc/net/tcp6")
TIMEOUT, INTERVAL = 10.0, 0.3
"""Seconds: debugpy needs about one after the program listens."""
_LISTENS = "0A"


def wait_for_debugger(
    engine: Engine, container: Container, progress: Progress, clock: Clock
) -> None:
    """Until the debugger listens, so that an editor can attach at once. Warns where it does not."""
    port = as_port(container.labels.get(names.DEBUG))
    if not port or container.labels.get(names.TYPE) == ProjectType.PHP:
        return
    deadline = clock.monotonic() + TIMEOUT
    with suppress(NotFound, Conflict):
        while not _listens(engine, container.id, port):
            if clock.monotonic() >= deadline:
                progress.warn(
                    "DEBUGGER_NOT_READY",
                    f"no debugger listens on port {port} of {container.project}: "
                    f"'debughost logs -p {container.project}' may say why",
                )
                return
            clock.sleep(INTERVAL)


def _listens(engine: Engine, ref: str, port: int) -> bool:
    """Also where the image has no way to tell."""
    found = engine.exec.run(ref, TABLES)
    if not found.stdout:
        return True
    rows = (line.split() for line in found.stdout.decode("ascii", "replace").splitlines())
    address = f":{port:04X}"
    return any(len(r) > 3 and r[1].endswith(address) and r[3] == _LISTENS for r in rows)
