"""From a workspace and its configuration to what ``up`` brings about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli import names
from debughost_cli.errors import (
    DebughostError,
    InvalidConfig,
    InvalidProject,
    InvalidWorkspace,
    TypeUnknown,
    Usage,
)
from debughost_cli.models import Dependencies, Detection, ProjectType
from debughost_cli.project.certificates import CaBundle, ca_bundle_of
from debughost_cli.project.configuration import file_environment, load_settings
from debughost_cli.project.debuggers import XDEBUG, can_debug, debug_port, with_debug_port
from debughost_cli.project.detect import detect
from debughost_cli.project.detect.pins import Pin, find_pins
from debughost_cli.project.reader import Folder
from debughost_cli.project.settings import Flags, Settings, Source
from debughost_cli.project.workspace import FolderIdentity, check_workspace, identity_of
from debughost_cli.project.worktree import Worktree, find_worktree
from debughost_cli.resources import Container
from debughost_cli.specs import PortRequest


class ResolvedProject(Struct, frozen=True):
    """A project as its user wants it, before anything is read from an engine."""

    project: str
    workspace: Path
    folder: FolderIdentity
    settings: Settings
    detection: Detection
    environment: Mapping[str, str]
    ca_bundle: CaBundle | None
    flags: Flags
    pins: tuple[Pin, ...] = ()
    """The versions that the workspace asks for."""
    worktree: Worktree | None = None
    """Where its repository is, if that is elsewhere."""

    @property
    def type(self) -> ProjectType:
        return self.detection.type

    @property
    def command(self) -> tuple[str, ...]:
        """The command that the user gave; empty where the detected one is used."""
        return self.settings.command or ()

    @property
    def listens(self) -> bool:
        """Whether the program has a port; a worker or a bot has none."""
        if self.settings.source("port") or self.command:
            return self.settings.fixed_port != 0
        return self.detection.listens

    @property
    def ports(self) -> Mapping[str, PortRequest]:
        """What is published besides the project's own port, by name."""
        ports, own = self.settings.ports, self.settings.fixed_port or 0
        return with_debug_port(self.type, ports, own) if self.settings.debug else ports

    @property
    def debug_port(self) -> int:
        """Where its debugger listens, or connects to; 0 where it is to have none."""
        return debug_port(self.type, self.ports) if self.settings.debug else 0

    @property
    def packages(self) -> tuple[str, ...]:
        """The Debian packages to add to its image; an image of the user's own has its debugger."""
        own = self.settings.packages
        needs_xdebug = self.debug_port and self.type is ProjectType.PHP and not self.settings.image
        return (*own, XDEBUG) if needs_xdebug and XDEBUG not in own else own

    @property
    def dependencies(self) -> Dependencies | None:
        """What is to be installed, None where there is nothing or the user does not want it."""
        return self.detection.dependencies if self.settings.dependencies else None

    @property
    def compilers(self) -> bool:
        """Whether the image is the one with compilers; the other types have nothing to compile."""
        wanted = self.settings.compilers
        is_compiled = self.type in (ProjectType.NODE, ProjectType.PYTHON)
        return is_compiled and (self.detection.compiles if wanted is None else wanted)

    @property
    def network(self) -> str:
        """The name of the network that the project joins."""
        return names.network_name(self.project) if self.settings.isolated else names.NETWORK

    @property
    def mountpoint(self) -> Path | None:
        """The folder of the workspace that the dependency volume covers.

        None where nothing is installed and the workspace has packages of its own: those are used.
        """
        found = names.DEPENDENCY_FOLDERS.get(self.type)
        if found is None:
            return None
        folder = found[1]
        # A virtual environment of the host has no interpreter in a container.
        is_portable = self.type is not ProjectType.PYTHON
        if is_portable and self.dependencies is None and Folder(self.workspace).subfolders(folder):
            return None
        return self.workspace / folder


def resolve_project(
    workspace: Path, flags: Flags, environ: Mapping[str, str], *, must_detect: bool = True
) -> ResolvedProject:
    """Reads the configuration and detects the rest. Raises what bad input raises.

    ``must_detect``: whether TypeUnknown is raised where nothing tells what the workspace is.
    """
    # First: what is read below is then of this folder, or of one that the launcher refuses.
    folder = identity_of(workspace)
    settings = load_settings(workspace, flags, environ)
    detection = _detect(workspace, settings, must_detect)
    if settings.debug and not can_debug(detection.type):
        raise _no_debugger(settings, detection.type)
    return ResolvedProject(
        project=settings.project or default_project(workspace),
        workspace=workspace,
        folder=folder,
        settings=settings,
        detection=detection,
        environment=file_environment(settings, workspace, environ) | dict(flags.environment),
        ca_bundle=ca_bundle_of(settings, workspace),
        flags=flags,
        pins=tuple(find_pins(Folder(workspace), detection.type)),
        worktree=find_worktree(workspace) if settings.git else None,
    )


def resolve_existing(
    container: Container, wait_timeout: float | None, environ: Mapping[str, str]
) -> ResolvedProject:
    """An existing project with today's configuration and the flags that it was made with.

    Raises InvalidWorkspace where its folder is gone.
    """
    folder = container.labels.get(names.WORKSPACE)
    if not folder:
        raise InvalidWorkspace(
            f"the container of {container.project} has no label with its workspace",
            hint=f"Recreate it: debughost up -p {container.project} --recreate -w DIR",
        )
    # What was allowed when the container was made does not have to be allowed again.
    workspace = check_workspace(Path(folder), allowed=Path(folder))
    kept = Flags.from_label(container.labels.get(names.FLAGS, "{}"), container.environment)
    flags = replace(kept, project=container.project, wait_timeout=wait_timeout)
    return resolve_project(workspace, flags, environ)


def default_project(workspace: Path) -> str:
    """The folder's name made into an id. Raises InvalidProject where nothing is left of it."""
    made = names.project_id_from(workspace.name)
    if made:
        return made
    raise InvalidProject(
        f"the folder's name {workspace.name!r} gives no project id", hint="Name one with --project"
    )


def _no_debugger(settings: Settings, type_: ProjectType) -> DebughostError:
    kind = Usage if settings.source("debug") is Source.FLAG else InvalidConfig
    return kind(
        f"there is no debugger for a {type_} project",
        hint="Leave 'debug' out, or give the type with --type: node, python or php",
        details={"setting": "debug"},
    )


def _detect(workspace: Path, settings: Settings, must_detect: bool) -> Detection:
    """Where an image and a command are given, nothing has to be recognised."""
    try:
        return detect(workspace, settings.type)
    except TypeUnknown:
        if settings.image and settings.command:
            return Detection(ProjectType.STATIC, (), "given image and command", ())
        if must_detect:
            raise
        return Detection(ProjectType.STATIC, (), "", ())
