"""``host.config``: the configuration of the project in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from debughost_cli.project.certificates import CaBundle
    from debughost_cli.project.resolve import ResolvedProject
    from debughost_cli.services.config_set import SettingWritten
    from debughost_cli.services.translated_file import ImportedFile


class Configuration:
    """The configuration of the project in a folder; needs no engine."""

    def __init__(self, folder: Path | None, environ: Mapping[str, str]) -> None:
        self.given = folder
        self._environ = environ

    @property
    def folder(self) -> Path:
        """The folder that calls without one are about. Raises Usage where it was removed."""
        from debughost_cli.api.workspaces import current_folder

        return self.given or current_folder()

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

        Where a file of the folder names a group, that and the members' own settings count as well.

        >>> host.config.validate().settings.file is None
        True
        """
        from debughost_cli.project.validation import check_configuration

        folder = self._workspace(workspace)
        check_configuration(folder, self._environ)
        if self.group_file(folder):
            from debughost_cli.api.group import group_projects

            group_projects(folder, self._environ)
        return self.show(workspace)

    def group_file(self, workspace: str | Path | None = None) -> Path | None:
        """The file in the folder that names a group. Raises InvalidConfig.

        >>> host.config.group_file() is None
        True
        """
        from debughost_cli.project.group import declared_group

        group = declared_group(self._workspace(workspace))
        return group.file if group else None

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
    ) -> ImportedFile:
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

    def import_devcontainer(
        self,
        workspace: str | Path | None = None,
        *,
        file: str | Path | None = None,
        type_: str | None = None,
    ) -> ImportedFile:
        """As ``import_compose``, from a devcontainer.json.

        >>> _ = Path(".devcontainer.json").write_text('{"image": "node:22", "privileged": true}')
        >>> host.config.import_devcontainer().notes
        ('privileged is not translated: nothing is privileged in a container',)
        """
        from debughost_cli.project.parsers import parse_type
        from debughost_cli.services.devcontainer_import import import_devcontainer

        chosen = parse_type(type_) if type_ else None
        return import_devcontainer(self._workspace(workspace), Path(file) if file else None, chosen)

    def importable(self, workspace: str | Path | None = None) -> tuple[str, str]:
        """A file of another program in the workspace, and the option of ``init`` for it.

        >>> host.config.importable()
        ('', '')
        """
        from debughost_cli.services.devcontainer_import import import_option

        return import_option(self._workspace(workspace))

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
