"""What is said of a project that reached a limit of memory."""

from __future__ import annotations

import shlex

from debughost_cli import names
from debughost_cli.resources import Container


def larger_memory(limit: int | None) -> str:
    """What to try after a limit in bytes, as ``--memory`` takes it; empty where there was none."""
    return f"{2 * limit // 1024**2}m" if limit else ""


def more_shm(container: Container) -> str:
    """The flag with a larger ``/dev/shm``."""
    size = max(512, 2 * (container.limits.shm_bytes or 0) // 1024**2)
    return f"raise it, as in --shm-size {size}m"


def memory_limit(container: Container) -> str:
    """In MiB, as a part of a message."""
    return f"{container.limits.memory_bytes / 1024**2:.0f} MiB"


def more_memory_hint(container: Container) -> str:
    """The ``up`` with a larger limit; where there is none, the machine itself has no more."""
    see_logs = f"see 'debughost logs -p {container.project}'"
    more = larger_memory(container.limits.memory_bytes)
    if not more:
        return f"The engine's machine has no more memory; {see_logs}"
    workspace = shlex.quote(container.labels.get(names.WORKSPACE, "."))
    return (
        f"Give it more: debughost up -p {container.project} -w {workspace} --memory {more}; "
        f"{see_logs}"
    )
