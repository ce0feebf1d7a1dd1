"""``schema``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from debughost_cli.cli.options import COMMON, command
from debughost_cli.cli.output import Output
from debughost_cli.cli.session import Session
from debughost_cli.errors import Usage
from debughost_cli.render.json import pretty


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command("schema")(command(schema))


def schema(
    session: Session,
    name: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]...", help="Such as up, network ensure; progress: --progress json."
        ),
    ] = None,
    errors: Annotated[bool, typer.Option("--errors", help="The table of error codes.")] = False,
    commands: Annotated[bool, typer.Option("--commands", help="The tree of commands.")] = False,
) -> Output:
    """Print the JSON Schema of what a command, or each one of a group, prints with --json."""
    from debughost_cli.render.schema import (
        DATA,
        command_schema,
        commands_under,
        errors_table,
        progress_schema,
    )

    path = " ".join(name or [])
    if errors:
        data: dict[str, Any] = {"errors": errors_table()}
    elif commands:
        data = {"commands": _tree()}
    elif path == "progress":
        data = progress_schema()
    elif path in DATA:
        data = command_schema(path)
    else:
        found = commands_under(path)
        if not found:
            raise Usage(
                f"no schema for {path[:60]!r}", hint=f"There are: {', '.join(DATA)}, progress"
            )
        data = {"schemas": {c: command_schema(c) for c in found}}
    return Output(data=data, show=lambda: session.streams.out(pretty(data)))


def _tree() -> list[dict[str, Any]]:
    """Every command with its options, as Typer knows them."""
    from debughost_cli.cli.app import make_app
    from debughost_cli.cli.commands import Program

    root = typer.main.get_command(make_app())
    assert isinstance(root, Program)
    return [_describe(root.load(name), "") for name in root.commands]


def _describe(node: Any, before: str) -> dict[str, Any]:
    path = f"{before} {node.name}".strip()
    made: dict[str, Any] = {"command": path, "help": (node.help or "").strip()}
    if hasattr(node, "commands"):
        return made | {"commands": [_describe(c, path) for c in node.commands.values()]}
    own = [p for p in node.params if p.name not in COMMON]
    return made | {
        "arguments": [p.name for p in own if p.param_type_name == "argument"],
        "options": [_option(p) for p in own if p.param_type_name == "option"],
    }


def _option(param: Any) -> dict[str, Any]:
    return {
        "names": [*param.opts, *param.secondary_opts],
        "help": param.help or "",
        "takes_value": not param.is_flag,
        "repeatable": bool(param.multiple),
        "default": param.default if isinstance(param.default, str | bool | int) else None,
    }
