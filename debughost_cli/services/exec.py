"""``exec`` and ``shell``: a command in a project's container."""

from __future__ import annotations

import posixpath
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.cancel import CancelToken
from debughost_cli.deployment.managers import node_unreachable
from debughost_cli.engine.port import Conflict, Engine, ExecSpec, Execution, NotFound, OnOutput
from debughost_cli.errors import (
    DebughostError,
    EngineError,
    EnginePermissionDenied,
    EngineTimeout,
    EngineUnavailable,
    Interrupted,
    InvalidConfig,
    ProjectNotFound,
    StartFailed,
    Usage,
    WaitTimeout,
)
from debughost_cli.resources import ContainerStatus
from debughost_cli.services.exec_header import WRAPPER, Header
from debughost_cli.services.known_engines import check_known
from debughost_cli.services.projects import (
    get_instance,
    list_instances,
    member,
    not_found,
    outline,
    read_launcher_status,
)

_KILL = 'for s; do kill -s "$s" -- "-$0" || kill -s "$s" "$0"; done 2>/dev/null'
_BEGIN_TIMEOUT = 5.0  # Seconds for the command to begin before a signal to it is dropped.
_ABANDON_TIMEOUT = 20.0
"""Seconds in which a command that is left alone gets its signal: a busy engine needs some of them
to start another one for that, and a command that got none would run on with nobody to see it."""
_TRIES = 2
KILLED_AFTER = 5.0  # Seconds that a command has to end once its time is over.
SHELL = ("/bin/sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash; exec sh")


class ExecRefused(Usage):
    """The command could not be run: 127 not found, 126 not executable, 125 anything else."""

    command_exit_code: int

    def __init__(self, message: str, *, hint: str, exit_code: int) -> None:
        super().__init__(message, hint=hint, details={"exit_code": exit_code})
        self._init_fields(command_exit_code=exit_code)

    @property
    def status(self) -> int:
        """As ``docker exec`` ends."""
        return self.command_exit_code


class ExecService:
    """Starts commands in projects that run; ``cancel`` ends them."""

    def __init__(self, engine: Engine, cancel: CancelToken | None = None) -> None:
        self._engine = engine
        self._cancel = cancel or CancelToken()

    def start(
        self,
        project: str,
        spec: ExecSpec,
        size: tuple[int, int] | None,
        service: str | None = None,
    ) -> ProjectExec:
        """``size``: rows and columns of the terminal. Raises ProjectNotFound, ExecRefused.

        A ``workdir`` is relative to the workspace's folder; that of a ``service`` is used as it is.
        """
        check_known(self._engine)
        return self.start_in(self._running(project, service), project, spec, size, service)

    def start_in(
        self,
        ref: str,
        project: str,
        spec: ExecSpec,
        size: tuple[int, int] | None,
        service: str | None = None,
    ) -> ProjectExec:
        """The same in any container of the project that runs."""
        rows, columns = size if spec.tty and size else ("", "")
        wrapped = ("/bin/sh", "-c", WRAPPER, "debughost", str(rows), str(columns), *spec.command)
        is_inside = bool(spec.workdir) and not service
        workdir = posixpath.join(names.WORKDIR, spec.workdir) if is_inside else spec.workdir
        try:
            execution = self._engine.exec.start(
                ref, replace(spec, command=wrapped, workdir=workdir)
            )
        except NotFound:
            raise self._not_found(project) from None
        except Conflict as exc:
            raise self._not_running(project, service) or exc from None
        except (EngineError, StartFailed, InvalidConfig) as exc:
            if isinstance(exc, EngineError) and exc.http_status is None:
                # What came was no answer of an engine.
                raise
            raise _refused(exc.message) from exc
        return ProjectExec(self._engine, execution, project, ref, spec, self._cancel)

    def _running(self, project: str, service: str | None) -> str:
        """The container's id, from one request. Raises ProjectNotFound."""
        found = member(get_instance(self._engine, project), service)
        if found.status is not ContainerStatus.RUNNING:
            raise self._not_running(project, service) or self._not_found(project)
        return found.id

    def _not_found(self, project: str) -> ProjectNotFound:
        return not_found(project, list(list_instances(self._engine)))

    def _not_running(self, project: str, service: str | None) -> ProjectNotFound | None:
        """The error for a project in a state without processes; None where it runs by now."""
        try:
            found = member(get_instance(self._engine, project), service)
            container = self._engine.containers.inspect(found.id)
        except ProjectNotFound as exc:
            return exc
        except NotFound:
            return self._not_found(project)
        if container.status is ContainerStatus.RUNNING:
            return None
        if container.place and container.place.reason:
            raise node_unreachable(project, container.place)
        state = outline(container, read_launcher_status(self._engine, container.id)).state
        what = f"the service {service} of {project}" if service else f"project {project}"
        return ProjectNotFound(
            f"{what} is not running ({state})",
            hint=f"Start it with 'debughost start {project}'",
            details={"project": project, "state": state},
        )


def _refused(text: str) -> ExecRefused:
    return ExecRefused(
        f"the engine did not run the command: {text.strip() or 'it gave no reason'}",
        hint="Check --user and --workdir; the image needs /bin/sh",
        exit_code=125,
    )


def _not_a_program(project: str, command: Sequence[str], code: int) -> ExecRefused:
    name = command[0]
    if code == 127:
        is_line = " " in name.strip() and len(command) == 1
        return ExecRefused(
            f"there is no command {name!r} in the container of {project}",
            hint="Give each argument separately: debughost exec ls -l"
            if is_line
            else "Look for it with 'debughost shell'; exec sh -c '...' runs shell syntax",
            exit_code=code,
        )
    return ExecRefused(
        f"{name!r} in the container of {project} cannot be executed",
        hint="It must be a file that the project's user may execute (chmod +x)",
        exit_code=code,
    )


class ProjectExec:
    """A command that was started in a project."""

    def __init__(
        self, engine: Engine, execution: Execution, project: str, ref: str, spec: ExecSpec,
        cancel: CancelToken | None = None,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._execution = execution
        self._project = project
        self._ref = ref
        self._spec = spec
        self._cancel = cancel or CancelToken()
        self._pid = 0
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._header: Header | None = None
        self._timeout: float | None = None
        self._is_late = False
        self.exit_code: int | None = None
        """Once it has ended."""

    @property
    def is_begun(self) -> bool:
        """True once it can be signalled, or will never begin."""
        return self._begun.is_set()

    def run(self, stdin: int | None, on_output: OnOutput, timeout: float | None = None) -> None:
        """Passes the streams through until they end; ``finish`` comes next.

        Any exception in either, except a failure of the engine, ends the command as well. So do
        ``timeout``, in seconds, and a cancellation: SIGTERM, and SIGKILL 5 s later.
        """
        if timeout is not None:
            self._timeout = timeout
            self._start_ending(timeout)
        self._header = Header(on_output, self._set_pid)
        with self._guarded(), self._cancel.on_cancel(self._start_ending):
            self._execution.pump(stdin, self._header)
        self._begun.set()

    def finish(self) -> int:
        """The exit code.

        Raises ExecRefused, WaitTimeout, Interrupted, and ProjectNotFound after a removal.
        """
        with self._guarded():
            self.exit_code = code = self._execution.wait()
        self._ended.set()
        self._execution.close()
        if self._cancel.is_set():
            raise Interrupted
        if self._is_late:
            raise self._timed_out(code)
        if self._header and self._header.refusal:
            raise _not_a_program(self._project, self._spec.command, self._header.refusal)
        if self._header and self._header.text:
            raise _refused(self._header.text)
        return code

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except NotFound:
            raise self._gone() from None
        except (EngineError, EngineUnavailable, EngineTimeout, EnginePermissionDenied):
            raise
        except BaseException:
            self._abandon()
            raise

    def _set_pid(self, pid: int) -> None:
        self._pid = pid
        self._begun.set()

    def _gone(self) -> ProjectNotFound:
        return ProjectNotFound(
            f"the container of {self._project} was removed while the command ran",
            hint=f"Start it again with 'debughost up -p {self._project}'",
            details={"project": self._project},
        )

    def signal(self, *signals: str) -> None:
        """Sends signals (``TERM``) to the command and its process group, once it has begun."""
        self._begun.wait(_BEGIN_TIMEOUT)
        if self._pid and not self._ended.is_set():
            kill = ("/bin/sh", "-c", _KILL, str(self._pid), *signals)
            self._engine.exec.run(self._ref, kill, user=self._spec.user)

    def resize(self, rows: int, columns: int) -> None:
        """Sets the size of the command's terminal, once the command has begun."""
        self._begun.wait(_BEGIN_TIMEOUT)
        if self._pid and not self._ended.is_set():
            self._execution.resize(rows, columns)

    def _abandon(self) -> None:
        """Ends the command as a closed terminal or pipe would, and waits a limited time for it."""
        # While output is not read, the engine reports no end of any command in that container.
        self._execution.close()
        signals = ("HUP", "TERM") if self._spec.tty else ("TERM",)
        thread = threading.Thread(target=self._try_signal, args=signals, daemon=True)
        thread.start()
        thread.join(_ABANDON_TIMEOUT)

    def _start_ending(self, timeout: float = 0.0) -> None:
        threading.Thread(target=self._end_after, args=(timeout,), daemon=True).start()

    def _end_after(self, timeout: float) -> None:
        if self._ended.wait(timeout):
            return
        self._is_late = True
        self._try_signal("TERM")
        if not self._ended.wait(KILLED_AFTER):
            self._try_signal("KILL")

    def _timed_out(self, code: int) -> WaitTimeout:
        return WaitTimeout(
            f"{self._spec.command[0]!r} in {self._project} did not end within {self._timeout:g} s",
            hint="It was ended; give it more time with --timeout",
            details={"timeout_seconds": self._timeout, "exit_code": code},
        )

    def _try_signal(self, *signals: str) -> None:
        for _ in range(_TRIES):
            with suppress(DebughostError):
                self.signal(*signals)
                return
