#!/usr/bin/env python3
"""Writes the reference pages and the man page from the program itself.

    .venv/bin/python docs/reference.py [FOLDER]

FOLDER gets ``docs/reference/*.md`` and ``man/debughost.1``; without it, the repository. They are
committed, so that they can be read on a code host and a package is built without running the
program; a test compares them with the program.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import typer.main
from typer.core import TyperGroup

from debughost_cli import names
from debughost_cli.cli.app import make_app
from debughost_cli.cli.commands import ALIASES, Program
from debughost_cli.cli.epilog import EXAMPLES
from debughost_cli.cli.options import COMMON
from debughost_cli.errors import ExitCode
from debughost_cli.project.settings import SETTINGS, Settings
from debughost_cli.render.schema import DATA, LINES, command_schema, errors_table

ROOT = Path(__file__).resolve().parents[1]
HOME = "https://github.com/debughost/debughost"
WRITTEN = "<!-- Written by docs/reference.py from the program; do not edit. -->\n\n"

EXITS: Mapping[ExitCode, str] = {
    ExitCode.OK: "done, or already so",
    ExitCode.INTERNAL: "a defect, or an engine answer that is not understood",
    ExitCode.USAGE: "bad use or bad input",
    ExitCode.NOT_FOUND: "not found",
    ExitCode.ENGINE: "the engine cannot be used",
    ExitCode.CONFLICT: "conflict",
    ExitCode.TIMEOUT: "timed out waiting",
    ExitCode.PROJECT_FAILED: "the project itself failed",
    ExitCode.PARTIAL: "some of several failed",
    ExitCode.NO_SPACE: "no disk space",
    ExitCode.SIGINT: "interrupted by SIGINT",
    ExitCode.SIGTERM: "interrupted by SIGTERM",
}
VARIABLES: Mapping[str, str] = {
    "DEBUGHOST_OUTPUT": "`json` is `--json` for every command; `text` is the default.",
    "DEBUGHOST_PROGRESS": "`auto`, `plain`, `json` or `none`, as `--progress`.",
    "DEBUGHOST_HOST": "The engine's address, as `--host`.",
    "DEBUGHOST_CONTEXT": "A Docker context, as `--context`.",
    "DEBUGHOST_WORKSPACE": "The project's folder, as `--workspace`.",
    "DEBUGHOST_NAME": "The setting `NAME` of the configuration, such as `DEBUGHOST_PORT`.",
    "DOCKER_HOST": "The engine's address, where no option or variable of debughost names one.",
    "DOCKER_CONTEXT": "A Docker context, where nothing before it names an engine.",
    "DOCKER_CONFIG": "The folder of Docker's own configuration and contexts (`~/.docker`).",
    "NO_COLOR": "Where it is set, no colour.",
    "FORCE_COLOR": "Where it is set, and not to 0, colour also when not on a terminal.",
    "XDG_CONFIG_HOME": "The folder above your own `debughost/config.toml` (`~/.config`).",
    "XDG_STATE_HOME": "The folder above the lock files (`~/.local/state`).",
}
"""What the program reads. A test finds the names in the source."""
FILES: Mapping[str, str] = {
    "debughost.toml": "The configuration of the project in a folder.",
    "pyproject.toml": "The same in its table `tool.debughost`, where there is no debughost.toml.",
    "debughost.workspace.toml": "The members of the group of projects below a folder.",
    "~/.config/debughost/config.toml": "Your own settings, for all projects.",
}


def main() -> None:
    """Writes every page."""
    top = Path(sys.argv[1]) if sys.argv[1:] else ROOT
    pages = {
        "commands": "".join(commands_page()),
        "settings": "".join(settings_page()),
        "errors": "".join(errors_page()),
        "json": "".join(json_page()),
        "engine": "".join(engine_page()),
    }
    folder = top / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text.rstrip() + "\n", "utf-8")
    (top / "man").mkdir(exist_ok=True)
    (top / "man" / "debughost.1").write_text(man_page(pages["commands"]), "utf-8")


def man_page(text: str) -> str:
    """What Sphinx makes of the page of commands, without the time at which it was made."""
    with tempfile.TemporaryDirectory() as made:
        source, out = Path(made, "docs"), Path(made, "man")
        (source / "reference").mkdir(parents=True)
        (source / "index.md").write_text("# debughost\n\n## All\n\n- [c](reference/commands.md)\n")
        (source / "reference" / "commands.md").write_text(text, "utf-8")
        command = [sys.executable, "-m", "sphinx", "-qW", "-b", "man", "-c", str(ROOT / "docs")]
        command += [str(source), str(out)]
        subprocess.run(command, check=True)  # noqa: S603 - our own words
        made_page = (out / "debughost.1").read_text("utf-8")
    # A paragraph needs no space after a heading; mandoc says so.
    return re.sub(r"^(\.S[HS] .*\n)\.sp\n", r"\1", made_page, flags=re.MULTILINE)


def commands_page() -> Iterator[str]:
    """Every command with its arguments and options, in the words of ``--help``."""
    root = cast("Program", typer.main.get_command(make_app()))
    yield f"{WRITTEN}# Command line\n\n"
    yield f"## Synopsis\n\n{_usage(root, 'debughost')}\n"
    yield f"## Description\n\n{root.help}\n\n"
    yield "`debughost guide` is one page for a start, `debughost help COMMAND` what is below.\n\n"
    common = {p.name: p for p in root.params if p.name in COMMON}
    yield "## Options of every command\n\nAfter the command's name or before it.\n\n"
    yield from map(_option, common.values())
    yield "`--help`, `-h`\n: Show this message and exit.\n\n"
    yield "`--version`\n: Show the version.\n\n"
    yield "## Commands\n\n"
    for name in root.commands:
        yield from _command(root.load(name), f"debughost {name}")
    yield "## Aliases\n\n"
    yield from (f"`debughost {a}`\n: `debughost {name}`\n\n" for a, name in ALIASES.items())
    yield "`debughost help COMMAND`\n: `debughost COMMAND --help`\n\n"
    yield "## Exit codes\n\n"
    yield from (f"{int(code)}\n: {EXITS[code]}\n\n" for code in ExitCode)
    yield "`exec`, `run` and `shell` end with the command's own code; with 125, 126 and 127 as\n"
    yield "`docker exec` does where it cannot run.\n\n"
    yield "## Environment\n\n"
    yield from (f"`{name}`\n: {text}\n\n" for name, text in VARIABLES.items())
    yield "## Files\n\n"
    yield from (f"`{name}`\n: {text}\n\n" for name, text in FILES.items())
    yield f"## See also\n\ndocker(1), docker-compose(1), <{HOME}>\n"


def _usage(command: Any, path: str) -> str:
    context = typer.Context(command, info_name=path)
    pieces = " ".join(command.collect_usage_pieces(context))
    return f"```text\n{path} {pieces}\n```\n"


def _command(command: Any, path: str) -> Iterator[str]:
    yield f"### {path}\n\n{command.help.strip()}\n\n{_usage(command, path)}\n"
    for param in command.params:
        if param.param_type_name == "argument":
            yield f"`{param.metavar or param.name.upper()}`\n: {param.help}\n\n"
        elif param.name not in COMMON:
            yield _option(param)
    examples = EXAMPLES.get(path.removeprefix("debughost "), ())
    if examples:
        yield "Examples:\n\n```text\n" + "\n".join(examples) + "\n```\n\n"
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _command(child, f"{path} {name}")


def _option(param: Any) -> str:
    """A term and its definition; the options of ``--help`` in the same words."""
    value = f" {param.metavar or param.type.name.upper()}" if not param.is_flag else ""
    named = [f"`{name}{value}`" for name in sorted(param.opts, key=len, reverse=True)]
    named += [f"`{name}`" for name in param.secondary_opts]
    return f"{', '.join(named)}\n: {param.help}\n\n"


def settings_page() -> Iterator[str]:
    """Every setting, and every variable that the program reads."""
    yield f"{WRITTEN}# Settings and variables\n\n"
    yield "## Settings\n\nIn `debughost.toml`, or in `[tool.debughost]` of `pyproject.toml`.\n"
    yield "`debughost config show` prints those in force, each with where it came from. Variables\n"
    yield "and options of `up` take precedence over the file, the options over the variables.\n\n"
    yield "| setting | example | what it is | variable |\n| --- | --- | --- | --- |\n"
    for name, setting in SETTINGS.items():
        variable = f"`DEBUGHOST_{name.upper()}`" if name != "env" else ""
        about = setting.help + (" (in your own file alone)" if setting.user_only else "")
        yield f"| `{name}` | `{_cell(setting.example)}` | {_cell(about)} | {variable} |\n"
    usual = Settings()
    yield f"\nWhere nothing is set, a container has {usual.cpus:g} CPUs, {usual.memory >> 30} GiB\n"
    yield f"of memory and {usual.pids} processes. Its install may take {usual.install_timeout:g}\n"
    yield f"s; the program then has {usual.wait_timeout:g} s until it listens.\n"
    yield "\n## Variables that the program reads\n\n| variable | what it is |\n| --- | --- |\n"
    yield from (f"| `{name}` | {_cell(text)} |\n" for name, text in VARIABLES.items())


def errors_page() -> Iterator[str]:
    """Exit codes, and the codes in ``error.code``."""
    yield f"{WRITTEN}# Errors and exit codes\n\n## Exit codes\n\n"
    yield "| exit code | meaning | error codes |\n| --- | --- | --- |\n"
    table = errors_table()
    for code, meaning in EXITS.items():
        like = ExitCode.SIGINT if code == ExitCode.SIGTERM else code
        named = ", ".join(f"`{row['code']}`" for row in table if row["exit_code"] == like)
        yield f"| {int(code)} | {meaning} | {named} |\n"
    yield "\n`exec`, `run` and `shell` end with the command's own code.\n\n"
    yield "## Error codes\n\n*Retryable*: the same call may succeed later, unchanged.\n\n"
    yield "| code | exit code | retryable | meaning |\n| --- | --- | --- | --- |\n"
    for row in table:
        retryable = "yes" if row["retryable"] else "no"
        meaning = row["meaning"].replace("``", "`")
        yield f"| `{row['code']}` | {row['exit_code']} | {retryable} | {_cell(meaning)} |\n"


def json_page() -> Iterator[str]:
    """The fields of each object that is printed, from the schemas."""
    yield f"{WRITTEN}# Fields of the JSON\n\n"
    yield "`debughost schema COMMAND` prints the same as JSON Schema. What may change is in\n"
    yield "[the JSON output and its versions](../json.md).\n\n## Every document\n\n"
    schemas = {command: command_schema(command) for command in DATA}
    envelope = schemas["stop"]["properties"] | {"command": {"type": "string"}, "data": {}}
    yield from _fields({"properties": envelope})
    yield "\n## `data` of each command\n\n"
    yield "| command | `data` | lines before it |\n| --- | --- | --- |\n"
    for command, shape in DATA.items():
        line = ", ".join(_anchor(line.__name__) for line in LINES.get(command, ()))
        yield f"| `{command}` | {_anchor(shape.__name__)} | {line} |\n"
    yield "\n## Objects\n"
    shapes = {name: shape for s in schemas.values() for name, shape in s["$defs"].items()}
    for name, shape in sorted(shapes.items()):
        if "properties" in shape or "enum" in shape:
            about = inspect.cleandoc(shape.get("description", "")).replace("``", "`")
            yield f"\n### {name}\n\n{about}\n\n" if about else f"\n### {name}\n\n"
            yield from _fields(shape)


def _fields(shape: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in shape:
        yield ", ".join(f"`{value}`" for value in shape["enum"]) + "\n"
        return
    if not shape["properties"]:
        yield "No fields.\n"
        return
    yield "| field | type |\n| --- | --- |\n"
    for name, value in shape["properties"].items():
        yield f"| `{name}` | {_type(value)} |\n"


def _type(value: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(map(_type, value["anyOf"])))
    if "$ref" in value:
        return _anchor(value["$ref"].rpartition("/")[2])
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " or ".join(f"`{v}`" for v in value["enum"])
    kind = value.get("type", "any value")
    if kind == "array" and value.get("items"):
        return f"list of {_type(value['items'])}"
    if kind == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"table of {_type(value['additionalProperties'])}"
    words = {"object": "table", "array": "list", "boolean": "true or false"}
    return f"{words.get(kind, kind)}{' (RFC 3339)' if value.get('format') == 'date-time' else ''}"


def _anchor(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def engine_page() -> Iterator[str]:
    """Labels, names, variables and mounts."""
    yield f"{WRITTEN}# What is on the engine\n\n## Labels\n\n"
    yield "Containers, volumes, networks and images carry these labels; there is no database.\n"
    yield "A label without a description holds what its name says.\n\n"
    yield "| label | what it holds |\n| --- | --- |\n"
    yield from (f"| `{label}` | {_cell(text)} |\n" for label, text in labels().items())
    yield "\n## Names\n\n| thing | name |\n| --- | --- |\n"
    yield f"| network | `{names.NETWORK}`, subnet `{names.SUBNET}`, gateway `{names.GATEWAY}` |\n"
    stamp = "debug-host-PROJECT-YYYYMMDDTHHMMSSmmmZ"
    rows = {
        "container": stamp,
        "container of a service": stamp.replace("PROJECT", "PROJECT-SERVICE"),
        "network of an isolated project, or of one with services": names.network_name("PROJECT"),
        "package cache": names.cache_name("PROJECT"),
        "home of its user": names.home_name("PROJECT"),
        "data of a service": names.service_data_name("PROJECT", "SERVICE"),
        "password of a service": names.service_secret_name("PROJECT", "SERVICE"),
        "chosen port of a project without a container": names.port_note_name("PROJECT"),
    }
    yield from (f"| {thing} | `{name}` |\n" for thing, name in rows.items())
    yield f"| aliases on the network | {', '.join(f'`{a}`' for a in names.aliases('PROJECT'))} |\n"
    yield "\n## By type\n\n| type | ports | dependency volume | mounted at |\n"
    yield "| --- | --- | --- | --- |\n"
    for type_, ports in names.PORT_RANGES.items():
        volume, target = names.volume_name("PROJECT", type_), names.volume_target(type_)
        mounted = f"`{volume}` | `{target}`" if volume else "none | "
        yield f"| `{type_}` | {ports[0]}-{ports[-1]} | {mounted} |\n"
    yield f"\nThe workspace is mounted at `{names.WORKDIR}`.\n\n## Variables in the container\n\n"
    yield "`PORT` is the port to listen on, `PROJECT_ID` the project's id, `DEBUG_HOST` is\n"
    yield "`true`; then come those of [services](../services.md) and of [groups](../groups.md),\n"
    yield "and your own.\n"


def labels() -> dict[str, str]:
    """Each label in ``names.py`` with the text under it, which code comments call its docstring."""
    body = ast.parse(inspect.getsource(names)).body
    found = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        value = node.value if isinstance(node, ast.Assign) else None
        if isinstance(value, ast.Constant) and str(value.value).startswith("debug-host."):
            text = after.value if isinstance(after, ast.Expr) else None
            described = isinstance(text, ast.Constant)
            found[str(value.value)] = _sentence(str(text.value)) if described else ""  # type: ignore[union-attr]
    return found


def _sentence(text: str) -> str:
    return " ".join(textwrap.dedent(text).split()).replace("``", "`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
