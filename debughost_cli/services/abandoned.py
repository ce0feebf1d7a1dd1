"""One-off containers that commands which were killed have left."""

from __future__ import annotations

from collections.abc import Iterable

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.planning.instance import one_offs
from debughost_cli.resources import ContainerSummary
from debughost_cli.services.owner_process import OwnerProcess, is_at_work, parse
from debughost_cli.services.projects import MANAGED_FILTER


def abandoned(
    containers: Iterable[ContainerSummary], owner: OwnerProcess
) -> tuple[ContainerSummary, ...]:
    """The one-off containers among them whose process has ended; ``owner``: this process.

    Of another machine's process only the end of the container itself is known.
    """
    return tuple(c for c in one_offs(containers) if _is_abandoned(c, owner))


def _is_abandoned(container: ContainerSummary, this: OwnerProcess) -> bool:
    text = container.labels.get(names.OWNER, "")
    if text == str(this) or is_at_work(container.labels, container.created_at, this):
        return False
    owner = parse(text)
    return not container.is_running or owner is None or owner.host == this.host


def remove_abandoned(engine: Engine, project: str, owner: OwnerProcess) -> None:
    """Removes what killed commands have left of a project."""
    listed = engine.containers.list([MANAGED_FILTER, f"{names.PROJECT}={project}"])
    for container in abandoned(listed, owner):
        engine.containers.remove(container.id, force=True)
