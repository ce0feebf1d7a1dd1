"""What state a container is in and why it ended, from what the engine and the launcher report.

Docker knows ``exited`` alone. What distinguishes its kinds: the launcher's record that a SIGTERM
arrived and that it saw the end, the exit code, and the engine's ``OOMKilled``, which is set as well
where a child was killed and the program ended by itself, be it minutes later.
"""

from __future__ import annotations

import signal

from debughost_cli.models import Exit, ExitReason, State
from debughost_cli.planning.launcher_status import LauncherPhase, LauncherStatus, failed_hook
from debughost_cli.planning.memory import memory_limit
from debughost_cli.resources import Container, ContainerStatus

LOST = 255
"""The engine's exit code for a container that was gone when the engine started again. A program
may end with it as well (PHP does after a fatal error), but then the launcher notes its end.
"""
_TERMINATED = 128 + signal.SIGTERM
_LIVE = {
    ContainerStatus.RUNNING: State.RUNNING,
    ContainerStatus.PAUSED: State.PAUSED,
    ContainerStatus.RESTARTING: State.RESTARTING,
    ContainerStatus.CREATED: State.CREATED,
}


def state_of(container: Container, launcher: LauncherStatus) -> State:
    """The contract's state."""
    live = _LIVE.get(container.status)
    if live:
        return live
    if container.started_at is None:
        return State.CREATED
    if launcher.asked_to_stop or _ended_unread(container, launcher):
        return State.STOPPED
    return State.COMPLETED if container.exit_code == 0 else State.CRASHED


def _ended_unread(container: Container, launcher: LauncherStatus) -> bool:
    """True for the exit code of a SIGTERM where the launcher's record cannot be read: an engine
    reads no file of a container whose mounted folder is gone.
    """
    return launcher.phase is LauncherPhase.NONE and container.exit_code == _TERMINATED


def explain(
    container: Container, launcher: LauncherStatus, log_tail: tuple[str, ...] = ()
) -> Exit | None:
    """How it ended; None while it lives, or was never started without a reason."""
    state = state_of(container, launcher)
    if state is State.CREATED:
        return _never_started(container) if container.start_error else None
    is_lost = container.place is not None and container.place.is_lost
    if is_lost or state in (State.RUNNING, State.PAUSED):
        return None
    code = container.exit_code
    reason, message = _reason(container, launcher, state)
    return Exit(
        code=code,
        signal=_ending_signal(code, state),
        reason=reason,
        expected=state in (State.STOPPED, State.COMPLETED),
        message=message,
        finished_at=container.finished_at,
        log_tail=log_tail,
    )


def _never_started(container: Container) -> Exit:
    return Exit(
        code=container.exit_code,
        signal=None,
        reason=ExitReason.NEVER_STARTED,
        expected=False,
        message=f"never started: {container.start_error}",
        finished_at=container.finished_at,
    )


def _ending_signal(code: int, state: State) -> str | None:
    """The signal that ended it. A stop was ended by SIGTERM unless it took SIGKILL."""
    if state is State.STOPPED:
        return "SIGKILL" if code == 137 else "SIGTERM"
    return signal_name(code)


def signal_name(code: int) -> str | None:
    """``SIGKILL`` for 137; None for codes that no signal gives."""
    try:
        return signal.Signals(code - 128).name if code > 128 else None
    except ValueError:
        return None


def _reason(container: Container, launcher: LauncherStatus, state: State) -> tuple[ExitReason, str]:
    code = container.exit_code
    if state is State.STOPPED:
        return ExitReason.STOPPED, _stopped_message(code)
    if launcher.phase is LauncherPhase.COMMAND_NOT_FOUND:
        command = container.command[0] if container.command else ""
        return (
            ExitReason.NEVER_STARTED,
            f"the command {command!r} is not in the image or not executable",
        )
    if launcher.phase is LauncherPhase.WORKSPACE_CHANGED:
        return (
            ExitReason.NEVER_STARTED,
            "another folder is in the place of its workspace",
        )
    if has_no_shell(container, launcher):
        return ExitReason.NEVER_STARTED, "there is no /bin/sh in the image"
    if code == 0:
        return ExitReason.COMPLETED, "ended by itself with exit code 0"
    if container.oom_killed and not (launcher.old_oom and code != 137):
        return ExitReason.OOM, _oom_message(container)
    failed = _before_start(launcher.phase, code)
    if failed:
        return ExitReason.CRASHED, failed
    if code == LOST and not launcher.ended:
        return (
            ExitReason.KILLED,
            f"ended together with the engine or its machine (exit code {code})",
        )
    if code == 137:
        return ExitReason.KILLED, "killed by SIGKILL from outside (exit code 137)"
    name = signal_name(code)
    if name:
        return ExitReason.CRASHED, f"ended by {name} (exit code {code})"
    return ExitReason.CRASHED, f"ended by itself with exit code {code}"


def has_no_shell(container: Container, launcher: LauncherStatus) -> bool:
    """True where the init had no shell to run the launcher with: nothing was reported, and the
    init then ends with 127 or 126.
    """
    return launcher.phase is LauncherPhase.NONE and container.exit_code in (126, 127)


def _before_start(reached: LauncherPhase, code: int) -> str | None:
    if failed_hook(reached):
        return f"its hook {failed_hook(reached)} failed (exit code {code})"
    return {
        LauncherPhase.INSTALL_FAILED: f"its dependencies could not be installed (exit code {code})",
        LauncherPhase.VOLUME_NOT_WRITABLE: "its user cannot write to the dependency volume",
    }.get(reached)


def _stopped_message(code: int) -> str:
    if code == 137:
        return "did not end within the stop timeout after SIGTERM and was killed"
    # npm ends like this, however well its program ended.
    code_text = "" if code == 143 else f" (exit code {code})"
    return f"ended by itself after SIGTERM{code_text}"


def _oom_message(container: Container) -> str:
    limit = memory_limit(container)
    if container.exit_code == 137:
        return f"used up its memory limit of {limit} and was killed"
    return (
        f"a process of it used up the memory limit of {limit} and was killed; "
        f"the project then ended with exit code {container.exit_code}"
    )
