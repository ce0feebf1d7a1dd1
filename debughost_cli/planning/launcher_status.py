"""The status that the launcher reports, and whether it is about this run."""

from __future__ import annotations

from debughost_cli.resources import Container, ContainerStatus, LauncherPhase, LauncherStatus, Link


def parse(link: Link | None) -> LauncherStatus:
    """The parts of the link's target, see ``container/launch.sh``; unknown ones are ignored."""
    if link is None:
        return LauncherStatus()
    phase, *flags = link.target.split("+")
    installed = (w.removeprefix("deps-") for w in flags if w.startswith("deps-"))
    return LauncherStatus(
        phase=_phase(phase),
        ready="ready" in flags,
        loopback="loopback" in flags,
        asked_to_stop="term" in flags,
        ended="ended" in flags,
        dependencies=next(installed, ""),
        at=link.changed_at,
    )


def _phase(text: str) -> LauncherPhase:
    try:
        return LauncherPhase(text)
    except ValueError:
        return LauncherPhase.UNKNOWN


def of_this_run(launcher: LauncherStatus, container: Container) -> LauncherStatus:
    """``launcher``, unless it is older than the end of the run before this one.

    Both times are the engine's host's own.
    """
    ended = container.finished_at
    running = container.is_running and container.status is not ContainerStatus.RESTARTING
    if running and ended and launcher.at and launcher.at <= ended:
        return LauncherStatus()
    return launcher
