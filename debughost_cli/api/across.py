"""The same thing for projects on several engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.api.engine_source import EngineSource
from debughost_cli.api.fleet import Fleet, Found, two_engines
from debughost_cli.errors import ProjectNotFound
from debughost_cli.models import Action, Project
from debughost_cli.project.configuration import load_settings
from debughost_cli.project.resolve import default_project
from debughost_cli.project.settings import Flags
from debughost_cli.resources import ProjectInstance
from debughost_cli.services.batch import Target
from debughost_cli.services.host_identity import host_identity
from debughost_cli.services.projects import list_instances
from debughost_cli.services.results import ProjectResult, ProjectsResult

Run = Callable[[list[Target]], ProjectsResult]


def on_all(
    fleet: Fleet, projects: Sequence[str], run: Run, folder: Path | None
) -> list[ProjectResult]:
    """What ``run`` returns for each project on every engine that has it.

    ``folder``: only what is there of it or of a parent. What no engine lists is tried on each: of a
    project that was removed, volumes may be left.
    """
    engines = fleet.listed()
    everywhere: list[Target] = []
    unlisted: list[str] = []
    for project in dict.fromkeys(projects):
        having = [
            f for f in engines
            if project in f.projects and (not folder or _is_of(f.projects[project], folder))
        ]  # fmt: skip
        everywhere += [Target(project, f.source.get, f.source.name) for f in having]
        unlisted += [] if having else [project]
    items = list(run(everywhere).items)
    for project in unlisted:
        free = [f for f in engines if project not in f.projects]
        found = run([Target(project, f.source.get, f.source.name) for f in free]).items
        done = [i for i in found if not isinstance(i.error, ProjectNotFound)]
        missing = ProjectResult(Project(project), Action.FAILED, _not_found(project, fleet))
        items += done or [missing]
    return items


def project_of(fleet: Fleet, folder: Path, environ: Mapping[str, str]) -> str:
    """The id of the project of ``folder``, or of its nearest parent that has one on an engine.

    Raises InvalidConfig, InvalidProject.
    """
    found = labelled(fleet.listed(), folder)
    if found:
        return found
    settings = load_settings(folder, Flags(), environ)
    return settings.project or default_project(folder)


def labelled(engines: Sequence[Found], folder: Path) -> str:
    """The id of what is there of the folder or of its nearest parent; empty for nothing."""
    place = folder.resolve()
    for parent in (place, *place.parents):
        for found in engines:
            for project, instance in found.projects.items():
                if _workspace_here(instance) == parent:
                    return project
    return ""


def _is_of(instance: ProjectInstance, folder: Path) -> bool:
    place = folder.resolve()
    return _workspace_here(instance) in (place, *place.parents)


def _workspace_here(instance: ProjectInstance) -> Path | None:
    """Its workspace, None for one of another machine."""
    labels = instance.main.labels
    is_here = labels.get(names.HOST) == host_identity()
    return Path(labels.get(names.WORKSPACE, "")) if is_here else None


def having_workspace(
    fleet: Fleet, project: str, workspace: Path, *, without: str = ""
) -> EngineSource | None:
    """The engine that has the project of a workspace. ``without``: the identity of one that hasn't.

    Raises WorkspaceConflict where two have it.
    """
    found = [
        f.source
        for f in fleet.listed()
        if f.identity != without
        and project in f.projects
        and _workspace_here(f.projects[project]) == workspace
    ]
    if len(found) > 1:
        raise two_engines(project, [source.name for source in found])
    return found[0] if found else None


def places_of(
    fleet: Fleet, projects: Sequence[str], here: EngineSource | None = None
) -> dict[str, EngineSource]:
    """The engine of each project: ``here``, or the one that has it.

    Raises ProjectNotFound, and WorkspaceConflict for one that two have.
    """
    own = list_instances(here.get()) if here else {}
    engines = fleet.listed()
    places: dict[str, EngineSource] = {}
    for project in projects:
        source = here if project in own else fleet.only(project, engines)
        if source is None:
            raise _not_found(project, fleet)
        places[project] = source
    return places


def not_on_any(project: str, known: Iterable[str], silent: Sequence[str]) -> ProjectNotFound:
    """No engine of those that answered has the project. ``silent``: those that did not."""
    listed = sorted(set(known))
    unsure = f"; it may be on {', '.join(silent)}, which did not answer" if silent else ""
    return ProjectNotFound(
        f"there is no project {project} on any engine that answered",
        hint=f"Known projects: {', '.join(listed[:10]) or 'none'}{unsure}",
        details={"project": project, "known": listed, "unanswered": list(silent)},
    )


def _not_found(project: str, fleet: Fleet) -> ProjectNotFound:
    return not_on_any(project, (p for f in fleet.found for p in f.projects), fleet.silent)


def found_elsewhere(
    fleet: Fleet,
    items: Sequence[ProjectResult],
    run: Run,
    mention: Callable[[str, EngineSource], None],
) -> tuple[ProjectResult, ...]:
    """``items``, where those of projects that were not found are what ``run`` returns for them on
    the engine that has them. ``mention`` gets a project and that engine.
    """
    engines = fleet.listed()
    done: dict[str, ProjectResult] = {}
    targets: list[Target] = []
    for item in items:
        project = item.project.project
        found = [f.source for f in engines if project in f.projects]
        if not isinstance(item.error, ProjectNotFound) or not found:
            continue
        if len(found) > 1:
            done[project] = replace(item, error=two_engines(project, [s.name for s in found]))
            continue
        mention(project, found[0])
        targets.append(Target(project, found[0].get, found[0].name))
    if targets:
        done |= {i.project.project: i for i in run(targets).items}
    return tuple(done.get(item.project.project, item) for item in items)
