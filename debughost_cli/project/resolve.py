"""From a workspace and its configuration to what ``up`` is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from debughost_cli import names
from debughost_cli.errors import InvalidProject, InvalidWorkspace, TypeUnknown, Usage
from debughost_cli.models import Dependencies, Detection, ProjectType
from debughost_cli.project.certificates import ca_bundle_of
from debughost_cli.project.detect import detect
from debughost_cli.project.settings import (
    SETTINGS,
    Config,
    file_environment,
    load_config,
    parse_command,
)
from debughost_cli.project.variables import BadValue
from debughost_cli.project.workspace import check_workspace
from debughost_cli.resources import Container


@dataclass(frozen=True)
class ResolvedProject:
    """A project as its user wants it, before the engine was asked anything."""

    project: str
    workspace: Path
    config: Config
    detection: Detection
    environment: Mapping[str, str]
    command: tuple[str, ...]
    ca_bundle: Path | None
    flags: Mapping[str, Any]
    """What the command line gave, JSON-ready; of variables the names alone, under ``env``."""

    @property
    def type(self) -> ProjectType:
        return self.detection.type

    @property
    def dependencies(self) -> Dependencies | None:
        """What is to be installed, None where there is nothing or nobody wants it."""
        return self.detection.dependencies if self.config.get("dependencies") else None

    @property
    def mountpoint(self) -> Path | None:
        """The folder of the workspace that the dependency volume covers."""
        folder = names.DEPENDENCY_FOLDERS.get(self.type)
        return self.workspace / folder[1] if folder else None


def resolve_project(
    workspace: Path,
    flags: Mapping[str, Any],
    variables: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
) -> ResolvedProject:
    """Reads the configuration and detects the rest. Raises what bad input raises.

    ``flags``: settings by name, as the command line gave them, None for those it did not.
    """
    config = load_config(workspace, flags)
    project = config.get("project") or default_project(workspace)
    given = _words(command) or config.get("command") or ()
    return ResolvedProject(
        project=project,
        workspace=workspace,
        config=config,
        detection=_detect(workspace, config, bool(given)),
        environment=file_environment(config, workspace) | dict(variables or {}),
        command=given,
        ca_bundle=ca_bundle_of(config, workspace),
        flags=_kept(flags, variables or {}, command),
    )


def _words(command: Sequence[str]) -> tuple[str, ...]:
    try:
        return parse_command(list(command)) if command else ()
    except BadValue as exc:
        raise Usage(f"the command {exc}", hint="For example: debughost up -- npm run dev") from None


def _kept(
    flags: Mapping[str, Any], variables: Mapping[str, str], command: Sequence[str]
) -> dict[str, Any]:
    kept = {
        k: v for k, v in flags.items() if v is not None and k not in ("project", "wait_timeout")
    }
    return kept | {"env": sorted(variables), "command": list(command)}


def resolve_existing(container: Container, wait_timeout: float | None) -> ResolvedProject:
    """An existing project with today's configuration and the flags that it was made with.

    Raises InvalidWorkspace where its folder is gone.
    """
    folder = container.labels.get(names.WORKSPACE)
    if not folder:
        raise InvalidWorkspace(
            f"the container of {container.project} does not say what its workspace is",
            hint=f"Make it anew: debughost up -p {container.project} --recreate -w DIR",
        )
    # What was let in when the container was made is not asked for again.
    workspace = check_workspace(Path(folder), allowed=Path(folder))
    kept = _kept_flags(container)
    have = container.environment
    variables = {k: have[k] for k in kept.pop("env") if k in have}
    command = kept.pop("command")
    flags = kept | {"project": container.project, "wait_timeout": wait_timeout}
    return resolve_project(workspace, flags, variables, command)


def _kept_flags(container: Container) -> dict[str, Any]:
    """The label that ``_kept`` wrote, with nothing in it that this version does not know."""
    try:
        kept = json.loads(container.labels.get(names.FLAGS, "{}"))
    except ValueError:
        kept = {}
    kept = kept if isinstance(kept, dict) else {}
    lists = {k: kept.get(k) for k in ("env", "command")}
    known = {k: v for k, v in kept.items() if k in SETTINGS}
    return known | {k: [str(i) for i in v] if isinstance(v, list) else [] for k, v in lists.items()}


def default_project(workspace: Path) -> str:
    """The folder's name made into an id. Raises InvalidProject where nothing is left of it."""
    made = names.project_id_from(workspace.name)
    if made:
        return made
    raise InvalidProject(
        f"the folder's name {workspace.name!r} gives no project id", hint="Name one with --project"
    )


def _detect(workspace: Path, config: Config, has_command: bool) -> Detection:
    """Where an image and a command are given, nothing has to be recognised."""
    try:
        return detect(workspace, config.get("type"))
    except TypeUnknown:
        if not (config.get("image") and has_command):
            raise
        return Detection(ProjectType.STATIC, (), "given image and command", ())
