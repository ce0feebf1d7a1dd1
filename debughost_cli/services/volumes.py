"""Volumes of packages: listed with their sizes, pruned where no project needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import InUse, NameConflict
from debughost_cli.planning.instance import is_managed
from debughost_cli.resources import Volume
from debughost_cli.services.known_engines import check_known
from debughost_cli.services.progress import Progress
from debughost_cli.services.projects import MANAGED_FILTER
from debughost_cli.services.results import VolumesResult


def remove_owned(engine: Engine, name: str) -> None:
    """Removes a volume, if it is there; one of that name that somebody else made stays.

    Raises InUse.
    """
    if any(v.name == name for v in engine.volumes.list([MANAGED_FILTER])):
        engine.volumes.remove(name)


def volumes_of(engine: Engine, project: str) -> Sequence[Volume]:
    """All that are labelled as the project's: packages, cache, home, data, the note of its port."""
    return engine.volumes.list([MANAGED_FILTER, f"{names.PROJECT}={project}"])


def remove_unused(engine: Engine, progress: Progress, volumes: Iterable[Volume]) -> list[Volume]:
    """Those that were removed; one that is in use is left, with a warning."""
    removed = []
    for volume in volumes:
        try:
            engine.volumes.remove(volume.name)
        except InUse as exc:
            progress.warn("VOLUME_IN_USE", exc.message)
        else:
            removed.append(volume)
    return removed


def check_owned(volume: Volume) -> None:
    """Raises NameConflict for a volume of that name without the labels of this program."""
    if volume.labels.get(names.MANAGED) != "true":
        raise NameConflict(
            f"volume {volume.name} exists already and was not created by debughost",
            hint=f"Use another --project, or remove it: docker volume rm {volume.name}",
            details={"volume": volume.name},
        )


def without_project(engine: Engine, volumes: Iterable[Volume]) -> list[Volume]:
    """Those of ours that nothing uses, of projects without a container, caches and notes as well.

    ``volumes`` must be measured.
    """
    alive = {c.project for c in engine.containers.list([MANAGED_FILTER]) if is_managed(c)}
    return [v for v in _owned(volumes) if not v.in_use and v.project not in alive]


def packages_among(volumes: Iterable[Volume]) -> list[Volume]:
    """Dependency volumes, and the caches and homes of single projects.

    Without shared caches, remembered ports and the data of companion services.
    """
    return [v for v in volumes if _holds_packages(v) and not v.labels.get(names.SERVICE)]


def _holds_packages(volume: Volume) -> bool:
    role = volume.labels.get(names.ROLE)
    return not role or (role in ("cache", "home") and bool(volume.project))


def _owned(volumes: Iterable[Volume]) -> list[Volume]:
    found = (v for v in volumes if v.labels.get(names.MANAGED) == "true")
    return sorted(found, key=lambda v: (v.project, v.name))


class VolumeService:
    """``volumes ls`` and ``prune``."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def list_all(self) -> VolumesResult:
        """Every dependency volume, every project's package cache and home, all data of services
        and all uploaded workspaces, by project.
        """
        measured = _owned(self._engine.disk_usage().volumes)
        listed = {v.name for v in packages_among(measured)}
        roles = ("data", "workspace")
        found = (v for v in measured if v.name in listed or v.labels.get(names.ROLE) in roles)
        return VolumesResult(tuple(found))

    def candidates(
        self, projects: Sequence[str] = (), *, everything: bool = False
    ) -> VolumesResult:
        """What ``prune`` would remove: volumes of ours, not in use, of projects without a
        container; ``everything`` adds the shared package caches and the notes of ports.

        Warns of uploaded workspaces, which stay.
        """
        spare = without_project(self._engine, self._engine.disk_usage().volumes)
        # The data of services is nothing that could be fetched again.
        found = [v for v in spare if not v.labels.get(names.SERVICE)]
        copies = [v for v in found if v.labels.get(names.ROLE) == "workspace"]
        self._warn_of_copies(v for v in copies if not projects or v.project in projects)
        found = [v for v in found if v not in copies]
        found = found if everything else packages_among(found)
        chosen = [v for v in found if not projects or v.project in projects]
        return VolumesResult(tuple(chosen), sum(v.size_bytes or 0 for v in chosen))

    def _warn_of_copies(self, kept: Iterable[Volume]) -> None:
        for volume in kept:
            self._progress.warn(
                "WORKSPACE_KEPT",
                f"volume {volume.name} is kept, for the program may have written files there; "
                f"'debughost rm {volume.project} --volumes' removes it",
            )

    def prune(self, chosen: VolumesResult) -> VolumesResult:
        """Removes ``chosen``; one that came into use meanwhile is left, with a warning."""
        check_known(self._engine)
        removed = remove_unused(self._engine, self._progress, chosen.volumes)
        reclaimed = sum(v.size_bytes or 0 for v in removed)
        return VolumesResult(tuple(removed), reclaimed, changed=bool(removed))
