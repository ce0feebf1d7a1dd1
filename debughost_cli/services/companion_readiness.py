"""Waiting until a companion service can be used, or finding out why it never will."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from debughost_cli.clock import Clock
from debughost_cli.engine.port import Conflict, Engine, NotFound
from debughost_cli.errors import Crashed, DebughostError, Interrupted, NotReady, StartFailed
from debughost_cli.models import ExitReason
from debughost_cli.planning.exit_reason import explain
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.planning.memory import larger_memory
from debughost_cli.planning.proc_net import listening_ports
from debughost_cli.resources import Container
from debughost_cli.services.companions import ObservedCompanion
from debughost_cli.services.projects import log_tail
from debughost_cli.services.readiness import has_failed

PAUSES = (0.1, 0.2, 0.3, 0.5)
"""Seconds between two checks, the last again and again: one takes the engine about 55 ms."""
_OTHER_VERSION = re.compile(
    r"incompatible with (?:this )?server|Can't handle RDB format|featureCompatibilityVersion"
    r"|Invalid MySQL server (?:up|down)grade|(?:Up|Down)grade after a crash is not supported"
)
"""What PostgreSQL, Redis, MongoDB, MySQL and MariaDB say of data that another version wrote."""
SETTLED = 1.0
"""Seconds that a service must have run of which nothing else can be known."""


def wait_companion(
    engine: Engine,
    companion: ObservedCompanion,
    ref: str,
    timeout: float,
    *,
    cancelled: Callable[[], bool],
    clock: Clock,
) -> None:
    """Returns once the service in the container ``ref`` can be used.

    Raises Crashed or StartFailed once it has ended, NotReady after ``timeout`` seconds.
    """
    began, checks = clock.monotonic(), 0
    while True:
        container = _inspect(engine, companion, ref)
        if has_failed(container, 0):
            raise _ended(engine, companion, container)
        if _is_ready(engine, companion, container, clock.monotonic() - began):
            return
        if clock.monotonic() - began >= timeout:
            raise _not_ready(engine, companion, container, timeout)
        if cancelled():
            raise Interrupted
        clock.sleep(PAUSES[min(checks, len(PAUSES) - 1)])
        checks += 1


def _inspect(engine: Engine, companion: ObservedCompanion, ref: str) -> Container:
    try:
        return engine.containers.inspect(ref)
    except NotFound as exc:
        raise Crashed(
            f"another client removed the service {companion.spec.name} while it was waited for",
            hint="Run 'debughost up' again",
        ) from exc


def _is_ready(
    engine: Engine, companion: ObservedCompanion, container: Container, seconds: float
) -> bool:
    if companion.ready:
        with suppress(Conflict, NotFound):
            return engine.exec.run(container.id, companion.ready).exit_code == 0
        return False
    if container.health:
        return container.health == "healthy"
    ports = _listening(engine, container.id) if companion.port else None
    return seconds >= SETTLED if ports is None else companion.port in ports


def _listening(engine: Engine, ref: str) -> frozenset[int] | None:
    """The ports on which it listens, None where its image has no program that could tell."""
    try:
        found = engine.exec.run(ref, ("cat", "/proc/net/tcp", "/proc/net/tcp6"))
    except (StartFailed, Conflict, NotFound):
        return None
    if found.exit_code in (126, 127):
        return None
    return listening_ports(found.stdout.decode("ascii", "replace"))


def _ended(engine: Engine, companion: ObservedCompanion, container: Container) -> DebughostError:
    name, tail = companion.spec.name, log_tail(engine, container)
    exit_ = explain(container, LauncherStatus(), tail)
    words = exit_.message if exit_ else "ended again and again"
    hint = "Its last lines say why; its settings are those of [services] in debughost.toml"
    if any(_OTHER_VERSION.search(line) for line in tail):
        hint = (
            "Its data is of another version: keep the image's version, or remove the data with "
            f"'debughost rm -p {companion.spec.project} --volumes --data'"
        )
    if exit_ and exit_.reason is ExitReason.OOM:
        more = larger_memory(container.limits.memory_bytes)
        hint = f'Give it more in debughost.toml: memory = "{more}" in [services.{name}]'
    return Crashed(
        f"the service {name} of {companion.spec.project} {words} before it could be used",
        hint=hint,
        details={
            "service": name,
            "exit_code": container.exit_code,
            "reason": exit_.reason if exit_ else None,
            "log_tail": list(tail),
        },
        reason=exit_.reason if exit_ else None,
    )


def _not_ready(
    engine: Engine, companion: ObservedCompanion, container: Container, timeout: float
) -> NotReady:
    name = companion.spec.name
    what = "its check does not succeed" if companion.ready else f"port {companion.port} is silent"
    return NotReady(
        f"the service {name} of {companion.spec.project} cannot be used after {timeout:g} s: "
        f"{what}",
        hint=f"Its last lines may say why; 'ready' in [services.{name}] sets another check, and "
        "--wait-timeout a longer time",
        details={"service": name, "log_tail": list(log_tail(engine, container))},
    )
