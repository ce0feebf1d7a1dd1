"""``logs``: the projects' output, line by line."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from debughost_cli.engine.port import Engine, LogQuery
from debughost_cli.models import LogLine
from debughost_cli.services.projects import OURS, by_project, not_found


@dataclass(frozen=True)
class ProjectLine:
    """A line and whose it is."""

    project: str
    line: LogLine


class LogService:
    """Reads, and changes nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, projects: Sequence[str], query: LogQuery) -> Iterator[ProjectLine]:
        """The lines of one project in the engine's order, of several merged by time.

        Raises ProjectNotFound.
        """
        groups = by_project(self._engine.list_containers([OURS]))
        for project in projects:
            if project not in groups:
                raise not_found(project, list(groups))
        streams = [self._lines(p, groups[p][0].id, query) for p in dict.fromkeys(projects)]
        if len(streams) == 1:
            return streams[0]
        return heapq.merge(*streams, key=lambda p: p.line.ts)

    def _lines(self, project: str, ref: str, query: LogQuery) -> Iterator[ProjectLine]:
        return (ProjectLine(project, line) for line in self._engine.logs(ref, query))
