"""``DebugHost``: a typed method for every command, and the one place where all is wired."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from debughost_cli.api.reader import ProjectReader, Projects
from debughost_cli.cancel import CancelToken
from debughost_cli.errors import DebughostError
from debughost_cli.models import PullPolicy

if TYPE_CHECKING:
    from debughost_cli.project.resolve import ResolvedProject
    from debughost_cli.project.settings import Flags
    from debughost_cli.services.lifecycle import LifecycleService
    from debughost_cli.services.results import ProjectResult, ProjectsResult
    from debughost_cli.services.up import UpService
    from debughost_cli.services.up_state import UpOptions


class DebugHost(ProjectReader):
    """The commands as methods: the same results and errors, nothing printed, no exit.

    The engine is connected on first use; ``host``, ``context`` and ``environ`` choose it as they do
    for the command line. ``folder``: the current one if not given. ``progress`` receives what
    happens meanwhile. ``cancel``, set from any thread, ends what is running with Interrupted.

    >>> with DebugHost() as host:
    ...     host.up().project.url
    'http://127.0.0.1:3725'
    """

    # Commands on projects. Without ``check``, a failure is the error of the result instead.

    def up(
        self,
        workspace: str | Path | None = None,
        flags: Flags | None = None,
        *,
        recreate: bool = False,
        wait: bool = True,
        pull: PullPolicy = PullPolicy.MISSING,
        allow_workspace: str | Path | None = None,
        check: bool = True,
    ) -> ProjectResult:
        """Creates what is missing, starts it, waits until it listens.

        ``flags``: settings that take precedence over variables and files, as those of the command
        line do. ``allow_workspace``: a folder that is used even
        if it exposes the host.

        >>> from debughost_cli.project.settings import Flags
        >>> host.up(flags=Flags(port="3100")).project.url
        'http://127.0.0.1:3100'
        """
        resolved = self._resolve(workspace, flags, allow_workspace)
        options = self._up_options(recreate=recreate, wait=wait, pull=pull)
        service = self._up_service()
        return self._one(resolved.project, lambda: service.run(resolved, options), check)

    def plan_up(
        self,
        workspace: str | Path | None = None,
        flags: Flags | None = None,
        *,
        recreate: bool = False,
        wait: bool = True,
        pull: PullPolicy = PullPolicy.MISSING,
        allow_workspace: str | Path | None = None,
        check: bool = True,
    ) -> ProjectResult:
        """What ``up`` would do, as the plan of the result; changes nothing.

        >>> [step.kind.value for step in host.plan_up().plan.steps][:2]
        ['create_network', 'create_volume']
        """
        resolved = self._resolve(workspace, flags, allow_workspace)
        options = self._up_options(recreate=recreate, wait=wait, pull=pull)
        service = self._up_service()
        return self._one(resolved.project, lambda: service.dry_run(resolved, options), check)

    def stop(
        self, projects: Projects = None, *, timeout: int = 10, check: bool = True
    ) -> ProjectsResult:
        """SIGTERM, then SIGKILL after ``timeout`` seconds. Raises ProjectNotFound, Busy.

        >>> _ = host.up()
        >>> host.stop().items[0].project.state.value
        'stopped'
        """
        service = self._lifecycle()
        return self._each(projects, lambda p, token: service.stop(p, timeout), check)

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
        service = self._lifecycle()

        def work(project: str, token: CancelToken) -> ProjectResult:
            options = self._up_options(restart=True, wait=wait, timeout=timeout, token=token)
            return service.restart(project, options, wait_timeout, self.environ)

        return self._each(projects, work, check, undoes=True)

    def remove(
        self,
        projects: Projects = None,
        *,
        volumes: bool = False,
        timeout: int = 10,
        check: bool = True,
    ) -> ProjectsResult:
        """Stops, then removes the container, and with ``volumes`` what was installed.

        >>> _ = host.up()
        >>> host.remove().items[0].action.value
        'removed'
        """
        service = self._lifecycle()
        return self._each(
            projects, lambda p, token: service.remove(p, timeout, volumes=volumes), check
        )

    def plan_removal(
        self, projects: Projects = None, *, volumes: bool = False, check: bool = True
    ) -> ProjectsResult:
        """What ``remove`` would do, as the plan of each result; changes nothing.

        >>> _ = host.up()
        >>> [step.kind.value for step in host.plan_removal().items[0].plan.steps]
        ['stop_container', 'remove_container']
        """
        service = self._lifecycle()
        return self._each(
            projects, lambda p, token: service.plan_removal(p, volumes=volumes), check
        )

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
        from debughost_cli.services.wait import WaitService, parse_condition

        parse_condition(condition)
        engine = self._source.get()

        def work(project: str, token: CancelToken) -> ProjectResult:
            # A condition remembers what it has read: each project has its own.
            return WaitService(engine, token.is_set).run(
                project, parse_condition(condition), timeout
            )

        return self._each(projects, work, check)

    def projects(self) -> list[str]:
        """The ids of all projects on the engine.

        >>> _ = host.up()
        >>> host.projects()
        ['shop']
        """
        return self._lifecycle().all_projects()

    def orphans(self) -> list[str]:
        """The projects whose workspace is gone. Raises Usage for an engine on another machine.

        >>> host.orphans()
        []
        """
        return self._lifecycle().all_projects(orphans=True)

    def _resolve(
        self, workspace: str | Path | None, flags: Flags | None, allow: str | Path | None
    ) -> ResolvedProject:
        from debughost_cli.api.workspaces import WorkspaceChoice
        from debughost_cli.project.resolve import resolve_project
        from debughost_cli.project.settings import Flags

        flags = flags or Flags()
        choice = WorkspaceChoice(self.config.folder, self.environ, self._source.get)
        given, allowed = (Path(path) if path else None for path in (workspace, allow))
        folder = choice.find(given, flags, allowed)
        return resolve_project(folder, flags, self.environ)

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

    def _up_service(self) -> UpService:
        from debughost_cli.services.up import UpService

        return UpService(self._source.get(), self._progress)

    def _lifecycle(self) -> LifecycleService:
        from debughost_cli.services.lifecycle import LifecycleService

        return LifecycleService(self._source.get(), self._progress)

    def _one(self, project: str, work: Callable[[], ProjectResult], check: bool) -> ProjectResult:
        from debughost_cli.services.batch import failed

        try:
            return work()
        except DebughostError as exc:
            if check:
                raise
            return failed(self._source.get(), project, exc)

    def _each(
        self,
        projects: Projects,
        work: Callable[[str, CancelToken], ProjectResult],
        check: bool,
        *,
        undoes: bool = False,
    ) -> ProjectsResult:
        from debughost_cli.services.batch import run_each

        # An interruption of this call alone does not end those that follow.
        token = CancelToken(self.cancel)
        names = self.chosen(projects)
        result = run_each(self._source.get(), names, lambda p: work(p, token), token, undoes=undoes)
        if check and result.error:
            raise result.error
        return result
