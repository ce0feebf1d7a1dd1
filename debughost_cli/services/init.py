"""``init``: a configuration file to start from."""

from __future__ import annotations

import json
import os
from pathlib import Path

from debughost_cli.errors import InvalidWorkspace, NameConflict
from debughost_cli.models import Detection
from debughost_cli.project.detect import detect
from debughost_cli.project.resolve import default_project
from debughost_cli.project.settings import CONFIG_FILE, DEFAULTS
from debughost_cli.project.workspace import owner


def write_config(workspace: Path) -> tuple[Path, str]:
    """The new file and its text; the workspace's owner alone may read it, for it may come to hold
    secrets. Raises NameConflict where there is one, TypeUnknown.
    """
    path = workspace / CONFIG_FILE
    text = _text(default_project(workspace), detect(workspace))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            if os.name == "posix" and os.geteuid() == 0:
                os.chown(descriptor, *owner(workspace))
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
    return path, text


def _text(project: str, found: Detection) -> str:
    command = json.dumps(list(found.command)).replace("{port}", "$PORT")
    return f"""\
# debughost: how this project runs in its container. Every line may be left out;
# flags and DEBUGHOST_* variables win over it.

project = {json.dumps(project)}
type = {json.dumps(found.type.value)}  # detected: {found.framework}

# The command, as a list of words or as a line for the shell. Detected:
# command = {command}

# port = 3000            # or "auto": one that stays with the project
# image = "node:24"      # any image that has a shell, in place of the base image
# cpus = {DEFAULTS["cpus"]:g}
# memory = "2g"          # no swap on top of it
# pids = {DEFAULTS["pids"]}
# restart = "no"         # always, unless-stopped, on-failure:3
# wait_timeout = {DEFAULTS["wait_timeout"]:g}
# dependencies = true    # install them before the start
# ca_bundle = "/etc/ssl/certs/ca-certificates.crt"
# env_file = ".env"

# [env]
# DEBUG = "1"
"""
