"""What a container listens on besides its port, and why that makes it not ready."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime

from debughost_cli import names
from debughost_cli.failure import NotReadyReason as NotReadyReason
from debughost_cli.models import Listener
from debughost_cli.planning.launcher_status import (
    LauncherPhase,
    LauncherStatus,
    hook_of,
    is_preparing,
)
from debughost_cli.planning.memory import memory_limit, more_memory_hint
from debughost_cli.resources import Container

AUXILIARY_PORTS = frozenset({5678, 5858, 9229, 9230, 24678, 35729})
"""Where debuggers (debugpy, Node) and live reload (Vite, LiveReload) listen by default."""
EPHEMERAL_PORTS = range(32768, 61000)
"""Linux's own choice for programs that give no number (ip_local_port_range)."""

GRACE, LOOPBACK_GRACE = 2.0, 10.0
"""Seconds in which a program may still begin to listen on its port; the second where all that it
listens on are other ports of the loopback address, as those of reloaders and debuggers are.
"""


def relevant(listeners: Iterable[Listener], container: Container) -> tuple[Listener, ...]:
    """Those that may be the project's page: not a debugger, and on a port that was chosen.

    What is published under another name is there for something else.
    """
    others = AUXILIARY_PORTS | {port.container_port for port in container.extra_ports}
    return tuple(
        found
        for found in listeners
        if found.port not in others and found.port not in EPHEMERAL_PORTS
    )


def grace(container: Container, launcher: LauncherStatus) -> float:
    """Seconds for which a project must have listened elsewhere, and on nothing else meanwhile."""
    others = relevant(launcher.others, container)
    is_helper = not launcher.loopback and all(found.is_loopback for found in others)
    return LOOPBACK_GRACE if is_helper else GRACE


def known_obstacle(
    container: Container, launcher: LauncherStatus, now: datetime
) -> NotReadyReason | None:
    """Why a running project is not ready, from one reading; None where it is, or where one cannot
    tell yet.
    """
    if launcher.ready or not container.port or not _is_at_work(launcher.phase):
        return None
    is_elsewhere = launcher.loopback or relevant(launcher.others, container)
    if (
        is_elsewhere
        and launcher.at
        and (now - launcher.at).total_seconds() < grace(container, launcher)
    ):
        return None
    return explain_not_ready(container, launcher)


def _is_at_work(phase: LauncherPhase) -> bool:
    return phase is LauncherPhase.RUNNING or is_preparing(phase)


def explain_not_ready(container: Container, launcher: LauncherStatus) -> NotReadyReason:
    """From what was looked up in the container."""
    port, project = container.port, container.project
    if launcher.loopback:
        return NotReadyReason(
            "loopback",
            f"it listens on port {port}, but on the container's own 127.0.0.1 alone",
            "Make it listen on 0.0.0.0 (often --host 0.0.0.0)",
        )
    others = relevant(launcher.others, container)
    if launcher.oom and not others:
        return out_of_memory(container)
    if launcher.queued:
        return NotReadyReason(
            "not_accepting",
            f"it listens on port {port}, but leaves connections waiting",
            "What serves the port has ended, hangs, or still starts; "
            f"see 'debughost logs -p {project}'",
        )
    if is_preparing(launcher.phase):
        hook = hook_of(launcher.phase)
        return NotReadyReason(
            "installing",
            f"its hook {hook} still runs" if hook else "its dependencies are still being installed",
            f"Wait on: debughost up -p {project} --install-timeout 1800",
        )
    if others:
        return _elsewhere(container, others)
    return NotReadyReason(
        "nothing_listens", f"nothing listens on port {port}", _listen_hint(container)
    )


def ipv6_only(container: Container) -> NotReadyReason:
    """For a program that refuses IPv4, by which its published port is connected."""
    return NotReadyReason(
        "ipv6_only",
        f"it listens on port {container.port} for IPv6 alone",
        "Make it listen on 0.0.0.0 (often --host 0.0.0.0): a published port is connected by IPv4",
    )


def waiting_for_changes(container: Container, known: str = "") -> NotReadyReason:
    """For a program that has crashed under a watcher. ``known``: what helps; may be empty."""
    return NotReadyReason(
        "waiting_for_changes",
        "its program has ended, and what watches its files waits for a change",
        known
        or "Fix what the last lines say; where it does not start by itself then, run "
        f"'debughost restart -p {container.project}'",
    )


def out_of_memory(container: Container) -> NotReadyReason:
    """For a program of which a process was killed, while another one goes on."""
    return NotReadyReason(
        "oom",
        f"a process of it used up the memory limit of {memory_limit(container)} and was killed",
        more_memory_hint(container),
    )


def _elsewhere(container: Container, others: tuple[Listener, ...]) -> NotReadyReason:
    port, ports = container.port, tuple(found.port for found in others)
    reachable = tuple(found.port for found in others if not found.is_loopback)
    if reachable:
        return NotReadyReason(
            "other_port",
            f"it listens on {_ports(reachable)}, not on port {port}",
            f"Use the port that it has: debughost up -p {container.project} "
            f"-w {shlex.quote(container.labels.get(names.WORKSPACE, '.'))} --port {reachable[0]}",
            ports,
            reachable,
        )
    return NotReadyReason(
        "other_port",
        f"it listens on {_ports(ports)} of the container's own 127.0.0.1 alone, not on port {port}",
        f"Make it listen on 0.0.0.0:{port} (often --host 0.0.0.0 --port {port})",
        ports,
    )


def _ports(ports: Sequence[int]) -> str:
    words = [str(port) for port in ports]
    if len(words) == 1:
        return f"port {words[0]}"
    return f"ports {', '.join(words[:-1])} and {words[-1]}"


def _listen_hint(container: Container) -> str:
    """``PORT`` may have been set to something else by the user."""
    port, variable = container.port, container.environment.get("PORT", "")
    see = f"see 'debughost logs -p {container.project}'"
    if variable == str(port):
        return f"Make it listen on 0.0.0.0:$PORT (PORT is {port}); {see}"
    return f"Make it listen on 0.0.0.0:{port} (PORT was set to {variable[:20]!r}); {see}"
