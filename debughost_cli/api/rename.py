"""``rename``: the project's folder and flags, and the commands that renaming is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.project.configuration import load_settings
from debughost_cli.project.resolve import default_project
from debughost_cli.project.settings import Flags
from debughost_cli.project.workspace import check_workspace
from debughost_cli.services.config_set import set_value
from debughost_cli.services.progress import Progress
from debughost_cli.services.rename import RenameService
from debughost_cli.services.results import ProjectResult

if TYPE_CHECKING:
    from debughost_cli.api.host import DebugHost


class Renaming:
    """Of one project; nothing is changed before all is checked."""

    def __init__(
        self, host: DebugHost, engine: Engine, progress: Progress, old: str, new: str
    ) -> None:
        self._host = host
        self._new = names.check_new_project(new)
        self._service = RenameService(engine, progress, old, new)
        container = self._service.container
        folder = Path(container.labels.get(names.WORKSPACE, ""))
        self._workspace = check_workspace(folder, allowed=folder)
        label = container.labels.get(names.FLAGS, "{}")
        self._flags = Flags.from_label(label, container.environment)
        self._is_written = self._id_of_folder() == new
        if not self._is_written:
            set_value(self._workspace, "project", new, dry_run=True)

    def run(self) -> ProjectResult:
        """The project under its new id. Raises what removing and creating raise."""
        return self._service.run(self, self._write_id)

    def up(self, project: str) -> ProjectResult:
        """In the same folder, with the same flags."""
        flags, folder = replace(self._flags, project=project), str(self._workspace)
        return self._host.up(folder, flags, wait=False, allow_workspace=folder)

    def stop(self, project: str) -> ProjectResult:
        """The result is the project's."""
        (result,) = self._host.stop(project).items
        return result

    def remove(self, project: str) -> None:
        """Its volumes, data included, are not in question."""
        self._host.remove(project, data=True, if_exists=True)

    def _write_id(self) -> None:
        if not self._is_written:
            set_value(self._workspace, "project", self._new)

    def _id_of_folder(self) -> str:
        """What ``up`` there takes, whatever a variable says."""
        settings = load_settings(self._workspace, Flags(), {})
        return settings.project or default_project(self._workspace)
