"""What ``up`` checks and warns of before it changes anything."""

from __future__ import annotations

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.project.workspace import is_roots_and_open
from debughost_cli.services.owner_process import OwnerProcess
from debughost_cli.services.progress import Progress
from debughost_cli.services.run_limits import check_run_limits
from debughost_cli.services.workspace_limits import check_workspace_limits, warn_of_raised_limits


def check_limits(
    engine: Engine, resolved: ResolvedProject, owner: OwnerProcess, progress: Progress
) -> None:
    """Before an image is built. Raises LimitReached, InvalidConfig."""
    check_workspace_limits(engine, resolved.settings)
    check_run_limits(engine, resolved, owner)
    warn_of_raised_limits(resolved.settings, progress)
    port = resolved.settings.fixed_port
    if port in names.REFUSED_PORTS:
        text = f"browsers open no page on port {port}: choose another one for a page"
        progress.warn("PORT_REFUSED_BY_BROWSERS", text)


def warn_of_worktree(resolved: ResolvedProject, progress: Progress) -> None:
    """Where git cannot work in the container, because its repository is not there."""
    if resolved.worktree and resolved.worktree.problem:
        progress.warn(
            "REPOSITORY_ELSEWHERE",
            f"{resolved.worktree.problem}: git does not work in the container; use it on this "
            "machine, or turn this off with 'git = false'",
        )


def warn_of_setuid(engine: Engine, resolved: ResolvedProject, progress: Progress) -> None:
    """A container of a folder of root's runs as root, and files that it makes are root's."""
    workspace = resolved.workspace
    is_local = engine.info.shares_machine and not engine.users().by_engine
    if is_local and is_roots_and_open(workspace):
        progress.warn(
            "WORKSPACE_OPEN",
            f"{workspace} belongs to root and other users can enter it: a setuid program that "
            f"the container makes there runs as root for them; chmod o-x {workspace} helps",
        )
