"""Dependency volumes: listed with their sizes, pruned where no project needs them."""

from __future__ import annotations

from collections.abc import Sequence

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import InUse
from debughost_cli.models import Volume
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import OURS, by_project
from debughost_cli.services.results import VolumesResult


def remove_ours(engine: Engine, name: str) -> None:
    """Removes a volume, if it is there; one of that name that somebody else made stays.

    Raises InUse.
    """
    if any(v.name == name for v in engine.list_volumes([OURS])):
        engine.remove_volume(name)


class VolumeService:
    """``volumes ls`` and ``prune``."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def every(self) -> VolumesResult:
        """Every dependency volume, by project."""
        return VolumesResult(tuple(v for v in self._ours() if not v.labels.get(names.ROLE)))

    def _ours(self) -> list[Volume]:
        measured = self._engine.disk_usage().volumes
        found = [v for v in measured if v.labels.get(names.MANAGED) == "true"]
        return sorted(found, key=lambda v: (v.project, v.name))

    def candidates(
        self, projects: Sequence[str] = (), *, everything: bool = False
    ) -> VolumesResult:
        """What ``prune`` would remove: volumes of ours, not in use, of projects without a
        container; ``everything`` adds the package caches and the notes of ports.
        """
        alive = by_project(self._engine.list_containers([OURS]))
        chosen = [
            v
            for v in self._ours()
            if not v.in_use
            and v.project not in alive
            and (everything or not v.labels.get(names.ROLE))
            and (not projects or v.project in projects)
        ]
        return VolumesResult(tuple(chosen), sum(v.size_bytes or 0 for v in chosen))

    def prune(self, chosen: VolumesResult) -> VolumesResult:
        """Removes ``chosen``; one that came into use meanwhile is left, with a warning."""
        removed = []
        for volume in chosen.volumes:
            try:
                self._engine.remove_volume(volume.name)
            except InUse as exc:
                self._progress.warn("VOLUME_IN_USE", exc.message)
            else:
                removed.append(volume)
        reclaimed = sum(v.size_bytes or 0 for v in removed)
        return VolumesResult(tuple(removed), reclaimed, changed=bool(removed))
