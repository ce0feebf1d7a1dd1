"""The same thing for each of several projects, on the engine that has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from debughost_cli.api.remote import RemoteProjects
from debughost_cli.api.whereabouts import Projects
from debughost_cli.cancel import CancelToken
from debughost_cli.errors import ProjectNotFound

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine
    from debughost_cli.services.batch import Target
    from debughost_cli.services.results import ProjectResult, ProjectsResult

    Work = Callable[[str, CancelToken], ProjectResult]
    """What is done with a project, given by its id."""


class EachProject(RemoteProjects):
    """What the commands on projects have in common."""

    def _each(
        self,
        projects: Projects,
        work_on: Callable[[Engine], Work],
        check: bool,
        *,
        undoes: bool = False,
        group: bool = False,
        all_engines: bool = False,
        if_exists: bool = False,
    ) -> ProjectsResult:
        """What is done for each project with ``work_on`` of its engine."""
        from debughost_cli.services.batch import Target, run_targets
        from debughost_cli.services.results import ProjectsResult

        # An interruption of this call alone does not end those that follow.
        token = CancelToken(self.cancel)

        def report(target: Target) -> ProjectResult:
            with self._progress.task(target.project):
                return work_on(target.engine())(target.project, token)

        def run(targets: list[Target]) -> ProjectsResult:
            return run_targets(targets, report, token, undoes=undoes)

        items: list[ProjectResult] = []
        fleet = self._fleet().required() if all_engines else None
        for turn in self._turns(self._ids(projects, fleet), group=group):
            if fleet:
                from debughost_cli.api.across import on_all

                items += on_all(fleet, turn, run, None if projects else self.config.folder)
            else:
                # Once, and not for each of the projects: it may be away.
                self._engine()
                here = [Target(p, self._engine) for p in dict.fromkeys(turn)]
                items += self._wherever(run(here), run)
        if if_exists:
            from debughost_cli.services.removal import unless_gone

            items = [unless_gone(item) for item in items]
        result = ProjectsResult(tuple(items), fleet.reports if fleet else ())
        if check and result.error:
            raise result.error
        return result

    def _wherever(
        self, result: ProjectsResult, run: Callable[[list[Target]], ProjectsResult]
    ) -> tuple[ProjectResult, ...]:
        """The result, with what was not found here done where it is."""
        if not any(isinstance(item.error, ProjectNotFound) for item in result.items):
            return result.items
        fleet = self._others()
        if not fleet:
            return result.items
        from debughost_cli.api.across import found_elsewhere

        return found_elsewhere(fleet, result.items, run, self._mention_engine)

    def _turns(self, projects: list[str], *, group: bool) -> list[list[str]]:
        """All at once; of a group each after those that depend on it."""
        if not group:
            return [projects]
        from debughost_cli.api.group import group_projects, last_first

        turns = last_first(group_projects(self.config.folder, self.environ))
        present = ([p for p in turn if p in projects] for turn in turns)
        return [turn for turn in present if turn]
