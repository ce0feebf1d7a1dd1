"""To which workspace a project on the engine belongs: a folder of one machine."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import Usage, WorkspaceConflict
from debughost_cli.project.workspace import is_gone
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.projects import list_instances


def belongs_to(labels: Mapping[str, str], workspace: str, host: str) -> bool:
    """Whether what carries ``labels`` is of this workspace, or of one that is gone.

    Only the machine whose path it is can know that it is gone; 0.1.0 did not name the machine.
    What has no label of a workspace is taken as it is.
    """
    path = labels.get(names.WORKSPACE, "")
    its_host = labels.get(names.HOST)
    if not path or (path == workspace and its_host in (host, None)):
        return True
    return its_host == host and is_gone(Path(path))


def is_volume_of(labels: Mapping[str, str], workspace: str, host: str) -> bool:
    """Whether a volume was filled by this workspace, as far as its labels say.

    One of a workspace that is gone is not: whatever ran there may have put anything into it.
    """
    path = labels.get(names.WORKSPACE, "")
    return not path or (path == workspace and labels.get(names.HOST) in (host, None))


def place_of(labels: Mapping[str, str], host: str) -> str:
    """The workspace as messages show it."""
    path = labels.get(names.WORKSPACE, "")
    return path if labels.get(names.HOST) in (host, None) else f"{path} of another machine"


def workspace_conflict(
    project: str, labels: Mapping[str, str], workspace: str, host: str, hint: str
) -> WorkspaceConflict:
    """The id belongs to another workspace than the one that is wanted."""
    its_host = labels.get(names.HOST)
    return WorkspaceConflict(
        f"project {project} belongs to the workspace {place_of(labels, host)}, not to {workspace}",
        hint=hint,
        details={
            "project": project,
            "workspace": labels.get(names.WORKSPACE, ""),
            "wanted": workspace,
            "same_machine": its_host == host if its_host else None,
        },
    )


def check_up(project: str, labels: Mapping[str, str], workspace: str, host: str) -> None:
    """Raises WorkspaceConflict where ``up`` would replace what another workspace runs."""
    if belongs_to(labels, workspace, host):
        return
    path = shlex.quote(labels.get(names.WORKSPACE, ""))
    hint = "Use another id for this folder with --project NAME"
    if labels.get(names.HOST) in (host, None):
        hint += f"; to start that one: debughost up -p {project} -w {path}"
    raise workspace_conflict(project, labels, workspace, host, hint)


def find_project(engine: Engine, folder: Path, default: str, *, search_parents: bool) -> str:
    """The id of the project of a resolved folder, or of its nearest parent that has one.

    ``default``: the id that nobody named, from the folder's name or a file in it; the result where
    no folder has a project. Raises WorkspaceConflict where that id is another workspace's.
    """
    host = host_identity()
    labels = {p: i.main.labels for p, i in list_instances(engine).items()}
    if default in labels and _is_workspace(labels[default], str(folder), host):
        return default
    for place in (folder, *(folder.parents if search_parents else ())):
        found = sorted(p for p, its in labels.items() if _is_workspace(its, str(place), host))
        if found:
            return _only(found, place)
    # Last: a file of the workspace may name the project of another one that is gone.
    if default in labels and not belongs_to(labels[default], str(folder), host):
        hint = f"Use '-p {default}' to mean that one, 'debughost up --project NAME' for a new one"
        raise workspace_conflict(default, labels[default], str(folder), host, hint)
    return default


def _is_workspace(labels: Mapping[str, str], folder: str, host: str) -> bool:
    return labels.get(names.WORKSPACE) == folder and labels.get(names.HOST) in (host, None)


def _only(projects: Sequence[str], folder: Path) -> str:
    if len(projects) == 1:
        return projects[0]
    listed = ", ".join(projects)
    raise Usage(f"several projects have the workspace {folder}: {listed}", hint="Name one with -p")
