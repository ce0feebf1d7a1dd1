"""``init --from-compose``: a configuration file from a compose file."""

from __future__ import annotations

from pathlib import Path

from debughost_cli.errors import InvalidConfig
from debughost_cli.models import ProjectType
from debughost_cli.project.compose import translate
from debughost_cli.project.detect.services import COMPOSE_FILES
from debughost_cli.project.reader import Folder
from debughost_cli.project.translation import Translation
from debughost_cli.project.yaml_file import parse_yaml
from debughost_cli.services.translated_file import (
    ImportedFile,
    read_named,
    read_text,
    translated,
    write_translation,
)


def import_compose(
    workspace: Path, file: Path | None, type_: ProjectType | None = None
) -> ImportedFile:
    """``file``: one that the user named; None for the workspace's own.

    Raises InvalidConfig where it cannot be read or is none, and what ``write_config`` raises.
    """
    folder = Folder(workspace)
    name = str(file) if file else folder.first(*COMPOSE_FILES)
    if name is None:
        raise InvalidConfig(
            f"there is no compose file in {workspace}",
            hint=f"Name one: debughost init --from-compose FILE; looked for {COMPOSE_FILES[0]} "
            "and its other names",
        )

    def read() -> Translation:
        text = read_named(file) if file else read_text(workspace, name)
        return translate(parse_yaml(text), folder.has)

    found = translated(name, "compose file", read)
    return write_translation(workspace, name, found, type_)
