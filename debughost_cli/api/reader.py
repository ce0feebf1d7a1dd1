"""What can be read of projects on an engine, and commands run in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from debughost_cli.api.whereabouts import Projects, Whereabouts, names_of
from debughost_cli.errors import ProjectNotFound

if TYPE_CHECKING:
    from debughost_cli.api.engine_source import EngineSource
    from debughost_cli.engine.port import Engine, ExecResult, ExecSpec
    from debughost_cli.planning.debug_config import DebugConfig
    from debughost_cli.planning.events import ProjectEvent
    from debughost_cli.planning.log_options import LogOptions
    from debughost_cli.services.doctor import Check
    from debughost_cli.services.engine_load import EngineState
    from debughost_cli.services.exec import ProjectExec
    from debughost_cli.services.logs import LogReading, LogService
    from debughost_cli.services.status import Snapshot

DOCTOR_TIMEOUT = 5.0
"""Seconds that a check may take, from the contract."""


class ProjectReader(Whereabouts):
    """The part of ``DebugHost`` that changes nothing by itself."""

    def status(
        self, projects: Projects = None, *, stats: bool = True, all_engines: bool = False
    ) -> Snapshot:
        """All projects, or those named. Raises ProjectNotFound.

        ``all_engines``: of all engines of the user's own file, with those that did not answer.

        >>> _ = host.up()
        >>> host.status().projects[0].ready
        True
        """
        if all_engines:
            return self.status_reader(projects, stats=stats, all_engines=True)()
        from debughost_cli.services.status import StatusService

        names, engine = names_of(projects), self._engine()
        if self._statuses:
            service = self._statuses.get(engine)
        else:
            service = StatusService(engine, self.environ)
        try:
            return service.run(names, stats=stats)
        except ProjectNotFound:
            places = self._places(names)
            if not places:
                raise
        from debughost_cli.api.fleet_status import status_of

        return status_of(places, self.environ, stats=stats)

    def status_reader(
        self, projects: Projects = None, *, stats: bool = True, all_engines: bool = False
    ) -> Callable[[], Snapshot]:
        """A function that reads the status each time; CPU is measured since the last time.

        It is for reading again and again: an engine that is away is not waited for.

        >>> read = host.status_reader()
        >>> read().projects
        ()
        """
        from debughost_cli.services.status import StatusService

        names = names_of(projects)
        if all_engines:
            from debughost_cli.api.fleet_status import FleetStatus

            fleet = FleetStatus(self._fleet().required(), self.environ)
            return lambda: fleet.run(names, stats=stats)
        service = StatusService(self._source.reconnecting(), self.environ)
        return lambda: service.run(names, stats=stats)

    def logs(
        self,
        projects: Projects = None,
        options: LogOptions | None = None,
        *,
        all_engines: bool = False,
    ) -> LogReading:
        """The output of projects, to be iterated over. Raises ProjectNotFound, Usage.

        None instead of a line: there is nothing more at the moment. ``all_engines``: wherever they
        are, as far as the engines of the user's own file answer.

        >>> _ = host.up()
        >>> list(host.logs())
        []
        """
        from debughost_cli.planning.log_options import LogOptions

        fleet = self._fleet().required() if all_engines else None
        names, options = self._ids(projects, fleet), options or LogOptions()
        places: Mapping[str, EngineSource] = {}
        if fleet is None:
            try:
                return self._log_service(self._engine()).open(names, options)
            except ProjectNotFound:
                places = self._places(names)
                if not places:
                    raise
        else:
            from debughost_cli.api.across import places_of

            places = places_of(fleet, names)
        engines = {project: source.get() for project, source in places.items()}
        reading = self._log_service(engines[names[0]]).open(names, options, engines)
        reading.engines = fleet.reports if fleet else ()
        return reading

    def _log_service(self, engine: Engine) -> LogService:
        from debughost_cli.services.logs import LogService

        return LogService(engine, self._progress.notice, cancelled=self.cancel.is_set)

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
            self._one_home(names).reconnecting(),
            self._progress.notice,
            cancelled=self.cancel.is_set,
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
        return self._following(
            lambda engine: ExecService(engine, self.cancel).start(name, spec, size, service)
        )

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
        return self._following(lambda engine: debug_config(engine, name, editor))

    def engines(self) -> list[EngineState]:
        """The engines of the user's own file, all asked at once; none raises.

        >>> host.engines()
        []
        """
        from debughost_cli.api.fleet_status import states_of

        return states_of(self._fleet(), self._engines.entries)

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
        from debughost_cli.api.group import engine_of_group, existing, group_projects

        folder = self.config.folder
        projects = group_projects(folder, self.environ)
        return existing(projects, engine_of_group(self._engines, folder, projects).get())


def result_of(
    running: ProjectExec, max_bytes: int | None = None, timeout: float | None = None
) -> ExecResult:
    """What a command that was just started wrote, and its exit code. Raises WaitTimeout."""
    from debughost_cli.engine.output_buffer import LIMIT, OutputBuffer

    output = OutputBuffer(LIMIT if max_bytes is None else max_bytes)
    running.run(None, output, timeout)
    return output.result(running.finish())
