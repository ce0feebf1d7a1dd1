"""The table that completion reads, made from the commands as Typer knows them.

``scripts/completions`` writes it. What an option or argument may be is read from its metavar:
``missing|always|never`` are words, and the others are in ``_SOURCES``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from debughost_cli.cli.app import make_app
from debughost_cli.cli.commands import ALIASES, Program
from debughost_cli.cli.options import COMMON
from debughost_cli.completion.line import CommandEntry, OptionEntry, SettingEntry, Table
from debughost_cli.models import ProjectType
from debughost_cli.project import parsers
from debughost_cli.project.settings import SETTINGS, Setting
from debughost_cli.render.schema import DATA

_SOURCES: dict[str, list[str]] = {
    "--context": ["@contexts"],
    "--engine": ["@engines"],
    "--to": ["@engines"],
    "--service": ["@services"],
    "--workdir": [],
    "ID": ["@projects any"],
    "ENGINE": ["@contexts"],
    "DIR": ["@folders"],
    "F": ["@files"],
    "FILE": ["@files"],
    "CMD": ["@files"],
    "KEY": ["@settings"],
    "VALUE": ["@values"],
    "COMMAND": list(dict.fromkeys(name.partition(" ")[0] for name in DATA)),
}
"""By the first name of an option, else by metavar; see ``debughost_cli.completion.answer``."""
FREE = frozenset(
    [
        "CIDR",
        "CURSOR",
        "K=V",
        "N",
        "NEW",
        "PATH",
        "N+",
        "REF",
        "REGEX",
        "S",
        "SIZE",
        "TIME",
        "URL",
        "USER",
        "VERSION",
        "[NAME=]N[:M]",
    ]
)
"""Metavars of what nobody can guess."""
_IDS = {
    "debug-config": "running",
    "exec": "running",
    "open": "running",
    "shell": "running",
    "start": "stopped",
    "stop": "running",
    "volumes prune": "volumes",
}
"""Which projects a command is for, where not for any."""


def completion_table() -> Table:
    """What ``table.json`` holds."""
    root = typer.main.get_command(make_app())
    assert isinstance(root, Program)
    common = [_option(p, "") for p in _options(root) if p.name in COMMON]
    commands: dict[str, CommandEntry] = {"": _entry(root, "")}
    for name in root.commands:
        commands |= dict(_entries(root.load(name), name))
    for alias, name in ALIASES.items():
        commands[alias] = {"alias": name, "help": f"As {name}."}
    commands["help"] = {"alias": "", "help": "Show the help of a command."}
    usual = {n: _setting(s) for n, s in SETTINGS.items() if not s.user_only and n not in _TABLES}
    settings = usual | {n: _setting() for n in _KEYS}
    return {"common": [*common, _HELP], "commands": commands, "settings": settings}


_HELP: OptionEntry = {
    "names": ["--help", "-h"],
    "help": "Show this message and exit.",
    "value": None,
    "repeatable": False,
}
_TABLES = ("env", "hooks", "ports", "services")
_KEYS = ("env.", "hooks.after_install", "hooks.before_start", "ports.", "services.")
"""What of a table can be set by itself; a dot is followed by a name of the user's."""


def _entries(node: TyperCommand | TyperGroup, path: str) -> Iterator[tuple[str, CommandEntry]]:
    yield path, _entry(node, path)
    for name, inner in node.commands.items() if isinstance(node, TyperGroup) else ():
        assert isinstance(inner, TyperCommand | TyperGroup)
        yield from _entries(inner, f"{path} {name}")


def _entry(node: TyperCommand | TyperGroup, path: str) -> CommandEntry:
    arguments = [p for p in node.params if isinstance(p, TyperArgument)]
    own = [p for p in _options(node) if not p.hidden and p.name not in COMMON]
    return {
        "help": (node.help or "").partition("\n\n")[0].replace("\n", " "),
        "options": [_option(p, path) for p in own],
        "arguments": [_sources(p, path) for p in arguments],
        "repeats": any(p.nargs == -1 for p in arguments),
        "command_line": any(p.name == "command_" for p in arguments),
    }


def _options(node: TyperCommand | TyperGroup) -> list[TyperOption]:
    return [p for p in node.params if isinstance(p, TyperOption)]


def _option(param: TyperOption, path: str) -> OptionEntry:
    return {
        "names": [*param.opts, *param.secondary_opts],
        "help": param.help or "",
        "value": None if param.is_flag else _sources(param, path),
        "repeatable": bool(param.multiple),
    }


def _sources(param: TyperOption | TyperArgument, path: str) -> list[str]:
    metavar = param.metavar or ""
    if isinstance(param, TyperArgument):
        metavar = metavar.replace("...", "").strip("[]")
    key = param.opts[0] if param.opts[0] in _SOURCES else metavar
    if key == "ID" and path in _IDS:
        return [f"@projects {_IDS[path]}"]
    return _SOURCES[key] if key in _SOURCES else list(_words(metavar))


def _words(metavar: str) -> Iterator[str]:
    """``http[=PATH]|log=REGEX``: http, http= and log=."""
    if metavar in FREE:
        return
    for word in metavar.split("|"):
        fixed, _, optional = word.partition("[")
        if re.fullmatch(r"[a-z][a-z-]*=?[A-Z]*", fixed):
            yield fixed.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            if optional.startswith("="):
                yield f"{fixed}="
        elif word not in FREE:
            raise ValueError(f"add {metavar!r} to _SOURCES or FREE in {__name__}")


def _setting(setting: Setting | None = None) -> SettingEntry:
    values: dict[object, list[str]] = {
        parsers.parse_bool: ["true", "false"],
        parsers.parse_type: [t.value for t in ProjectType],
        parsers.parse_restart: ["no", "always", "unless-stopped", "on-failure"],
        parsers.parse_port: ["auto", "false"],
    }
    if setting is None:
        return {"help": "", "values": []}
    return {"help": setting.help, "values": values.get(setting.parse, [])}


def to_text(value: object, indent: str = "") -> str:
    """As JSON: what fits into a line is in one, so that changes can be read."""
    line = json.dumps(value)
    if len(line) + len(indent) < 90 or not isinstance(value, dict | list):
        return line
    inner = f"{indent} "
    if isinstance(value, dict):
        parts = [f"{json.dumps(k)}: {to_text(v, inner)}" for k, v in value.items()]
    else:
        parts = [to_text(v, inner) for v in value]
    first, last = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return f"{first}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{last}"
