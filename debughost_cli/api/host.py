"""``DebugHost``: a typed method for every command, and the one place where all is wired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debughost_cli.api.reader import result_of
from debughost_cli.api.up_placement import UpPlacement
from debughost_cli.cancel import CancelToken
from debughost_cli.errors import DebughostError, Usage
from debughost_cli.models import PullPolicy

if TYPE_CHECKING:
    from debughost_cli.api.engine_source import EngineSource
    from debughost_cli.engine.port import Engine, ExecResult
    from debughost_cli.project.resolve import ResolvedProject
    from debughost_cli.project.settings import Flags
    from debughost_cli.services.one_off import OneOff
    from debughost_cli.services.progress import Progress
    from debughost_cli.services.results import ProjectResult, ProjectsResult
    from debughost_cli.services.swarm_up import SwarmUp
    from debughost_cli.services.up import UpService


class DebugHost(UpPlacement):
    """The commands as methods: the same results and errors, nothing printed, no exit.

    The engine is connected on first use; ``host``, ``context`` and ``environ`` choose it as they do
    for the command line. ``folder``: the current one if not given. ``progress`` receives what
    happens meanwhile. ``cancel``, set from any thread, ends what is running with Interrupted.

    >>> with DebugHost() as host:
    ...     host.up().project.url
    'http://127.0.0.1:3725'
    """

    def up(
        self,
        workspace: str | Path | None = None,
        flags: Flags | None = None,
        *,
        recreate: bool = False,
        reset: bool = False,
        wait: bool = True,
        pull: PullPolicy = PullPolicy.MISSING,
        allow_workspace: str | Path | None = None,
        check: bool = True,
    ) -> ProjectResult:
        """Creates what is missing, starts it, waits until it listens.

        ``flags``: settings that take precedence over variables and files, as those of the command
        line do. Those of earlier calls stay in force until they are given again; ``reset`` forgets
        them. ``allow_workspace``: a folder that is used even if it exposes the host.

        >>> from debughost_cli.project.settings import Flags
        >>> host.up(flags=Flags(port="3100")).project.url
        'http://127.0.0.1:3100'
        """
        source, made = self._for_up(workspace, flags, allow_workspace, reset=reset)
        resolved, forgets, known = made
        options = self._up_options(recreate=recreate or forgets, wait=wait, pull=pull)
        return self._one(source, resolved, lambda up: up.run(resolved, options, known), check)

    def plan_up(
        self,
        workspace: str | Path | None = None,
        flags: Flags | None = None,
        *,
        recreate: bool = False,
        reset: bool = False,
        wait: bool = True,
        pull: PullPolicy = PullPolicy.MISSING,
        allow_workspace: str | Path | None = None,
        check: bool = True,
    ) -> ProjectResult:
        """What ``up`` would do, as the plan of the result; changes nothing.

        >>> [step.kind.value for step in host.plan_up().plan.steps][:2]
        ['create_network', 'create_volume']
        """
        source, made = self._for_up(workspace, flags, allow_workspace, reset=reset)
        resolved, forgets, _ = made
        options = self._up_options(recreate=recreate or forgets, wait=wait, pull=pull)
        return self._one(source, resolved, lambda up: up.dry_run(resolved, options), check)

    def up_all(
        self,
        folder: str | Path | None = None,
        flags: Flags | None = None,
        *,
        recreate: bool = False,
        reset: bool = False,
        wait: bool = True,
        pull: PullPolicy = PullPolicy.MISSING,
        dry_run: bool = False,
        check: bool = True,
    ) -> ProjectsResult:
        """``up`` for the projects of the group of a folder, in the order of their dependencies.

        ``flags`` are for each of them. ``dry_run``: with the plan of each, and nothing changed.
        Raises Usage where there is no group, InvalidConfig.

        >>> from pathlib import Path
        >>> for name in ("api", "web"):
        ...     Path(name).mkdir()
        ...     _ = Path(name, "index.html").write_text("hello")
        >>> _ = Path("debughost.workspace.toml").write_text('members = ["api", "web"]')
        >>> [item.project.project for item in host.up_all().items]
        ['api', 'web']
        """
        from debughost_cli.api.group import engine_of_group, flags_for, group_projects
        from debughost_cli.project.settings import Flags
        from debughost_cli.services.group_up import GroupProject, GroupUp

        given = flags or Flags()

        def plan(project: GroupProject) -> ProjectResult:
            own = flags_for(project, given, {})
            resolved, forgets, _ = self._resolve(source, project.folder, own, None, reset)
            options = self._up_options(recreate=recreate or forgets, wait=wait, pull=pull)
            return self._one(source, resolved, lambda up: up.dry_run(resolved, options), False)

        def up(project: GroupProject, urls: Mapping[str, str], token: CancelToken) -> ProjectResult:
            own = flags_for(project, given, urls)
            resolved, forgets, known = self._resolve(source, project.folder, own, None, reset)
            options = self._up_options(
                recreate=recreate or forgets, wait=wait, pull=pull, token=token
            )
            return self._one(source, resolved, lambda up: up.run(resolved, options, known), False)

        place = Path(folder) if folder else self.config.folder
        if self._engines.is_auto(None):
            raise Usage(
                "--all and --engine auto exclude each other",
                hint="Projects of a group reach each other on one engine: name it",
            )
        projects = group_projects(place, self.environ)
        source = self._used = engine_of_group(self._engines, place, projects)
        group = GroupUp(source.get(), projects, up, self._progress)
        result = group.planned(plan) if dry_run else group.run(plan, self.cancel)
        if check and result.error:
            raise result.error
        return result

    def rename(self, new: str, project: str | None = None) -> ProjectResult:
        """Gives a project another id; what it has stays. Raises NameConflict, Busy.

        It is stopped, its volumes are copied, it and its services are created again under the new
        id, and that is written into its configuration. Where that fails or is interrupted, the old
        one is brought up again.

        >>> _ = host.up()
        >>> host.rename("store").project.project
        'store'
        """
        from debughost_cli.api.rename import Renaming

        (old,) = self.chosen(project)
        source = self._home_of(old)
        host = self
        if source is not self._source:
            host = self.view(progress=self._progress, cancel=self.cancel, engine=source.name)
        renaming = Renaming(host, source.get(), self._progress, old, new)
        return renaming.run()

    def move(
        self,
        to: str,
        project: str | None = None,
        *,
        data: bool = False,
        force: bool = False,
        timeout: int = 10,
    ) -> ProjectResult:
        """Brings a project to another engine, and removes it from the old one when it is ready.

        ``data``: with the data of its services. ``force``: also where the old engine does not
        answer, and where files that the program wrote there would be lost. A failure leaves it
        where it was. Raises Usage, NameConflict, WorkspaceConflict, Busy, and what ``up`` raises.

        >>> _ = host.up()
        >>> host.move("build")
        Traceback (most recent call last):
        debughost_cli.errors.Usage: project shop is on engine build already
        """
        from debughost_cli.api.moving import engine_to_leave, moved_in_swarm
        from debughost_cli.services.move import MoveOptions, MoveService

        (name,) = self.chosen(project) if project else (self._own_project(),)
        target = self._used = self._engines.named(to, "flag")
        if in_swarm := moved_in_swarm(self._source, name, target, self._progress, self.environ):
            self._used = self._source
            with self._progress.task(name):
                return in_swarm(self._up_options(wait=True, timeout=timeout))
        old = engine_to_leave(name, self._source, target, self._fleet(), force=force)
        if old is None:
            return self._from_here(name, target)
        service = MoveService(
            (old.name, old.get()), (to, target.get()), self._progress, name, self.environ
        )
        with self._progress.task(name):
            return service.run(MoveOptions(data, force, timeout), self._up_options(wait=True))

    @contextmanager
    def one_off(
        self, project: str | None = None, pull: PullPolicy = PullPolicy.MISSING
    ) -> Iterator[OneOff]:
        """A container like the project's own, without its program and port, for the block alone.

        The project may run or not, and does not have to exist; its dependencies are installed.
        Raises what ``up`` raises before the program begins.

        >>> from debughost_cli.api import ExecSpec
        >>> with host.one_off() as container:
        ...     running = container.start(ExecSpec(("true",)))
        ...     running.run(None, lambda stream, data: None)
        ...     running.finish()
        0
        """
        from debughost_cli.api.workspaces import resolve_one_off
        from debughost_cli.services.one_off import OneOffService
        from debughost_cli.services.swarm_manager import check_one_off

        source = self._home_of(project) if project else self._source
        resolved = resolve_one_off(self.config.folder, project, self.environ, source.get)
        check_one_off(resolved)
        service = OneOffService(source.get(), self._progress)
        with ExitStack() as stack:
            with self._progress.task(resolved.project):
                made = service.create(resolved, pull, self.cancel)
                container = stack.enter_context(closing(made))
            yield container

    def run(
        self,
        command: Sequence[str],
        project: str | None = None,
        *,
        user: str = "",
        workdir: str = "",
        environment: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        timeout: float | None = None,
    ) -> ExecResult:
        r"""Runs a command in a container of its own, which is removed afterwards; as ``exec``.

        >>> host.run(["echo", "hello"]).stdout
        b'hello\n'
        """
        from debughost_cli.engine.port import ExecSpec

        spec = ExecSpec(tuple(command), user, workdir, environment or {})
        with self.one_off(project) as container:
            return result_of(container.start(spec), max_bytes, timeout)

    def _one(
        self,
        source: EngineSource,
        resolved: ResolvedProject,
        work: Callable[[UpService | SwarmUp], ProjectResult],
        check: bool,
    ) -> ProjectResult:
        from debughost_cli.services.batch import failed

        service = _up_of(source.get(), self._progress, resolved)
        try:
            with self._progress.task(resolved.project):
                result = work(service)
        except DebughostError as exc:
            if check:
                raise
            result = failed(source.get, resolved.project, exc)
        words = resolved.flags.words()
        result = replace(result, workspace=str(resolved.workspace), flags=words)
        if self._placement is None:
            return result
        project = replace(result.project, engine=self._placement.chosen)
        return replace(result, project=project, placement=self._placement)


def _up_of(engine: Engine, progress: Progress, resolved: ResolvedProject) -> UpService | SwarmUp:
    """What brings the project up. Raises NotAManager."""
    if resolved.settings.swarm:
        from debughost_cli.services.swarm_manager import swarm_up

        return swarm_up(engine, progress)
    from debughost_cli.services.up import UpService

    return UpService(engine, progress)
