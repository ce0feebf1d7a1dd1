"""A workspace on an engine whose containers run as other users of this machine."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path

from debughost_cli.engine.port import Conflict, Engine, NotFound
from debughost_cli.project.workspace import owner_of
from debughost_cli.resources import Container
from debughost_cli.services.progress import Progress

_NOT_WRITABLE = 1
"""The code of ``test``: others mean that it could not be run."""


def warn_if_not_writable(
    engine: Engine, container: Container, workspace: Path, progress: Progress
) -> None:
    """With ``userns-remap``, where the program cannot write to its workspace.

    It is asked within the container, as access control lists may give it what modes do not.
    """
    mapping = engine.users()
    if not mapping.first_uid or not engine.info.shares_machine:
        return
    with suppress(NotFound, Conflict):
        if engine.exec.run(container.id, ("test", "-w", "/app")).exit_code == _NOT_WRITABLE:
            owner, gid = owner_of(workspace)
            user = mapping.user_for(owner, gid)
            uid = mapping.first_uid + (user.uid if user else 0)
            access = f"u:{uid}:rwX,d:u:{uid}:rwX,d:u:{owner}:rwX"
            progress.warn(
                "WORKSPACE_NOT_WRITABLE",
                f"the program cannot write to {workspace}: the engine maps users (userns-remap), "
                f"and runs it as user {uid} of this machine; to let it: "
                f"setfacl -R -m {access} {shlex.quote(str(workspace))}",
            )
