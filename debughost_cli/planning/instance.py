"""Which of the engine's containers belong to which project, and which of them counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from debughost_cli import names
from debughost_cli.resources import Container, ContainerStatus, ContainerSummary, ProjectInstance
from debughost_cli.specs import Role


def instances(containers: Iterable[ContainerSummary]) -> dict[str, ProjectInstance]:
    """Our containers as project instances, by project id.

    Of several containers of the main role the running one counts, else the newest; all clients
    agree on it. One-off containers are apart. Those of any other role are companions, and never
    leftovers of the main one. What has no main container is no project.
    """
    groups: defaultdict[str, list[ContainerSummary]] = defaultdict(list)
    for container in containers:
        if is_managed(container):
            groups[container.project].append(container)
    found = (_instance(group) for group in groups.values())
    return {instance.project: instance for instance in found if instance}


def is_managed(container: ContainerSummary) -> bool:
    """True for a container of ours; with an invalid project id it is not, whatever its labels."""
    return container.labels.get(names.MANAGED) == "true" and names.is_project(container.project)


def _instance(group: list[ContainerSummary]) -> ProjectInstance | None:
    group.sort(key=lambda c: (c.is_running, c.created_at, c.name, c.id), reverse=True)
    of_main_role = [c for c in group if c.role == Role.MAIN]
    if not of_main_role:
        return None
    others = (c for c in group if c.role not in (Role.MAIN, Role.RUN))
    return ProjectInstance(
        of_main_role[0],
        tuple(sorted(others, key=lambda c: c.service)),
        tuple(of_main_role[1:]),
        one_offs(group),
    )


def one_offs(containers: Iterable[ContainerSummary]) -> tuple[ContainerSummary, ...]:
    """Those of ``containers`` in which ``run`` runs a command, or has run one."""
    return tuple(c for c in containers if is_managed(c) and c.role == Role.RUN)


def precedence(container: Container) -> tuple[bool, datetime, str]:
    """Sorts the container that stays before those that give way to it."""
    never_started = container.status is ContainerStatus.CREATED
    return never_started, container.created_at, container.id
