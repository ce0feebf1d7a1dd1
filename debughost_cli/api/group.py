"""The group of a folder: its projects, with their ids, for ``up --all`` and ``--group``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import InvalidConfig, ProjectNotFound, Usage
from debughost_cli.names import check_project, project_id_from
from debughost_cli.project.configuration import file_environment, load_settings
from debughost_cli.project.group import Group, Member, address_variable, find_group
from debughost_cli.project.resolve import default_project
from debughost_cli.project.settings import Flags
from debughost_cli.project.workspace import check_workspace
from debughost_cli.services.group_up import GroupProject
from debughost_cli.services.projects import list_instances

if TYPE_CHECKING:
    from debughost_cli.api.engine_source import EngineSource
    from debughost_cli.api.engine_sources import EngineSources


def group_projects(folder: Path, environ: Mapping[str, str]) -> list[GroupProject]:
    """The projects of the group of a folder, each after those that it depends on.

    Raises Usage where there is no group, InvalidConfig where two have the same id.
    """
    group = find_group(folder.resolve())
    if group is None:
        raise Usage(
            f"{folder} holds no group of projects",
            hint='Name its members in debughost.workspace.toml: members = ["api", "web"]',
        )
    ids = {m.name: _id_of(m, environ) for m in group.members}
    _check_ids(group, ids)
    return [_project(m, ids, environ) for m in group.members]


def _id_of(member: Member, environ: Mapping[str, str]) -> str:
    """What ``up`` in its folder would take; of several in one folder, made of the name."""
    if member.command:
        return check_project(project_id_from(member.name) or member.name)
    own = {k: v for k, v in environ.items() if k != "DEBUGHOST_PROJECT"}
    settings = load_settings(check_workspace(member.folder), Flags(), own)
    return settings.project or default_project(member.folder)


def _check_ids(group: Group, ids: Mapping[str, str]) -> None:
    owners: dict[str, str] = {}
    for name, project in ids.items():
        if project in owners:
            raise InvalidConfig(
                f"{group.root}: the members {owners[project]!r} and {name!r} have the same id "
                f"{project!r}",
                hint="Set 'project' in the debughost.toml of one of them",
                details={"members": [owners[project], name], "project": project},
            )
        owners[project] = name


def _project(member: Member, ids: Mapping[str, str], environ: Mapping[str, str]) -> GroupProject:
    settings = load_settings(member.folder, Flags(), environ)
    return GroupProject(
        project=ids[member.name],
        folder=member.folder,
        variable=address_variable(member.name),
        depends_on=tuple(ids[name] for name in member.depends_on),
        command=member.command,
        own=frozenset(file_environment(settings, member.folder, environ)),
        is_shared=not settings.isolated,
    )


def flags_for(project: GroupProject, flags: Flags, addresses: Mapping[str, str]) -> Flags:
    """Those of the command line, and what makes it this project of the group."""
    return replace(
        flags,
        project=project.project,
        command=project.command or None,
        environment={**addresses, **flags.environment},
    )


def engine_of_group(
    engines: EngineSources, folder: Path, projects: Sequence[GroupProject]
) -> EngineSource:
    """The one engine of all members: what theirs name, else that of the group's folder.

    Raises Usage where they name several: projects of a group reach each other on one network.
    """
    shared = engines.of(folder)
    own = {p.project: engines.of(p.folder) for p in projects}
    chosen = {p: source if source.name else shared for p, source in own.items()}
    if len({source.name for source in chosen.values()}) > 1:
        where = (f"{p} on {source.name or 'the default one'}" for p, source in chosen.items())
        raise Usage(
            f"the projects of this group are to be on several engines: {', '.join(where)}",
            hint="Bring them all up on one with --engine NAME, or each in its own folder",
        )
    return next(iter(chosen.values()), shared)


def last_first(projects: list[GroupProject]) -> list[list[str]]:
    """The ids in turns, in which they can be stopped: each after all that depend on it."""
    turn: dict[str, int] = {}
    for project in reversed(projects):
        needing = [p.project for p in projects if project.project in p.depends_on]
        turn[project.project] = max((turn[p] + 1 for p in needing), default=0)
    last = max(turn.values(), default=-1)
    return [[p.project for p in projects if turn[p.project] == n] for n in range(last + 1)]


def existing(projects: list[GroupProject], engine: Engine) -> list[str]:
    """The ids of those that exist, in that order. Raises ProjectNotFound where none does."""
    found = list_instances(engine)
    here = [
        p.project
        for p in projects
        if p.project in found and found[p.project].main.labels.get(names.WORKSPACE) == str(p.folder)
    ]
    if here:
        return here
    listed = ", ".join(p.project for p in projects)
    raise ProjectNotFound(
        f"no project of this group exists on this engine: {listed}",
        hint="Create them with 'debughost up --all'",
        details={"projects": [p.project for p in projects]},
    )
