"""Waiting until a project listens on its port, or finding out why it never will."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress

from debughost_cli import names
from debughost_cli.clock import SYSTEM_CLOCK, Clock
from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.errors import (
    Crashed,
    DebughostError,
    DependenciesFailed,
    DiskFull,
    EngineTimeout,
    Interrupted,
    NotReady,
    StartFailed,
    VolumeNotWritable,
)
from debughost_cli.models import Exit, ExitReason, WaitLimits
from debughost_cli.planning.exit_reason import explain, has_no_shell
from debughost_cli.planning.failure_hints import install_hint, program_hint
from debughost_cli.planning.launcher_status import (
    LauncherPhase,
    LauncherStatus,
    failed_hook,
    hook_of,
    is_preparing,
)
from debughost_cli.planning.listeners import NotReadyReason
from debughost_cli.planning.memory import more_memory_hint, more_shm
from debughost_cli.project.certificates import trusted_bundle
from debughost_cli.resources import Container, ContainerStatus
from debughost_cli.services.disk_space import is_full, ran_out
from debughost_cli.services.launcher_news import LauncherNews
from debughost_cli.services.obstacles import Obstacles
from debughost_cli.services.program_output import ProgramOutput
from debughost_cli.services.progress import NULL_PROGRESS, PhaseKind, Progress
from debughost_cli.services.projects import log_tail, observe

_ENDED = (
    ContainerStatus.EXITED,
    ContainerStatus.DEAD,
    ContainerStatus.REMOVING,
    ContainerStatus.RESTARTING,
)
ENDED = (Crashed, StartFailed, DependenciesFailed, VolumeNotWritable, DiskFull)
"""The errors for a container that ended before it was ready."""


def wait_ready(
    engine: Engine,
    ref: str,
    limits: WaitLimits,
    *,
    seen: tuple[Container, LauncherStatus] | None = None,
    progress: Progress = NULL_PROGRESS,
    cancelled: Callable[[], bool] = lambda: False,
    clock: Clock = SYSTEM_CLOCK,
) -> tuple[Container, LauncherStatus]:
    """The container and its launcher status once it is ready; ``progress`` gets what is
    waited for if it is not at once. ``seen``: both as they were read a moment ago.

    Raises NotReady after its time, or once it has settled on another port; Crashed, StartFailed,
    DependenciesFailed, VolumeNotWritable or DiskFull once the container has ended.
    """
    container, launcher = seen or _observe(engine, ref)
    restarts, shown, ready_since = container.restart_count, "", clock.monotonic()
    if container.started_at and container.is_running and launcher.ready:
        ready_since -= (clock.now() - container.started_at).total_seconds()
    deadline = _Deadline(limits, clock)
    output = ProgramOutput(engine, ref, progress, container.started_at)
    with (
        closing(Obstacles(engine, clock)) as obstacles,
        closing(LauncherNews(engine, ref, clock, output)) as news,
    ):
        while True:
            if has_failed(container, restarts):
                raise ended(engine, container, launcher, may_write=True)
            is_ready = obstacles.is_ready(container, launcher)
            if not is_ready:
                ready_since = clock.monotonic()
                after = deadline.passed(launcher)
                reason = obstacles.certain(container, launcher)
                if reason or (after and (reason := obstacles.likely(container, launcher))):
                    raise _not_ready(engine, container, reason, after)
            elif clock.monotonic() - ready_since >= limits.stable:
                return container, launcher
            kind, text = _phase(container, launcher, limits, is_ready=is_ready)
            if text != shown:
                shown = text
                progress.phase(kind, text)
            if cancelled():
                raise Interrupted()
            if news.wait():
                container, launcher = _observe(engine, ref)


def _phase(
    container: Container, launcher: LauncherStatus, limits: WaitLimits, *, is_ready: bool
) -> tuple[PhaseKind, str]:
    project, port = container.project, container.port
    port = next((p.container_port for p in container.ports if p.host_port == port), port)
    if is_preparing(launcher.phase):
        hook = hook_of(launcher.phase)
        if hook:
            return PhaseKind.HOOK, f"Running the hook {hook} of {project}"
        return PhaseKind.INSTALL, f"Installing the dependencies of {project}"
    if is_ready:
        return PhaseKind.WAIT, f"Waiting until {project} has been ready for {limits.stable:g} s"
    if launcher.queued:
        return PhaseKind.WAIT, f"Waiting until {project} accepts connections on port {port}"
    if container.labels.get(names.PORT) == "0":
        return PhaseKind.WAIT, f"Waiting until {project} has run for 3 s"
    condition = f"listens on port {port}" if port else "listens"
    return PhaseKind.WAIT, f"Waiting until {project} {condition}"


class _Deadline:
    """The install and the hooks have their own; that of the program begins where these end."""

    def __init__(self, limits: WaitLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._install = clock.monotonic() + limits.install
        self._ready = clock.monotonic() + limits.ready

    def passed(self, launcher: LauncherStatus) -> str:
        """Where it has, after how many seconds, as a part of a message."""
        now, limits = self._clock.monotonic(), self._limits
        if is_preparing(launcher.phase):
            self._ready = now + limits.ready
            end, seconds = self._install, limits.install
        else:
            end, seconds = self._ready, limits.ready
        return f" after {seconds:g} s" if now >= end else ""


def _observe(engine: Engine, ref: str) -> tuple[Container, LauncherStatus]:
    """A reading that an overloaded engine does not answer in time is repeated once: what was made
    so far would be undone for it.
    """
    try:
        with suppress(EngineTimeout):
            return observe(engine, ref)
        return observe(engine, ref)
    except NotFound as exc:
        raise Crashed(
            "another client removed the container while it was waited for",
            hint="Run 'debughost up' again",
        ) from exc


def has_failed(container: Container, restarts: int) -> bool:
    """True once it has ended, be it that a restart policy starts it again.

    ``restarts``: how often the policy had done so at the first reading.
    """
    gone = container.status in _ENDED
    return gone or container.restart_count > restarts


def ended(
    engine: Engine,
    container: Container,
    launcher: LauncherStatus,
    before: str = "it was ready",
    *,
    may_write: bool = False,
) -> DebughostError:
    """The error for a container that ended before its time, with its last 20 lines.

    ``may_write``: whether a full disk may be found out by writing into it.
    """
    tail = log_tail(engine, container)
    exit_ = explain(container, launcher, tail)
    details = {"log_tail": list(tail)} | _exit_details(exit_, container)
    failed = _before_its_command(container, launcher, details)
    if failed:
        return failed
    see_logs = f"See 'debughost logs -p {container.project}'"
    is_install = launcher.phase is LauncherPhase.INSTALL_FAILED
    has_no_room = ran_out(tail)
    if _ended_by(exit_, ExitReason.CRASHED) and (
        launcher.full_disk
        # What an install has unpacked may be gone by now.
        or (is_install and has_no_room)
        or (may_write and is_full(engine, container.id))
    ):
        return _no_space(container.project, details)
    known = install_hint(tail, trusted_bundle()) if is_install else program_hint(tail)
    if is_install:
        return DependenciesFailed(
            f"the dependencies of {container.project} could not be installed "
            f"(exit code {container.exit_code})",
            hint=known or f"{see_logs}; fix the manifest or lock file, or start with --no-deps",
            details=details,
        )
    if failed_hook(launcher.phase) and not _ended_by(exit_, ExitReason.OOM):
        return StartFailed(
            f"the hook {failed_hook(launcher.phase)} of {container.project} failed "
            f"(exit code {container.exit_code})",
            hint=program_hint(tail) or f"{see_logs}; correct the hook in its configuration",
            details=details | {"hook": failed_hook(launcher.phase)},
        )
    message = (
        exit_.message if exit_ else f"ended again and again ({container.restart_count} restarts)"
    )
    if _ended_by(exit_, ExitReason.OOM):
        hint = more_memory_hint(container)
    else:
        hint = _no_room_hint(container, launcher, is_reported=has_no_room) + see_logs
    return Crashed(
        f"{container.project} {message} before {before}",
        hint=known or hint,
        details=details,
        reason=ExitReason(exit_.reason) if exit_ else None,
    )


def _no_room_hint(container: Container, launcher: LauncherStatus, *, is_reported: bool) -> str:
    """Of a program that failed although no disk is full."""
    if launcher.full_shm:
        return f"Its /dev/shm is full: {more_shm(container)}. "
    if is_reported:
        return (
            "It found no space, but no disk is full: what it wrote may have been too large for a "
            f"disk, or for /dev/shm ({more_shm(container)}). "
        )
    return ""


def _ended_by(exit_: Exit | None, reason: ExitReason) -> bool:
    return exit_ is not None and exit_.reason is reason


def _before_its_command(
    container: Container, launcher: LauncherStatus, details: dict[str, object]
) -> DebughostError | None:
    """Why its command could not even begin; None where it did, or where its install failed."""
    project = container.project
    if launcher.phase is LauncherPhase.VOLUME_NOT_WRITABLE:
        return VolumeNotWritable(
            f"the user of {project} cannot write to its dependency volume",
            hint=f"Create it again: debughost rm -p {project} --volumes, then up",
            details=details,
        )
    if launcher.phase is LauncherPhase.COMMAND_NOT_FOUND:
        command = container.command[0] if container.command else ""
        return StartFailed(
            f"{project} could not start: there is no command {command!r} in the container",
            hint="Check the command after '--', or choose an image that has it with --image",
            details=details,
        )
    if launcher.phase is LauncherPhase.WORKSPACE_CHANGED:
        return StartFailed(
            f"{project} was not started: another folder is in the place of its workspace",
            hint="If the folder was replaced on purpose, run 'debughost up' again; if not, find "
            "out what replaced it first",
            details=details,
        )
    if has_no_shell(container, launcher):
        return StartFailed(
            f"{project} could not start: there is no /bin/sh in the image {container.image}",
            hint="Choose an image that has a shell with --image; one made 'FROM scratch' has none",
            details=details,
        )
    return None


def _no_space(project: str, details: dict[str, object]) -> DiskFull:
    return DiskFull(
        f"{project} found no space left on the disk and ended",
        hint="'docker system df' shows what uses the engine's disk",
        details=details,
    )


def _exit_details(exit_: Exit | None, container: Container) -> dict[str, object]:
    if exit_ is None:
        return {"restart_count": container.restart_count}
    return {"exit_code": exit_.code, "signal": exit_.signal, "reason": exit_.reason}


def _not_ready(
    engine: Engine, container: Container, reason: NotReadyReason, after: str = ""
) -> NotReady:
    return NotReady(
        f"{container.project} is not ready{after}: {reason.message}; it goes on running",
        hint=reason.hint,
        details={
            "port": container.port,
            "reason": reason.reason,
            "listening": list(reason.ports),
            "log_tail": list(log_tail(engine, container)),
        },
        why=reason,
    )
