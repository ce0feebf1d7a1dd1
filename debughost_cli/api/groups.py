"""The commands that come in groups: ``host.network``, ``.volumes``, ``.images``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from debughost_cli.api.configuration import Configuration
from debughost_cli.names import SUBNET, check_project
from debughost_cli.services.progress import Progress

if TYPE_CHECKING:
    from debughost_cli.engine.port import Engine
    from debughost_cli.models import ProjectType
    from debughost_cli.services.results import ImagesResult, NetworkResult, VolumesResult


class Network:
    """The network that all projects share."""

    def __init__(self, engine: Callable[[], Engine], progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def ensure(self, subnet: str = SUBNET, *, recreate: bool = False) -> NetworkResult:
        """Creates it, or checks that it is as requested. Raises NetworkConflict, Usage.

        ``recreate``: where it differs and nothing uses it.

        >>> host.network.ensure().changed
        True
        """
        from debughost_cli.services.network import NetworkService

        return NetworkService(self._engine(), self._progress).ensure(subnet, recreate=recreate)

    def inspect(self) -> NetworkResult:
        """The network and what is attached to it. Raises NetworkNotFound.

        >>> _ = host.network.ensure()
        >>> host.network.inspect().network.subnet
        '172.28.0.0/16'
        """
        from debughost_cli.services.network import NetworkService

        return NetworkService(self._engine(), self._progress).inspect()

    def remove(self) -> NetworkResult:
        """Removes it when nothing uses it. Raises InUse, NetworkNotFound, NetworkConflict.

        >>> _ = host.network.ensure()
        >>> host.network.remove().changed
        True
        """
        from debughost_cli.services.network import NetworkService

        return NetworkService(self._engine(), self._progress).remove()


class Volumes:
    """The volumes that hold installed packages."""

    def __init__(self, engine: Callable[[], Engine], progress: Progress) -> None:
        self._engine = engine
        self._progress = progress

    def list_all(self) -> VolumesResult:
        """Every dependency volume and every project's package cache, with its size.

        >>> _ = host.up()
        >>> [volume.name for volume in host.volumes.list_all().volumes]
        ['debug-host-shop-cache', 'debug-host-shop-home', 'debug-host-shop-node_modules']
        """
        from debughost_cli.services.volumes import VolumeService

        return VolumeService(self._engine(), self._progress).list_all()

    def candidates(self, projects: Sequence[str] = (), *, caches: bool = False) -> VolumesResult:
        """What ``prune`` would remove: the volumes of projects that have no container.

        ``projects``: of those alone; ``caches``: the shared package caches as well.

        >>> _ = host.up(), host.remove()
        >>> host.volumes.candidates().reclaimed_bytes
        12288
        """
        from debughost_cli.services.volumes import VolumeService

        service = VolumeService(self._engine(), self._progress)
        names = [check_project(p) for p in projects]
        return service.candidates(names, everything=caches)

    def prune(self, chosen: VolumesResult | None = None) -> VolumesResult:
        """Removes ``chosen``, all candidates if not given; one that is in use by now stays.

        >>> _ = host.up(), host.remove()
        >>> host.volumes.prune().changed
        True
        """
        from debughost_cli.services.volumes import VolumeService

        service = VolumeService(self._engine(), self._progress)
        return service.prune(self.candidates() if chosen is None else chosen)


class Images:
    """The base images, one for each type."""

    def __init__(
        self, engine: Callable[[], Engine], progress: Progress, config: Configuration
    ) -> None:
        self._engine = engine
        self._progress = progress
        self._config = config

    def list_all(self) -> ImagesResult:
        """Which base images the engine has, and whether they are current.

        >>> [entry.type.value for entry in host.images.list_all().images if entry.current]
        ['node', 'python', 'php', 'static']
        """
        from debughost_cli.services.images import ImageService

        return ImageService(self._engine(), self._progress).list_all()

    def build(
        self,
        types: Sequence[ProjectType] = (),
        *,
        base: str | None = None,
        no_cache: bool = False,
    ) -> ImagesResult:
        """Builds the images of ``types``, of all if empty. Raises ImageNotFound, DiskFull.

        ``base``: the image to build on; ``no_cache``: run every step again.

        >>> from debughost_cli.models import ProjectType
        >>> host.images.build([ProjectType.NODE]).changed
        True
        """
        from debughost_cli.services.images import ImageService

        service = ImageService(self._engine(), self._progress)
        bundle = self._config.ca_bundle()
        return service.build(types, base=base, no_cache=no_cache, ca_bundle=bundle)

    def pull(self, types: Sequence[ProjectType] = ()) -> ImagesResult:
        """Pulls what the images of ``types`` are built on, and builds them.

        >>> host.images.pull().changed
        True
        """
        from debughost_cli.services.images import ImageService

        service = ImageService(self._engine(), self._progress)
        return service.refresh(types, self._config.ca_bundle())

    def candidates(self) -> ImagesResult:
        """What ``prune`` would remove: images of ours that no container uses, with packages or old.

        >>> host.images.candidates().images
        ()
        """
        from debughost_cli.services.old_images import OldImages

        return OldImages(self._engine(), self._progress).candidates()

    def prune(self, chosen: ImagesResult | None = None) -> ImagesResult:
        """Removes ``chosen``, all candidates if not given; one that is in use by now stays.

        >>> host.images.prune().changed
        False
        """
        from debughost_cli.services.old_images import OldImages

        service = OldImages(self._engine(), self._progress)
        return service.prune(service.candidates() if chosen is None else chosen)
