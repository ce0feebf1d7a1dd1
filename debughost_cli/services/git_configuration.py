"""The settings of git in a container: who its user is, and that every folder there is safe."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

from debughost_cli.project.variables import is_passable

_PATH = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/opt/local/bin"
"""Where git is looked for: PATH may begin with a folder of a workspace."""
_QUERY = ("config", "--global", "--includes", "--null", "--get-regexp", r"^user\.(name|email)$")
_VARIABLES = ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL")
_TIMEOUT = 2.0
"""Seconds."""


def git_configuration() -> bytes:
    """A file of system-wide settings, over which those of the container's user and of repositories
    win. Everything in a container runs as the same user, so every folder may be trusted.
    """
    lines = ["[include]", "path = /etc/gitconfig", "[safe]", "directory = *"]
    identity = _identity()
    if identity:
        lines += ["[user]", *(f"{name} = {_quoted(value)}" for name, value in identity.items())]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _identity() -> Mapping[str, str]:
    """``name`` and ``email`` of this machine's user, as far as git knows them.

    No file of a workspace is read: git runs in the root folder, and reads the user's own file.
    """
    git = shutil.which("git", path=_PATH)
    if git is None:
        return {}
    environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and nothing of a workspace
            (git, *_QUERY), cwd="/", env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=_TIMEOUT, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return {}
    entries = (e.partition("\n") for e in done.stdout.decode("utf-8", "replace").split("\0"))
    found = {key.removeprefix("user."): value for key, _, value in entries if value}
    return {k: v for k, v in found.items() if k in ("name", "email") and is_passable(v)}


def _quoted(value: str) -> str:
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{text}"'
