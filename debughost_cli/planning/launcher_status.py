"""The status that the launcher reports, and whether it is about this run."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from debughost_cli import names
from debughost_cli.models import Listener
from debughost_cli.resources import Container, ContainerStatus, Link

_OTHER = re.compile(r"(listens|loopback)-([0-9]{1,5})")
_MOST_OTHERS = 8


class LauncherPhase(StrEnum):
    """How far the launcher came, see ``container/launch.sh``; ``NONE`` before its first report."""

    NONE = ""
    STARTING = "starting"
    INSTALLING = "installing"
    INSTALL_FAILED = "install_failed"
    VOLUME_NOT_WRITABLE = "volume_not_writable"
    COMMAND_NOT_FOUND = "command_not_found"
    WORKSPACE_CHANGED = "workspace_changed"
    AFTER_INSTALL = "after_install"
    AFTER_INSTALL_FAILED = "after_install_failed"
    BEFORE_START = "before_start"
    BEFORE_START_FAILED = "before_start_failed"
    RUNNING = "running"
    UNKNOWN = "unknown"


def is_preparing(phase: LauncherPhase) -> bool:
    """Whether something runs that the program needs first: its install, or a hook."""
    return phase in (
        LauncherPhase.INSTALLING,
        LauncherPhase.AFTER_INSTALL,
        LauncherPhase.BEFORE_START,
    )


def hook_of(phase: LauncherPhase) -> str:
    """The name of the hook that runs, or that failed; empty where it is about none."""
    name = phase.removesuffix("_failed")
    return name if name in names.HOOKS else ""


def failed_hook(phase: LauncherPhase) -> str:
    """The name of the hook that failed; empty where none did."""
    return hook_of(phase) if phase.endswith("_failed") else ""


class LauncherStatus(Struct, frozen=True):
    """What the launcher reported about its container; ``at`` is when it did.

    ``accepts``: it has seen a connection that was accepted. ``queued``: the program listens, but
    leaves connections waiting. ``ipv6``: it listens on IPv6 sockets alone. ``oom``: while it is
    not ready, something was killed for memory, and nothing began to listen since. ``ended``: the
    launcher saw the command's end itself. ``old_oom``: what was killed for memory was killed long
    before the end. ``full_shm``, ``full_disk``: what had no room left when it failed.
    ``dependencies``: the fingerprint of what is installed. ``others``: while it is
    not ready, what listens on other ports than its own.
    """

    phase: LauncherPhase = LauncherPhase.NONE
    ready: bool = False
    loopback: bool = False
    accepts: bool = False
    queued: bool = False
    ipv6: bool = False
    oom: bool = False
    asked_to_stop: bool = False
    ended: bool = False
    old_oom: bool = False
    full_shm: bool = False
    full_disk: bool = False
    dependencies: str = ""
    others: tuple[Listener, ...] = ()
    at: datetime | None = None


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
        accepts="accepts" in flags,
        queued="queued" in flags,
        ipv6="ipv6" in flags,
        oom="oom" in flags,
        asked_to_stop="term" in flags,
        ended="ended" in flags,
        old_oom="old-oom" in flags,
        full_shm="full-shm" in flags,
        full_disk="full-disk" in flags,
        dependencies=next(installed, ""),
        others=_others(flags),
        at=link.changed_at,
    )


def _others(flags: list[str]) -> tuple[Listener, ...]:
    """Each port once: a program may listen on it for IPv4 and for IPv6."""
    found = [m for m in map(_OTHER.fullmatch, flags) if m]
    open_ports = {int(m[2]) for m in found if m[1] == "listens"}
    closed_ports = {int(m[2]) for m in found} - open_ports
    listeners = [Listener(p) for p in open_ports] + [Listener(p, True) for p in closed_ports]
    return tuple(sorted(listeners, key=lambda item: item.port)[:_MOST_OTHERS])


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
