"""What can be read of projects on an engine, and commands run in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from debughost_cli.api.wiring import Wiring
from debughost_cli.names import check_project

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine, ExecResult, ExecSpec
    from debughost_cli.planning.debug_config import DebugConfig
    from debughost_cli.planning.events import ProjectEvent
    from debughost_cli.planning.log_options import LogOptions
    from debughost_cli.services.doctor import Check
    from debughost_cli.services.exec import ProjectExec
    from debughost_cli.services.logs import LogReading
    from debughost_cli.services.status import Snapshot

Projects = str | Sequence[str] | None
"""One project, several, or None for the one of the current folder."""

DOCTOR_TIMEOUT = 5.0
"""Seconds that a check may take, from the contract."""


class ProjectReader(Wiring):
    """The part of ``DebugHost`` that changes nothing by itself."""

    def status(self, projects: Projects = None, *, stats: bool = True) -> Snapshot:
        """All projects, or those named. Raises ProjectNotFound.

        >>> _ = host.up()
        >>> host.status().projects[0].ready
        True
        """
        from debughost_cli.services.status import StatusService

        names, engine = names_of(projects), self._source.get()
        if self._statuses:
            service = self._statuses.get(engine)
        else:
            service = StatusService(engine, self.environ)
        return service.run(names, stats=stats)

    def status_reader(
        self, projects: Projects = None, *, stats: bool = True
    ) -> Callable[[], Snapshot]:
        """A function that reads the status each time; CPU is measured since the last time.

        It is for reading again and again: an engine that is away is not waited for.

        >>> read = host.status_reader()
        >>> read().projects
        ()
        """
        from debughost_cli.services.status import StatusService

        names = names_of(projects)
        service = StatusService(self._source.reconnecting(), self.environ)
        return lambda: service.run(names, stats=stats)

    def logs(self, projects: Projects = None, options: LogOptions | None = None) -> LogReading:
        """The output of projects, to be iterated over. Raises ProjectNotFound, Usage.

        None instead of a line: there is nothing more at the moment.

        >>> _ = host.up()
        >>> list(host.logs())
        []
        """
        from debughost_cli.planning.log_options import LogOptions
        from debughost_cli.services.logs import LogService

        names = self.chosen(projects)
        service = LogService(
            self._source.get(), self._progress.notice, cancelled=self.cancel.is_set
        )
        return service.open(names, options or LogOptions())

    def events(
        self, projects: Projects = None, since: float | None = None
    ) -> Iterator[ProjectEvent]:
        """State changes as they happen, of all projects or of those named, without an end.

        ``since``: in seconds since the epoch. Raises ProjectNotFound.

        >>> _ = host.up()
        >>> next(host.events(since=0.0)).event
        'started'
        """
        from debughost_cli.services.events import EventService

        names = names_of(projects)
        service = EventService(
            self._source.reconnecting(), self._progress.notice, cancelled=self.cancel.is_set
        )
        return service.run(names, since)

    def exec(
        self,
        command: Sequence[str],
        project: str | None = None,
        *,
        user: str = "",
        service: str | None = None,
        workdir: str = "",
        environment: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        timeout: float | None = None,
    ) -> ExecResult:
        r"""Runs a command in the container, without input. Raises ProjectNotFound, ExecRefused.

        ``service``: in the container of that service of the project. ``max_bytes`` of each stream
        are kept, 1 MiB by default; ``truncated`` tells that there was more. After ``timeout``
        seconds the command is ended, and WaitTimeout raised.

        >>> _ = host.up()
        >>> host.exec(["echo", "hello"]).stdout
        b'hello\n'
        """
        from debughost_cli.engine.port import ExecSpec

        spec = ExecSpec(tuple(command), user, workdir, environment or {})
        return result_of(self.start_exec(spec, project, service=service), max_bytes, timeout)

    def start_exec(
        self,
        spec: ExecSpec,
        project: str | None = None,
        size: tuple[int, int] | None = None,
        *,
        service: str | None = None,
    ) -> ProjectExec:
        """Starts a command whose streams the caller passes on. ``size``: rows and columns.

        >>> from debughost_cli.api import ExecSpec
        >>> _ = host.up()
        >>> running = host.start_exec(ExecSpec(("true",)))
        >>> running.run(None, lambda stream, data: None)
        >>> running.finish()
        0
        """
        from debughost_cli.services.exec import ExecService

        (name,) = self.chosen(project)
        return ExecService(self._source.get(), self.cancel).start(name, spec, size, service)

    def debug_config(self, editor: str = "vscode", project: str | None = None) -> DebugConfig:
        """What an editor needs to debug the project: vscode, jetbrains or neovim.

        Raises ProjectNotFound, and Usage for one that was started without a debugger.

        >>> from debughost_cli.project.settings import Flags
        >>> _ = host.up(flags=Flags(debug=True))
        >>> host.debug_config().port
        9229
        """
        from debughost_cli.services.debug_config import debug_config

        (name,) = self.chosen(project)
        return debug_config(self._source.get(), name, editor)

    def doctor(self, *, registries: bool = False) -> Iterator[Check]:
        """The checks of this machine and its engine, one after the other; none raises.

        ``registries``: also whether a container, made for it, reaches those of packages.

        >>> [check.name for check in host.doctor()][:3]
        ['python', 'locks', 'disk']
        """
        from debughost_cli.services.doctor import DoctorService

        def connect() -> Engine:
            return self._source.connect(timeout=DOCTOR_TIMEOUT, retry=False)

        service = DoctorService(connect, self.config.folder, self.environ, progress=self._progress)
        return service.run(registries=registries)

    def group(self) -> list[str]:
        """The ids of the projects that exist of the group of the current folder.

        Raises Usage where there is no group, ProjectNotFound where none of it exists.

        >>> from debughost_cli.errors import Usage
        >>> try:
        ...     host.group()
        ... except Usage as exc:
        ...     exc.code
        'USAGE'
        """
        from debughost_cli.api.group import existing, group_projects

        return existing(group_projects(self.config.folder, self.environ), self._source.get())

    def chosen(self, projects: Projects) -> list[str]:
        """The ids, checked; for None that of the current folder.

        Raises InvalidProject, and WorkspaceConflict where the folder's id is another workspace's.

        >>> host.chosen(None)
        ['shop']
        """
        if projects is not None:
            return names_of(projects)
        from debughost_cli.api.workspaces import project_in

        return [project_in(self.config.folder, self.environ, self._source.get)]


def result_of(
    running: ProjectExec, max_bytes: int | None = None, timeout: float | None = None
) -> ExecResult:
    """What a command that was just started wrote, and its exit code. Raises WaitTimeout."""
    from debughost_cli.engine.output_buffer import LIMIT, OutputBuffer

    output = OutputBuffer(LIMIT if max_bytes is None else max_bytes)
    running.run(None, output, timeout)
    return output.result(running.finish())


def names_of(projects: Projects) -> list[str]:
    """The ids, checked; none for None. Raises InvalidProject."""
    given = [projects] if isinstance(projects, str) else projects or []
    return [check_project(p) for p in given]
