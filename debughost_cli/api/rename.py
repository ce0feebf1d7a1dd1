"""``rename``, step by step, and back where one of them fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.engine.port import Engine
from debughost_cli.errors import Interrupted
from debughost_cli.models import Action
from debughost_cli.project.configuration import load_settings
from debughost_cli.project.resolve import default_project
from debughost_cli.project.settings import Flags
from debughost_cli.project.workspace import check_workspace
from debughost_cli.services.config_set import set_value
from debughost_cli.services.progress import PhaseKind, Progress
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
        self._service = RenameService(engine, progress)
        self._progress = progress
        self._old, self._new = old, names.check_new_project(new)
        self._container = self._service.check(old, new)
        folder = Path(self._container.labels.get(names.WORKSPACE, ""))
        self._workspace = check_workspace(folder, allowed=folder)
        label = self._container.labels.get(names.FLAGS, "{}")
        self._flags = Flags.from_label(label, self._container.environment)
        self._is_written = self._id_of_folder() == new
        if not self._is_written:
            set_value(self._workspace, "project", new, dry_run=True)

    def run(self) -> ProjectResult:
        """The project under its new id. Raises what removing and creating raise."""
        was_running = self._container.is_running
        try:
            self._host.remove(self._old)
            self._service.move_port(self._container, self._new)
            result = self._up(self._new)
            if not was_running:
                (result,) = self._host.stop(self._new).items
            if not self._is_written:
                set_value(self._workspace, "project", self._new)
        except (Exception, Interrupted):
            self._back(was_running)
            raise
        self._service.remove_packages(self._old)
        return replace(result, action=Action.RECREATED, executed=())

    def _up(self, project: str) -> ProjectResult:
        flags = replace(self._flags, project=project)
        folder = str(self._workspace)
        return self._host.up(folder, flags, wait=False, allow_workspace=folder)

    def _back(self, was_running: bool) -> None:
        self._progress.phase(PhaseKind.OTHER, f"Bringing up {self._old} again")
        self._host.remove(self._new, volumes=True, if_exists=True)
        self._service.remove_volumes(self._new)
        self._service.move_port(self._container, self._old)
        self._up(self._old)
        if not was_running:
            self._host.stop(self._old)

    def _id_of_folder(self) -> str:
        """What ``up`` there takes, whatever a variable says."""
        settings = load_settings(self._workspace, Flags(), {})
        return settings.project or default_project(self._workspace)
