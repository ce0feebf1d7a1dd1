"""Which projects a call is about, and on which engine each of them is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from debughost_cli.api.wiring import Wiring
from debughost_cli.errors import InvalidConfig, ProjectNotFound, Usage, WorkspaceConflict
from debughost_cli.names import check_project

if TYPE_CHECKING:
    from debughost_cli.api.engine_source import EngineSource
    from debughost_cli.api.fleet import Fleet
    from debughost_cli.engine.port import Engine
    from debughost_cli.project.resolve import ResolvedProject

T = TypeVar("T")

Projects = str | Sequence[str] | None
"""One project, several, or None for the one of the current folder."""


class Whereabouts(Wiring):
    """A project that is not on the chosen engine is looked for on those of the user's own file.

    Nobody else pays for that: the others are asked only once a project was not found.
    """

    def chosen(self, projects: Projects) -> list[str]:
        """The ids, checked; for None that of the current folder.

        Raises InvalidProject, and WorkspaceConflict where the folder's id is another workspace's.

        >>> host.chosen(None)
        ['shop']
        """
        if projects is not None:
            return names_of(projects)
        from debughost_cli.api.workspaces import project_in

        self._own = project_in(self.config.folder, self.environ, self._engine)
        return [self._own]

    def _fleet(self) -> Fleet:
        """The engines of the user's own file. Raises InvalidConfig."""
        from debughost_cli.api.fleet import Fleet

        return Fleet(self._engines)

    def _others(self) -> Fleet | None:
        """Where a project may be that is not on the chosen engine; None where that was named."""
        with suppress(InvalidConfig):
            fleet = None if self._engines.is_given else self._fleet()
            return fleet or None
        return None

    def _mention_engine(self, project: str, source: EngineSource) -> None:
        """Says that a project is not on the chosen engine.

        Raises WorkspaceConflict where the folder's id is another workspace's there.
        """
        if project == self._own:
            from debughost_cli.api.workspaces import project_in

            project_in(self.config.folder, self.environ, source.get)
        self._used = source
        self._progress.notice(f"{project} is on engine {source.name}")

    def _following(self, work: Callable[[Engine], T]) -> T:
        """What ``work`` returns for the chosen engine, or for the one that has its project."""
        try:
            return work(self._engine())
        except ProjectNotFound as exc:
            project = exc.details.get("project")
            fleet = self._others() if "service" not in exc.details else None
            source = fleet.find(str(project)) if fleet else None
            if source is None:
                raise
        self._mention_engine(str(project), source)
        return work(source.get())

    def _home_of(self, project: str) -> EngineSource:
        """The engine that has a project, for what stays connected to it; the chosen one where none
        has it. One request more where the user's file names engines.

        Raises WorkspaceConflict where two others have it.
        """
        fleet = self._others()
        if fleet is None or self._engines.is_single:
            return self._source
        from debughost_cli.services.projects import find_instance

        here = find_instance(self._engine(), project) is not None
        source = None if here else fleet.find(project)
        if source is None:
            return self._source
        self._mention_engine(project, source)
        return source

    def _one_home(self, projects: Sequence[str]) -> EngineSource:
        """The engine that has them all, for what is connected to one; the chosen one for none.

        Raises Usage where they are on several.
        """
        homes = {project: self._home_of(project) for project in projects}
        if len(set(homes.values())) > 1:
            where = (f"{p} on {s.name or 'the chosen one'}" for p, s in homes.items())
            raise Usage(
                f"these projects are on several engines: {', '.join(where)}",
                hint="Run the command once for each engine",
            )
        return next(iter(homes.values()), self._source)

    def _places(self, projects: Sequence[str]) -> Mapping[str, EngineSource]:
        """Of each project its engine, for some are not on the chosen one; empty for no others.

        Raises ProjectNotFound, WorkspaceConflict.
        """
        fleet = self._others()
        if fleet is None:
            return {}
        from debughost_cli.api.across import places_of

        places = places_of(fleet, projects, self._source)
        for project, source in places.items():
            if source is not self._source:
                self._mention_engine(project, source)
        return places

    def _where_else(self, resolved: ResolvedProject, here: EngineSource) -> EngineSource | None:
        """The engine that has the project of this workspace already, which is not ``here``.

        Raises WorkspaceConflict for two, and for one where ``here`` was named.
        """
        from debughost_cli.api.across import having_workspace

        fleet = self._fleet()
        identity = here.get().identity()
        found = having_workspace(fleet, resolved.project, resolved.workspace, without=identity)
        if found is None or not self._engines.is_given:
            if found:
                self._mention_engine(resolved.project, found)
            return found
        raise WorkspaceConflict(
            f"project {resolved.project} is on engine {found.name} already",
            hint=f"Move it with 'debughost move -p {resolved.project} --to {here.name or 'NAME'}', "
            f"or use it there with --engine {found.name}",
            details={"project": resolved.project, "engines": [found.name]},
        )

    def _ids(self, projects: Projects, fleet: Fleet | None) -> list[str]:
        """As ``chosen``; with a fleet, the folder's project is looked for on all of it."""
        if projects is not None or fleet is None:
            return self.chosen(projects)
        from debughost_cli.api.across import project_of

        return [project_of(fleet, self.config.folder, self.environ)]


def names_of(projects: Projects) -> list[str]:
    """The ids, checked; none for None. Raises InvalidProject."""
    given = [projects] if isinstance(projects, str) else projects or []
    return [check_project(p) for p in given]
