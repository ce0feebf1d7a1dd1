"""What the launcher left for others to read, and whether it is about this run."""

from __future__ import annotations

from debughost_cli.resources import Container, LauncherStatus, Link


def parse(link: Link | None) -> LauncherStatus:
    """The words in the link's target, see ``container/launch.sh``; unknown ones are passed over."""
    if link is None:
        return LauncherStatus()
    phase, *words = link.target.split("+")
    installed = (w.removeprefix("deps-") for w in words if w.startswith("deps-"))
    return LauncherStatus(
        phase=phase,
        ready="ready" in words,
        loopback="loopback" in words,
        asked_to_stop="term" in words,
        ended="ended" in words,
        dependencies=next(installed, ""),
        at=link.changed_at,
    )


def of_this_run(launcher: LauncherStatus, container: Container) -> LauncherStatus:
    """``launcher``, unless they are older than the end of the run before this one.

    Both times are the engine's host's own.
    """
    ended = container.finished_at
    running = container.is_running and container.status != "restarting"
    if running and ended and launcher.at and launcher.at <= ended:
        return LauncherStatus()
    return launcher
