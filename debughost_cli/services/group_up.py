"""``up --all``: the projects of a group, each when those that it depends on are ready.

Each gets the addresses of the others. That of one which is not up yet is the planned one; where
its program listens on another port in the end, those that got the wrong one are brought up again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli.cancel import CancelToken
from debughost_cli.engine.port import Engine
from debughost_cli.errors import DebughostError, Interrupted, StartFailed
from debughost_cli.models import Action
from debughost_cli.services.batch import WORKERS, run_each
from debughost_cli.services.progress import NULL_PROGRESS, PhaseKind, Progress
from debughost_cli.services.results import ProjectResult, ProjectsResult
from debughost_cli.services.worker_pool import WorkerPool
from debughost_cli.specs import HTTP

_POLL = 0.1
"""Seconds between two looks whether the command was interrupted."""


class GroupProject(Struct, frozen=True):
    """A project of a group. ``variable``: the one with its address, for the others.

    ``own``: the names of variables that its own configuration sets. ``is_shared``: it is on the
    network that projects share. ``depends_on``: ids.
    """

    project: str
    folder: Path
    variable: str
    depends_on: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    is_shared: bool = True


Addresses = Mapping[str, str]
Up = Callable[[GroupProject, Addresses, CancelToken], ProjectResult]
Plan = Callable[[GroupProject], ProjectResult]


class GroupUp:
    """One run of it. ``projects``: each after those that it depends on."""

    def __init__(
        self,
        engine: Engine,
        projects: Sequence[GroupProject],
        up: Up,
        progress: Progress = NULL_PROGRESS,
    ) -> None:
        self._engine = engine
        self._progress = progress
        self._projects = {p.project: p for p in projects}
        self._up = up
        self._addresses: dict[str, str] = {}
        self._given: dict[str, Addresses] = {}
        self._ended = {p.project: threading.Event() for p in projects}
        self._failed: set[str] = set()
        # Two installs in one folder could get in each other's way.
        self._folders = {p.folder: threading.Lock() for p in projects}

    def run(self, plan: Plan, cancel: CancelToken) -> ProjectsResult:
        """Brings them up. A failure is that project's own, and that of those that depend on it."""
        self._foresee(plan)
        token = CancelToken(cancel)
        names = list(self._projects)
        result = run_each(
            self._engine, names, lambda p: self._bring_up(p, token), token, undoes=True
        )
        outdated = {p for p in names if p not in self._failed and self._is_outdated(p)}
        if not outdated:
            return result
        again = run_each(
            self._engine, list(outdated), lambda p: self._run(p, token), token, undoes=True
        )
        newer = {i.project.project: i for i in again.items}
        return ProjectsResult(tuple(_both(i, newer.get(i.project.project)) for i in result.items))

    def planned(self, plan: Plan) -> ProjectsResult:
        """What ``run`` would do."""
        with WorkerPool(min(WORKERS, len(self._projects))) as pool:
            return ProjectsResult(tuple(pool.map(plan, list(self._projects.values()))))

    def _foresee(self, plan: Plan) -> None:
        if len(self._projects) > 1:
            for item in self.planned(plan).items:
                self._note(item)

    def _note(self, item: ProjectResult) -> None:
        ports = {p.name: p.container_port for p in item.project.ports}
        name = item.project.project
        if HTTP in ports and name in self._projects:
            self._addresses[name] = f"http://{name}:{ports[HTTP]}"

    def _bring_up(self, name: str, token: CancelToken) -> ProjectResult:
        try:
            needed = self._projects[name].depends_on
            if needed:
                with self._progress.task(name):
                    text = f"Waiting for {', '.join(needed)}, which {name} needs"
                    self._progress.phase(PhaseKind.WAIT, text)
                    self._await_needed(name, token)
            result = self._run(name, token)
        except BaseException:
            self._failed.add(name)
            raise
        else:
            if result.error:
                self._failed.add(name)
            return result
        finally:
            self._ended[name].set()

    def _await_needed(self, name: str, token: CancelToken) -> None:
        for needed in self._projects[name].depends_on:
            while not self._ended[needed].wait(_POLL):
                if token.is_set():
                    raise Interrupted
            if needed in self._failed:
                raise StartFailed(
                    f"{name} was not started: {needed}, on which it depends, failed",
                    hint=f"See the error of {needed}; then run 'debughost up --all' again",
                    details={"project": name, "depends_on": needed},
                )

    def _run(self, name: str, token: CancelToken) -> ProjectResult:
        project = self._projects[name]
        with self._folders[project.folder]:
            given = self._given[name] = self._for(project)
            result = self._up(project, given, token)
        self._note(result)
        return result

    def _for(self, project: GroupProject) -> Addresses:
        """The addresses that it gets; what its own configuration sets, it keeps."""
        others = (p for p in self._projects.values() if p is not project and p.is_shared)
        found = {
            p.variable: self._addresses[p.project]
            for p in others
            if p.project in self._addresses and p.variable not in project.own
        }
        return found if project.is_shared else {}

    def _is_outdated(self, name: str) -> bool:
        with suppress(DebughostError):
            return self._given.get(name) != self._for(self._projects[name])
        return False


def _both(first: ProjectResult, second: ProjectResult | None) -> ProjectResult:
    """The project as it is in the end, and what was done with it as it was before."""
    if second is None or second.error or first.action is Action.UNCHANGED:
        return second or first
    return replace(second, action=first.action)
