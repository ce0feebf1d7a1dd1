"""Which workspace and which project a call is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from debughost_cli.errors import DebughostError, Usage
from debughost_cli.names import check_project

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine


def current_folder() -> Path:
    """The current folder. Raises Usage where it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise Usage(
            "the current folder does not exist any more", hint="Change to another"
        ) from None


def project_in(folder: Path, environ: Mapping[str, str], engine: Callable[[], Engine]) -> str:
    """The id of the project that is configured for ``folder``, else its name as an id.

    Raises InvalidProject, InvalidConfig, and WorkspaceConflict where that id is another
    workspace's, unless the user named it in a variable.
    """
    from debughost_cli.project.configuration import load_settings
    from debughost_cli.project.resolve import default_project
    from debughost_cli.project.settings import Flags, Source
    from debughost_cli.services.ownership import check_default

    settings = load_settings(folder, Flags(), environ)
    project = check_project(settings.project or default_project(folder))
    if settings.source("project") is not Source.ENVIRONMENT:
        check_default(engine(), project, str(folder.resolve()))
    return project


class WorkspaceChoice:
    """Finds the workspace of ``up``: the given one, the current folder, or the project's own."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str], engine: Callable[[], Engine]
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._engine = engine

    def find(self, given: Path | None, project: str | None, allow: Path | None) -> Path:
        """The workspace, checked. Raises InvalidWorkspace, InvalidProject.

        A project that is named outside of any workspace has the one that it was created with.
        ``allow``: a folder that is used even if it exposes the host; no configuration file can
        allow that.
        """
        from debughost_cli.project.workspace import check_workspace, resolve_path

        allowed = resolve_path(allow) if allow else None
        variable = self._environ.get("DEBUGHOST_WORKSPACE")
        if given or variable:
            return check_workspace(given or Path(variable or ""), allowed)
        if project and not _looks_like_project(self._folder):
            from debughost_cli.services.projects import workspace_of

            known = workspace_of(self._engine(), check_project(project))
            if known:
                return check_workspace(Path(known), allowed)
        return check_workspace(self._folder, allowed)


def _looks_like_project(folder: Path) -> bool:
    from debughost_cli.project.configuration import read_file
    from debughost_cli.project.detect import detect

    try:
        return bool(read_file(folder)[0] or detect(folder))
    except DebughostError:
        return False
