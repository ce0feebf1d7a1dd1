"""Commands on projects that exist, as methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from debughost_cli.api.each import EachProject
from debughost_cli.api.whereabouts import Projects
from debughost_cli.cancel import CancelToken
from debughost_cli.models import PullPolicy

if TYPE_CHECKING:
    from debughost_cli.api.each import Work
    from debughost_cli.engine.port import Engine
    from debughost_cli.services.lifecycle import LifecycleService
    from debughost_cli.services.removal import RemovalService
    from debughost_cli.services.results import ProjectResult, ProjectsResult
    from debughost_cli.services.up_state import UpOptions


class ProjectLifecycle(EachProject):
    """Without ``check``, a failure is the error of the result instead.

    ``all_engines``: the projects are those on all engines of the user's own file. Without it, a
    project that is not on the chosen engine is looked for on the others.
    """

    def stop(
        self,
        projects: Projects = None,
        *,
        timeout: int = 10,
        group: bool = False,
        all_engines: bool = False,
        check: bool = True,
    ) -> ProjectsResult:
        """SIGTERM, then SIGKILL after ``timeout`` seconds. Raises ProjectNotFound, Busy.

        ``group``: the projects are of the group of the current folder, and each is stopped after
        those that depend on it.

        >>> _ = host.up()
        >>> host.stop().items[0].project.state.value
        'stopped'
        """

        def work_on(engine: Engine) -> Work:
            service = self._lifecycle(engine)
            return lambda project, token: service.stop(project, timeout)

        return self._each(projects, work_on, check, group=group, all_engines=all_engines)

    def start(
        self,
        projects: Projects = None,
        *,
        wait: bool = True,
        wait_timeout: float | None = None,
        check: bool = True,
    ) -> ProjectsResult:
        """``up`` for projects that exist, in the workspace of each. Raises what ``up`` raises.

        >>> _ = host.up()
        >>> host.start("shop").items[0].action.value
        'unchanged'
        """
        return self._up_existing(
            projects, lambda token: self._up_options(wait=wait, token=token), wait_timeout, check
        )

    def restart(
        self,
        projects: Projects = None,
        *,
        timeout: int = 10,
        wait: bool = True,
        wait_timeout: float | None = None,
        check: bool = True,
    ) -> ProjectsResult:
        """Stops, then starts with the current configuration. Raises what ``up`` raises.

        >>> _ = host.up()
        >>> host.restart("shop").items[0].action.value
        'restarted'
        """
        return self._up_existing(
            projects,
            lambda token: self._up_options(restart=True, wait=wait, timeout=timeout, token=token),
            wait_timeout,
            check,
        )

    def remove(
        self,
        projects: Projects = None,
        *,
        volumes: bool = False,
        data: bool = False,
        timeout: int = 10,
        if_exists: bool = False,
        group: bool = False,
        all_engines: bool = False,
        check: bool = True,
    ) -> ProjectsResult:
        """Stops, then removes the container, and with ``volumes`` what was installed.

        ``data``: with the volumes also the data of its services. ``if_exists``: a project that does
        not exist is unchanged, and no error. ``group``: as for ``stop``.

        >>> _ = host.up()
        >>> host.remove().items[0].action.value
        'removed'
        """

        def work_on(engine: Engine) -> Work:
            service = self._removal(engine)
            return lambda project, token: service.remove(
                project, timeout, volumes=volumes, data=data
            )

        return self._each(
            projects, work_on, check, group=group, all_engines=all_engines, if_exists=if_exists
        )

    def plan_removal(
        self,
        projects: Projects = None,
        *,
        volumes: bool = False,
        data: bool = False,
        if_exists: bool = False,
        all_engines: bool = False,
        check: bool = True,
    ) -> ProjectsResult:
        """What ``remove`` would do, as the plan of each result; changes nothing.

        >>> _ = host.up()
        >>> [step.kind.value for step in host.plan_removal().items[0].plan.steps]
        ['stop_container', 'remove_container']
        """

        def work_on(engine: Engine) -> Work:
            service = self._removal(engine)
            return lambda project, token: service.plan_removal(project, volumes=volumes, data=data)

        return self._each(projects, work_on, check, all_engines=all_engines, if_exists=if_exists)

    def wait(
        self,
        projects: Projects = None,
        condition: str = "ready",
        *,
        timeout: float = 60.0,
        check: bool = True,
    ) -> ProjectsResult:
        """Waits for running, ready, healthy, exited, http[=PATH] or log=REGEX.

        Raises WaitTimeout, and at once what tells why the condition can no longer come true.

        >>> _ = host.up()
        >>> host.wait(condition="running", timeout=5).error is None
        True
        """
        from debughost_cli.services.conditions import parse_condition
        from debughost_cli.services.wait import WaitService

        parse_condition(condition)

        def work_on(engine: Engine) -> Work:
            def work(project: str, token: CancelToken) -> ProjectResult:
                # A condition remembers what it has read: each project has its own.
                service = WaitService(engine, token.is_set, progress=self._progress)
                return service.run(project, parse_condition(condition), timeout)

            return work

        return self._each(projects, work_on, check)

    def projects(self, *, all_engines: bool = False) -> list[str]:
        """The ids of all projects on the engine, or on all engines of the user's own file.

        >>> _ = host.up()
        >>> host.projects()
        ['shop']
        """
        if all_engines:
            return sorted(
                {p for found in self._fleet().required().listed() for p in found.projects}
            )
        return self._lifecycle(self._engine()).all_projects()

    def orphans(self) -> list[str]:
        """The projects whose workspace is gone. Raises Usage for an engine on another machine.

        >>> host.orphans()
        []
        """
        return self._lifecycle(self._engine()).all_projects(orphans=True)

    def _up_existing(
        self,
        projects: Projects,
        options: Callable[[CancelToken], UpOptions],
        wait_timeout: float | None,
        check: bool,
    ) -> ProjectsResult:
        def work_on(engine: Engine) -> Work:
            service = self._lifecycle(engine)
            return lambda project, token: service.up_existing(
                project, options(token), wait_timeout, self.environ
            )

        return self._each(projects, work_on, check, undoes=True)

    def _up_options(
        self,
        *,
        recreate: bool = False,
        restart: bool = False,
        wait: bool,
        pull: PullPolicy = PullPolicy.MISSING,
        timeout: int = 10,
        token: CancelToken | None = None,
    ) -> UpOptions:
        from debughost_cli.planning.up import ConvergeOptions
        from debughost_cli.services.up_state import UpOptions

        return UpOptions(
            ConvergeOptions(recreate=recreate, restart=restart, wait=wait),
            pull=pull,
            stop_timeout=timeout,
            cancelled=(token or self.cancel).is_set,
        )

    def _lifecycle(self, engine: Engine) -> LifecycleService:
        from debughost_cli.services.lifecycle import LifecycleService

        return LifecycleService(engine, self._progress)

    def _removal(self, engine: Engine) -> RemovalService:
        from debughost_cli.services.removal import RemovalService

        return RemovalService(engine, self._progress)
