"""On which engine ``up`` works, and what it brings up there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debughost_cli.api.lifecycle import ProjectLifecycle

if TYPE_CHECKING:
    from debughost_cli.api.engine_source import EngineSource
    from debughost_cli.planning.placement import Placement
    from debughost_cli.project.resolve import ResolvedProject
    from debughost_cli.project.settings import Flags
    from debughost_cli.resources import ProjectInstance
    from debughost_cli.services.results import ProjectResult

    Resolved = tuple[ResolvedProject, bool, ProjectInstance | None]


class UpPlacement(ProjectLifecycle):
    """The engine that was named, or that has the project, or that has most memory left."""

    _placement: Placement | None = None

    def _for_up(
        self,
        workspace: str | Path | None,
        flags: Flags | None,
        allow: str | Path | None,
        *,
        reset: bool,
    ) -> tuple[EngineSource, Resolved]:
        """The engine on which the project belongs, and what ``_resolve`` returns there.

        That is the one where it is, unless another one was named. Raises WorkspaceConflict.
        """
        self._placement = None
        given = workspace or self.environ.get("DEBUGHOST_WORKSPACE")
        place = Path(given) if given else None
        if self._engines.is_auto(place or self.config.folder):
            source = self._used = self._placed(place, flags, allow)
            return source, self._resolve(source, workspace, flags, allow, reset)
        source = self._used = self._engines.of(place) if place else self._source
        made = self._resolve(source, workspace, flags, allow, reset)
        if made[2] is None and not self._engines.is_single:
            other = self._where_else(made[0], source)
            if other:
                return other, self._resolve(other, workspace, flags, allow, reset)
        return source, made

    def _placed(
        self, workspace: Path | None, flags: Flags | None, allow: str | Path | None
    ) -> EngineSource:
        """The engine that is chosen among those of the user's own file."""
        from debughost_cli.api.placing import choose_engine
        from debughost_cli.api.workspaces import WorkspaceChoice
        from debughost_cli.project.resolve import resolve_project
        from debughost_cli.project.settings import Flags

        fleet = self._fleet().required()
        choice = WorkspaceChoice(self.config.folder, self.environ, fleet.any)
        folder = choice.find(workspace, flags or Flags(), Path(allow) if allow else None)
        resolved = resolve_project(folder, flags or Flags(), self.environ)
        entries = self._engines.entries
        source, self._placement = choose_engine(fleet, entries, resolved, self._progress)
        why = self._placement.reason
        self._progress.notice(f"{resolved.project} goes to engine {source.name}: {why}")
        return source

    def _resolve(
        self,
        source: EngineSource,
        workspace: str | Path | None,
        flags: Flags | None,
        allow: str | Path | None,
        reset: bool,
    ) -> Resolved:
        """The project, whether flags of earlier runs are forgotten, and what was listed of it."""
        from debughost_cli.api.workspaces import WorkspaceChoice, resolve_with_earlier
        from debughost_cli.project.settings import Flags
        from debughost_cli.services.projects import mention

        flags = flags or Flags()
        if flags.swarm:
            source.reread_swarm()
        choice = WorkspaceChoice(self.config.folder, self.environ, source.get)
        given, allowed = (Path(path) if path else None for path in (workspace, allow))
        folder = choice.find(given, flags, allowed)
        resolved, earlier = resolve_with_earlier(
            folder, flags, self.environ, source.get, reset=reset
        )
        before, now = set(earlier.flags.words()), set(flags.words())
        kept = set() if reset else before & set(resolved.flags.words())
        mention(self._progress, resolved.project, sorted(kept - now))
        return resolved, reset and bool(before - now), earlier.instance

    def _own_project(self) -> str:
        """The id of the project of the folder, on whatever engine it is."""
        from debughost_cli.api.across import labelled

        found = labelled(self._fleet().listed(), self.config.folder)
        return found or self.chosen(None)[0]

    def _from_here(self, project: str, target: EngineSource) -> ProjectResult:
        """Brought up from its folder: what is on the lost engine is left behind."""
        from debughost_cli.project.settings import Flags
        from debughost_cli.services.up import UpService

        made = self._resolve(target, None, Flags(project=project), None, reset=False)
        result = UpService(target.get(), self._progress).run(made[0], self._up_options(wait=True))
        self._progress.warn(
            "OLD_NOT_REMOVED",
            f"its old engine does not answer: what {project} has there, and the flags of its 'up', "
            f"are left behind; once it is back: debughost rm {project} --volumes --engine NAME",
        )
        return replace(result, project=replace(result.project, engine=target.name))
