"""The companion services of a project, described as users see them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from debughost_cli.engine.port import Engine, NotFound
from debughost_cli.models import Companion, ContainerRef
from debughost_cli.planning.exit_reason import explain, state_of
from debughost_cli.planning.launcher_status import LauncherStatus
from debughost_cli.resources import Container, ContainerSummary
from debughost_cli.services.projects import log_tail, published, read_launcher_status


def describe_companions(engine: Engine, found: Sequence[ContainerSummary]) -> tuple[Companion, ...]:
    """Each with its state, and with its last output where it has ended by itself."""
    described = (describe_companion(engine, summary) for summary in found)
    return tuple(both[1] for both in described if both)


def describe_companion(
    engine: Engine, summary: ContainerSummary
) -> tuple[Container, Companion] | None:
    """Its container and its description; None where it was removed since it was listed."""
    try:
        container = engine.containers.inspect(summary.id)
    except NotFound:
        return None
    # No launcher reports from it; the deployment leaves a note when it stops it.
    is_over = not container.is_running and container.started_at is not None
    note = _note(engine, container) if is_over else LauncherStatus()
    ended = explain(container, note)
    if ended and not ended.expected:
        ended = replace(ended, log_tail=log_tail(engine, container))
    companion = Companion(
        name=container.service,
        state=state_of(container, note),
        container=ContainerRef(container.id, container.name, container.image),
        health=container.health,
        ports=published(container.ports),
        exit=ended,
    )
    return container, companion


def _note(engine: Engine, container: Container) -> LauncherStatus:
    """What was left when it was stopped; one of an earlier run says nothing of this one.

    Its time has whole seconds.
    """
    note = read_launcher_status(engine, container.id)
    began = container.started_at
    is_old = note.at and began and note.at < began.replace(microsecond=0)
    return LauncherStatus() if is_old else note
