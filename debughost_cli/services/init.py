"""``init``: a configuration file to start from."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from debughost_cli.errors import InvalidWorkspace, NameConflict
from debughost_cli.models import Detection, ProjectType
from debughost_cli.project.configuration import CONFIG_FILE
from debughost_cli.project.detect import detect
from debughost_cli.project.detect.services import NeededService, find_services
from debughost_cli.project.reader import Folder
from debughost_cli.project.resolve import default_project
from debughost_cli.project.settings import SETTINGS, Setting
from debughost_cli.project.workspace import owner_of


def write_config(workspace: Path, type_: ProjectType | None = None) -> tuple[Path, str]:
    """The new file and its text; only the workspace's owner may read it, for secrets may be added.

    ``type_``: the project's type, where it is not to be detected.
    Raises NameConflict where the file exists, TypeUnknown, InvalidWorkspace.
    """
    needs = find_services(Folder(workspace))
    text = _text(default_project(workspace), detect(workspace, type_), needs)
    return write_new(workspace, text), text


def write_new(workspace: Path, text: str) -> Path:
    """A configuration file with that text. Raises NameConflict, InvalidWorkspace."""
    path = workspace / CONFIG_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            if os.name == "posix" and os.geteuid() == 0:
                os.chown(descriptor, *owner_of(workspace))
    except FileExistsError:
        raise NameConflict(
            f"{path} exists already",
            hint="Edit it; 'debughost config validate' checks it",
            details={"path": str(path)},
        ) from None
    except OSError as exc:
        raise InvalidWorkspace(
            f"{path} cannot be written: {exc.strerror or exc}",
            hint="The workspace must be writable for you",
        ) from None
    return path


def _text(project: str, found: Detection, needs: Sequence[NeededService]) -> str:
    command = json.dumps(list(found.command) or ["sh", "start.sh"]).replace("{port}", "$PORT")
    label = "Detected" if found.command else "For example"
    examples = "\n".join(
        _example(name, setting)
        for name, setting in SETTINGS.items()
        if not setting.user_only and name not in ("project", "type", "command", "services", "env")
    )
    return f"""\
# debughost: how this project runs in its container. Every line is optional;
# flags and DEBUGHOST_* variables take precedence.

project = {json.dumps(project)}
type = {json.dumps(found.type.value)}  # detected: {found.framework}

# The command, as a list of words or as a line for the shell. {label}:
# command = {command}

# Containers beside the program, with the variables to connect to them. {_services(needs)}

{examples}

# [env]
# DEBUG = "1"
"""


def _services(needs: Sequence[NeededService]) -> str:
    """It may well connect to something that runs elsewhere: nothing is started unasked."""
    images = json.dumps([need.image for need in needs] or ["postgres:17"])
    reasons = ", ".join(need.reason for need in needs)
    label = "It seems to need:" if needs else "For example:"
    return f"{label}\n# services = {images}" + (f"  # {reasons}" if needs else "")


def _example(name: str, setting: Setting) -> str:
    line = f"# {name} = {setting.example}"
    return f"{line:<23}  # {setting.help}" if setting.help else line
