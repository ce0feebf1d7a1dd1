"""Which workspace and which project a call is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from debughost_cli.errors import DebughostError, TypeUnknown, Usage
from debughost_cli.names import check_project, project_id_from

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine
    from debughost_cli.project.resolve import ResolvedProject
    from debughost_cli.project.settings import Flags
    from debughost_cli.services.projects import EarlierRun


def current_folder() -> Path:
    """The current folder. Raises Usage where it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise Usage(
            "the current folder does not exist any more", hint="Change to another"
        ) from None


def project_in(folder: Path, environ: Mapping[str, str], engine: Callable[[], Engine]) -> str:
    """The id of the project of ``folder``, or of its nearest parent that has one.

    A folder that looks like a project of its own has no parent's. Raises InvalidProject,
    InvalidConfig, and WorkspaceConflict where the folder's id is another workspace's, unless the
    user named it in a variable.
    """
    from debughost_cli.project.configuration import load_settings
    from debughost_cli.project.resolve import default_project
    from debughost_cli.project.settings import Flags, Source
    from debughost_cli.services.ownership import find_project

    try:
        settings = load_settings(folder, Flags(), environ)
    except DebughostError:
        # What runs could make its own configuration unreadable, and so not be stopped here.
        is_named = bool(environ.get("DEBUGHOST_PROJECT"))
        found = "" if is_named else _running_in(engine(), folder)
        if not found:
            raise
        return found
    default = settings.project or project_id_from(folder.name)
    if settings.source("project") is not Source.ENVIRONMENT:
        place = folder.resolve()
        own = _looks_like_project(place)
        default = find_project(engine(), place, default, search_parents=not own)
    return check_project(default or default_project(folder))


def _running_in(engine: Engine, folder: Path) -> str:
    """The id of the one project of a folder, empty where there is none."""
    from debughost_cli.services.ownership import find_project

    return find_project(engine, folder.resolve(), "", search_parents=False)


def resolve_with_earlier(
    folder: Path,
    flags: Flags,
    environ: Mapping[str, str],
    engine: Callable[[], Engine],
    *,
    reset: bool,
) -> tuple[ResolvedProject, EarlierRun]:
    """The project with the flags of earlier runs beneath its own, or with its own alone
    (``reset``); and the earlier runs.

    Bad input is reported before the engine is needed. Raises what ``resolve_project`` raises.
    """
    from debughost_cli.project.resolve import resolve_project
    from debughost_cli.project.settings import Flags
    from debughost_cli.services.projects import EarlierRun, earlier_run

    try:
        resolved = resolve_project(folder, flags, environ)
    except TypeUnknown:
        # An earlier run may have been given it.
        earlier = EarlierRun() if reset else _earlier_if_known(folder, flags, environ, engine)
        if earlier.flags == Flags():
            raise
    else:
        earlier = earlier_run(engine(), resolved.project, folder)
        if reset or earlier.flags == Flags():
            return resolved, earlier
    return resolve_project(folder, flags.over(earlier.flags), environ), earlier


def resolve_one_off(
    folder: Path, project: str | None, environ: Mapping[str, str], engine: Callable[[], Engine]
) -> ResolvedProject:
    """The project of that id where it exists, else this folder as ``up`` would take it.

    Without an id, the project of the folder or of its nearest parent. Raises what
    ``resolve_project`` raises.
    """
    from debughost_cli.project.settings import Flags
    from debughost_cli.project.workspace import check_workspace
    from debughost_cli.services.projects import workspace_of

    chosen = check_project(project) if project else project_in(folder, environ, engine)
    known = workspace_of(engine(), chosen)
    if known:
        # What was allowed when the container was made does not have to be allowed again.
        place, flags = check_workspace(Path(known), allowed=Path(known)), Flags(project=chosen)
    else:
        flags = Flags(project=project)
        place = WorkspaceChoice(folder, environ, engine).find(None, flags, None)
    return resolve_with_earlier(place, flags, environ, engine, reset=False)[0]


def _earlier_if_known(
    folder: Path, flags: Flags, environ: Mapping[str, str], engine: Callable[[], Engine]
) -> EarlierRun:
    from debughost_cli.project.configuration import load_settings
    from debughost_cli.project.resolve import default_project
    from debughost_cli.services.projects import EarlierRun, earlier_run

    with suppress(DebughostError):
        project = load_settings(folder, flags, environ).project or default_project(folder)
        return earlier_run(engine(), project, folder)
    return EarlierRun()


class WorkspaceChoice:
    """Finds the workspace of ``up``: the given one, the current folder, or the project's own."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str], engine: Callable[[], Engine]
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._engine = engine

    def find(self, given: Path | None, flags: Flags, allow: Path | None) -> Path:
        """The workspace, checked. Raises InvalidWorkspace, InvalidProject.

        A project that is named outside of any workspace has the one that it was created with. In a
        folder inside a workspace, where nothing else is named either, it is that workspace.
        ``allow``: a folder that is used even if it exposes the host; no configuration file can
        allow that.
        """
        from debughost_cli.project.workspace import check_workspace, resolve_path

        allowed = resolve_path(allow) if allow else None
        variable = self._environ.get("DEBUGHOST_WORKSPACE")
        if given or variable:
            return check_workspace(given or Path(variable or ""), allowed)
        known = None if _looks_like_project(self._folder) else self._elsewhere(flags)
        return check_workspace(known or self._folder, allowed)

    def _elsewhere(self, flags: Flags) -> Path | None:
        """The workspace that is meant in a folder that is none."""
        if flags.project:
            from debughost_cli.services.projects import workspace_of

            known = workspace_of(self._engine(), check_project(flags.project))
            if known:
                return Path(known)
        if flags.type or flags.image or flags.command:
            return None
        return _nearest_project(self._folder.resolve())


def _nearest_project(folder: Path) -> Path | None:
    """The nearest parent that looks like a project, below those that belong to no project."""
    from debughost_cli.project.unsafe_mounts import unsafe_mount_reason

    for parent in folder.parents:
        if unsafe_mount_reason(parent):
            break
        if _looks_like_project(parent):
            return parent
    return None


def _looks_like_project(folder: Path) -> bool:
    from debughost_cli.project.configuration import read_file
    from debughost_cli.project.detect import detect

    try:
        return bool(read_file(folder)[0] or detect(folder))
    except DebughostError:
        return False
