"""Workspaces inside each other: the program of the outer one can replace the inner one's folder.

A link in its place would lead the next start of the inner project to any folder of the host.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from debughost_cli import names
from debughost_cli.errors import WorkspaceConflict
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.resources import ContainerSummary


def check_not_nested(
    resolved: ResolvedProject, others: Iterable[ContainerSummary], host: str
) -> None:
    """Raises WorkspaceConflict where the workspace is inside that of a project that runs, or
    around it.

    ``others``: the main containers of all projects; ``host``: the identity of this machine.
    """
    if resolved.flags.allow_nested:
        return
    for other in others:
        theirs = other.labels.get(names.WORKSPACE)
        if other.project == resolved.project or not (theirs and other.is_running):
            continue
        if other.labels.get(names.HOST, host) == host and _is_nested(
            resolved.workspace, Path(theirs)
        ):
            raise _conflict(resolved, other.project, Path(theirs))


def _is_nested(one: Path, other: Path) -> bool:
    return one != other and (one.is_relative_to(other) or other.is_relative_to(one))


def _conflict(resolved: ResolvedProject, other: str, theirs: Path) -> WorkspaceConflict:
    mine = resolved.workspace
    where = "inside" if mine.is_relative_to(theirs) else "around"
    return WorkspaceConflict(
        f"the workspace {mine} is {where} {theirs}, the workspace of the running project {other}",
        hint=f"Stop that one first (debughost stop -p {other}), or, if you trust the code of both, "
        "add --allow-nested",
        details={
            "project": resolved.project,
            "workspace": str(theirs),
            "wanted": str(mine),
            "other_project": other,
        },
    )
