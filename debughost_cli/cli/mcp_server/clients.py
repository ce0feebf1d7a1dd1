"""Where each client keeps its MCP servers, and what ours is there."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from debughost_cli.cli.mcp_server.json_text import with_member
from debughost_cli.errors import InvalidConfig, InvalidWorkspace
from debughost_cli.project.config_edit import with_value
from debughost_cli.whole_file import replace_file

NAME = "debughost"
_MOST_BYTES = 4 * 1024 * 1024


class Client(Struct, frozen=True):
    """A client. ``file`` is relative to the project's folder, or absolute.

    ``key``: the table of the servers. ``extra``: what an entry has besides its command.
    """

    file: Path
    key: str
    extra: Mapping[str, str] = {}

    @property
    def is_toml(self) -> bool:
        """Else JSON, perhaps with comments."""
        return self.file.suffix == ".toml"

    def entry(self) -> dict[str, object]:
        """What starts the server."""
        command, *args = _command()
        return {**self.extra, "command": command, "args": args}

    def edited(self, text: str) -> str:
        """A file's text with the entry; the same where it has it. Raises ValueError."""
        if not self.is_toml:
            return with_member(text, (self.key, NAME), self.entry())
        for name, value in self.entry().items():
            text = with_value(text, (self.key, NAME, name), value)
        return text

    def snippet(self) -> str:
        """The entry alone, as a file of its own."""
        return self.edited("")


def clients(environ: Mapping[str, str]) -> dict[str, Client]:
    """Each client by name. Codex reads the file of its user in every project."""
    codex = Path(environ.get("CODEX_HOME") or Path.home() / ".codex")
    return {
        "claude": Client(Path(".mcp.json"), "mcpServers", {"type": "stdio"}),
        "cursor": Client(Path(".cursor/mcp.json"), "mcpServers"),
        # Without a folder it starts servers in the home folder.
        "vscode": Client(
            Path(".vscode/mcp.json"), "servers", {"type": "stdio", "cwd": "${workspaceFolder}"}
        ),
        "codex": Client(codex / "config.toml", "mcp_servers"),
    }


def install(client: Client, folder: Path) -> tuple[Path, bool]:
    """Writes the entry; returns the file, and whether it was changed.

    Raises InvalidConfig for a file that cannot be read, InvalidWorkspace where none can be written.
    """
    file = folder / client.file
    try:
        if not (client.file.is_absolute() or file.resolve().is_relative_to(folder.resolve())):
            raise ValueError("a link leads out of the project")
        before = _read(file)
        after = client.edited(before)
    except (OSError, ValueError, RecursionError) as exc:
        raise InvalidConfig(
            f"{file} cannot be edited: {_first_line(exc)}",
            hint="Fix it, or print the entry with --print and add it by hand",
            details={"file": str(file)},
        ) from None
    if after != before:
        _write(file, after)
    return file, after != before


def _command() -> list[str]:
    """By name where a shell finds it: a project's file is shared with others."""
    found = shutil.which("debughost")
    return ["debughost", "mcp"] if found else [sys.executable, "-m", "debughost_cli", "mcp"]


def _read(file: Path) -> str:
    if not file.exists():
        return ""
    if not file.is_file():
        raise ValueError("it is no file")
    with file.open(encoding="utf-8-sig", newline="") as stream:
        text = stream.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise ValueError("it is too large")
    return text


def _first_line(exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"{exc.msg}, line {exc.lineno}"
    return str(exc).partition("\n")[0]


def _write(file: Path, text: str) -> None:
    """Replaces what the path leads to, a link's target too."""
    try:
        target = file.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        replace_file(target, text, mode)
    except OSError as exc:
        raise InvalidWorkspace(
            f"{file} cannot be written: {exc.strerror or exc}",
            hint="Print the entry with --print and add it by hand",
            details={"file": str(file)},
        ) from None
