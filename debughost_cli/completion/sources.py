"""The words that only the engine, the workspace or this machine knows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from debughost_cli.completion.line import Line

if TYPE_CHECKING:
    from debughost_cli.completion.engine import Listed

Candidate = tuple[str, str]
"""A word and what it is, both as they were found: see ``answer`` for what is printed of them."""

_ALIVE = ("running", "paused", "restarting")


def projects(line: Line, which: str) -> Iterator[Candidate]:
    """Ids with type and state. ``which``: ``any``, ``running``, ``stopped``, or ``volumes`` for
    those that have volumes and no container. What the line has already is left out.
    """
    from debughost_cli.names import PROJECT, SERVICE

    given = {*line.values("--project"), *line.arguments}
    found: dict[str, list[Listed]] = {}
    for container in _containers(line):
        found.setdefault(container["Labels"].get(PROJECT, ""), []).append(container)
    if which == "volumes":
        owners = {v["Labels"].get(PROJECT, "") for v in _managed("volumes", line)}
        yield from ((project, "") for project in owners - set(found) - given)
        return
    for project, containers in found.items():
        programs = [c for c in containers if not c["Labels"].get(SERVICE)]
        alive = [c for c in containers if c["State"] in _ALIVE]
        is_stopped = not any(c in alive for c in programs)
        if project not in given and (
            which == "any" or (which == "running" and alive) or (which == "stopped" and is_stopped)
        ):
            yield project, _description(programs or containers)


def _description(containers: Sequence[Listed]) -> str:
    from debughost_cli.models import ProjectType
    from debughost_cli.names import TYPE

    # Labels are what anybody wrote: only a type that there is comes out of one.
    types = [t for t in ProjectType for c in containers if c["Labels"].get(TYPE) == t]
    states = sorted((str(c["State"]) for c in containers), key=lambda s: s not in _ALIVE)
    return ", ".join([*(t.value for t in types[:1]), *states[:1]])


def services(line: Line) -> Iterator[Candidate]:
    """The services of the projects on the line, else of the project of this folder, else all."""
    from debughost_cli.names import PROJECT, SERVICE, WORKSPACE

    given = {*line.values("--project"), *line.arguments}
    containers = [c["Labels"] | {"State": c["State"]} for c in _containers(line)]
    here = os.getcwd()  # noqa: PTH109 - pathlib is not needed for anything else
    own = {c.get(PROJECT) for c in containers if _is_within(here, c.get(WORKSPACE, ""))}
    chosen = given or own
    for labels in containers:
        if labels.get(SERVICE) and (not chosen or labels.get(PROJECT) in chosen):
            yield labels[SERVICE], f"{labels.get(PROJECT)}, {labels['State']}"


def _is_within(folder: str, workspace: str) -> bool:
    return bool(workspace) and f"{folder}/".startswith(f"{workspace.rstrip('/')}/")


def contexts() -> Iterator[Candidate]:
    """The Docker contexts of this user."""
    from debughost_cli.engine.connect import context_names

    yield from ((name, "") for name in ("default", *context_names(os.environ)))


def engines(line: Line) -> Iterator[Candidate]:
    """The engines of this user's own file, and the Docker contexts."""
    from debughost_cli.project.engines import AUTO
    from debughost_cli.project.user import load_user_configuration

    if line.command == "up":
        yield AUTO, "the one with most free memory"
    for name, entry in load_user_configuration().engines.items():
        yield name, entry.host or f"context {entry.context}"
    yield from contexts()


def _containers(line: Line) -> list[Listed]:
    from debughost_cli.names import ROLE

    found = _managed("containers", line)
    return [c for c in found if c["Labels"].get(ROLE) != "run"]


def _managed(kind: str, line: Line) -> Sequence[Listed]:
    from debughost_cli.completion.engine import managed

    given = (line.values(option) for option in ("--host", "--context", "--engine"))
    return managed(kind, *(values[-1] if values else None for values in given))
