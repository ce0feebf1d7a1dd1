"""The commands that come in groups: ``host.network``, ``.volumes``, ``.images``, ``.config``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from debughost_cli.api.engine_source import EngineSource
from debughost_cli.names import SUBNET, check_project
from debughost_cli.services.progress import Progress

if TYPE_CHECKING:
    from debughost_cli.models import ProjectType
    from debughost_cli.project.certificates import CaBundle
    from debughost_cli.project.resolve import ResolvedProject
    from debughost_cli.services.compose_import import ImportedCompose
    from debughost_cli.services.config_set import SettingWritten
    from debughost_cli.services.results import ImagesResult, NetworkResult, VolumesResult


class Network:
    """The network that all projects share."""

    def __init__(self, source: EngineSource, progress: Progress) -> None:
        self._source = source
        self._progress = progress

    def ensure(self, subnet: str = SUBNET, *, recreate: bool = False) -> NetworkResult:
        """Creates it, or checks that it is as requested. Raises NetworkConflict, Usage.

        ``recreate``: where it differs and nothing uses it.

        >>> host.network.ensure().changed
        True
        """
        from debughost_cli.services.network import NetworkService

        return NetworkService(self._source.get(), self._progress).ensure(subnet, recreate=recreate)

    def inspect(self) -> NetworkResult:
        """The network and what is attached to it. Raises NetworkNotFound.

        >>> _ = host.network.ensure()
        >>> host.network.inspect().network.subnet
        '172.28.0.0/16'
        """
        from debughost_cli.services.network import NetworkService

        return NetworkService(self._source.get(), self._progress).inspect()

    def remove(self) -> NetworkResult:
        """Removes it when nothing uses it. Raises InUse, NetworkNotFound, NetworkConflict.

        >>> _ = host.network.ensure()
        >>> host.network.remove().changed
        True
        """
        from debughost_cli.services.network import NetworkService

        return NetworkService(self._source.get(), self._progress).remove()


class Volumes:
    """The volumes that hold installed packages."""

    def __init__(self, source: EngineSource, progress: Progress) -> None:
        self._source = source
        self._progress = progress

    def list_all(self) -> VolumesResult:
        """Every dependency volume and every project's package cache, with its size.

        >>> _ = host.up()
        >>> [volume.name for volume in host.volumes.list_all().volumes]
        ['debug-host-shop-cache', 'debug-host-shop-home', 'debug-host-shop-node_modules']
        """
        from debughost_cli.services.volumes import VolumeService

        return VolumeService(self._source.get(), self._progress).list_all()

    def candidates(self, projects: Sequence[str] = (), *, caches: bool = False) -> VolumesResult:
        """What ``prune`` would remove: the volumes of projects that have no container.

        ``projects``: of those alone; ``caches``: the shared package caches as well.

        >>> _ = host.up(), host.remove()
        >>> host.volumes.candidates().reclaimed_bytes
        12288
        """
        from debughost_cli.services.volumes import VolumeService

        service = VolumeService(self._source.get(), self._progress)
        names = [check_project(p) for p in projects]
        return service.candidates(names, everything=caches)

    def prune(self, chosen: VolumesResult | None = None) -> VolumesResult:
        """Removes ``chosen``, all candidates if not given; one that is in use by now stays.

        >>> _ = host.up(), host.remove()
        >>> host.volumes.prune().changed
        True
        """
        from debughost_cli.services.volumes import VolumeService

        service = VolumeService(self._source.get(), self._progress)
        return service.prune(self.candidates() if chosen is None else chosen)


class Images:
    """The base images, one for each type."""

    def __init__(self, source: EngineSource, progress: Progress, config: Configuration) -> None:
        self._source = source
        self._progress = progress
        self._config = config

    def list_all(self) -> ImagesResult:
        """Which base images the engine has, and whether they are current.

        >>> [entry.type.value for entry in host.images.list_all().images if entry.current]
        ['node', 'python', 'php', 'static']
        """
        from debughost_cli.services.images import ImageService

        return ImageService(self._source.get(), self._progress).list_all()

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

        service = ImageService(self._source.get(), self._progress)
        bundle = self._config.ca_bundle()
        return service.build(types, base=base, no_cache=no_cache, ca_bundle=bundle)

    def pull(self, types: Sequence[ProjectType] = ()) -> ImagesResult:
        """Pulls what the images of ``types`` are built on, and builds them.

        >>> host.images.pull().changed
        True
        """
        from debughost_cli.services.images import ImageService

        service = ImageService(self._source.get(), self._progress)
        return service.refresh(types, self._config.ca_bundle())

    def candidates(self) -> ImagesResult:
        """What ``prune`` would remove: images of ours that no container uses, with packages or old.

        >>> host.images.candidates().images
        ()
        """
        from debughost_cli.services.old_images import OldImages

        return OldImages(self._source.get(), self._progress).candidates()

    def prune(self, chosen: ImagesResult | None = None) -> ImagesResult:
        """Removes ``chosen``, all candidates if not given; one that is in use by now stays.

        >>> host.images.prune().changed
        False
        """
        from debughost_cli.services.old_images import OldImages

        service = OldImages(self._source.get(), self._progress)
        return service.prune(service.candidates() if chosen is None else chosen)


class Configuration:
    """The configuration of the project in a folder; needs no engine."""

    def __init__(self, folder: Path | None, environ: Mapping[str, str]) -> None:
        self._given = folder
        self._environ = environ

    @property
    def folder(self) -> Path:
        """The folder that calls without one are about. Raises Usage where it was removed."""
        from debughost_cli.api.workspaces import current_folder

        return self._given or current_folder()

    def show(self, workspace: str | Path | None = None) -> ResolvedProject:
        """The settings in force, each with its source, and what was detected.

        Where nothing was, the detection has neither a framework nor a command. Raises
        InvalidConfig, InvalidWorkspace.

        >>> host.config.show().type.value
        'node'
        """
        from debughost_cli.project.resolve import resolve_project
        from debughost_cli.project.settings import Flags

        folder = self._workspace(workspace)
        return resolve_project(folder, Flags(), self._environ, must_detect=False)

    def runtime(self, resolved: ResolvedProject) -> tuple[str, str]:
        """The version of Node.js, Python or PHP that ``up`` chooses, and where it is asked for.

        That is a file of the workspace, empty for the user's own choice and for the default.

        >>> host.config.runtime(host.config.show())
        ('24', '')
        """
        from debughost_cli.services.image_builds import planned_runtime

        return planned_runtime(resolved)

    def validate(self, workspace: str | Path | None = None) -> ResolvedProject:
        """As ``show``, but InvalidConfig lists everything that is wrong, not the first fault.

        >>> host.config.validate().settings.file is None
        True
        """
        from debughost_cli.project.validation import check_configuration

        check_configuration(self._workspace(workspace), self._environ)
        return self.show(workspace)

    def set(self, key: str, value: str, workspace: str | Path | None = None) -> SettingWritten:
        """Writes a setting into debughost.toml, which is created where there is none.

        Raises Usage for an unknown setting, InvalidConfig for a value that it cannot have.

        >>> host.config.set("port", "3100").value
        3100
        """
        from debughost_cli.services.config_set import set_value

        return set_value(self._workspace(workspace), key, value)

    def init(
        self, workspace: str | Path | None = None, *, type_: str | None = None
    ) -> tuple[Path, str]:
        """Writes a commented debughost.toml; returns its path and text.

        ``type_``: node, python, php or static, where it is not to be detected. Raises NameConflict
        where there is a file, TypeUnknown.

        >>> path, text = host.config.init()
        >>> path.name
        'debughost.toml'
        """
        from debughost_cli.project.parsers import parse_type
        from debughost_cli.services.init import write_config

        chosen = parse_type(type_) if type_ else None
        return write_config(self._workspace(workspace), chosen)

    def import_compose(
        self,
        workspace: str | Path | None = None,
        *,
        file: str | Path | None = None,
        type_: str | None = None,
    ) -> ImportedCompose:
        """As ``init``, from a compose file: that of the workspace, unless ``file`` names another.

        Raises InvalidConfig for one that cannot be read, and what ``init`` raises.

        >>> _ = Path("compose.yaml").write_text("services: {cache: {image: redis}}")
        >>> host.config.import_compose(file="compose.yaml").notes
        ('no service is built from this folder: the program is detected',)
        """
        from debughost_cli.project.parsers import parse_type
        from debughost_cli.services.compose_import import import_compose

        chosen = parse_type(type_) if type_ else None
        return import_compose(self._workspace(workspace), Path(file) if file else None, chosen)

    def ca_bundle(self) -> CaBundle | None:
        """The root certificates that are in force.

        >>> host.config.ca_bundle() is None
        True
        """
        from debughost_cli.project.certificates import ca_bundle_of
        from debughost_cli.project.configuration import load_settings
        from debughost_cli.project.settings import Flags

        return ca_bundle_of(load_settings(self.folder, Flags(), self._environ), self.folder)

    def _workspace(self, given: str | Path | None) -> Path:
        from debughost_cli.project.workspace import check_workspace

        return check_workspace(Path(given) if given else self.folder)
