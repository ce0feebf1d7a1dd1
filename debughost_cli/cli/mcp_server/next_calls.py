"""The command lines in ``next`` of a document, as calls of tools."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from debughost_cli.cli.mcp_server.tools import TOOLS, Tool

if TYPE_CHECKING:
    from debughost_cli.cli.commands import Program

_TOOLS = {tool.command: tool for tool in TOOLS.values()}


def next_calls(lines: Iterable[str]) -> list[dict[str, object]]:
    """Tools with their arguments, in that order.

    A line is left out where it says more than a tool can be given, such as a variable without the
    value that it has in somebody's environment.
    """
    calls = [_call(shlex.split(line)[1:]) for line in lines]
    return [call for call in calls if call is not None]


def _call(words: list[str]) -> dict[str, object] | None:
    command = _program().load(words[0])
    is_group = isinstance(command, TyperGroup)
    path, rest = " ".join(words[: 1 + is_group]), words[1 + is_group :]
    tool = _TOOLS.get(path)
    if tool is None:
        return None
    leaf = command.commands[words[1]] if isinstance(command, TyperGroup) else command
    context = leaf.make_context(path, rest, resilient_parsing=True)
    given = {
        name: value
        for name, value in context.params.items()
        if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    }
    arguments = _arguments(tool, given)
    return None if arguments is None else {"tool": tool.name, "arguments": arguments}


def _arguments(tool: Tool, given: Mapping[str, object]) -> dict[str, object] | None:
    """As JSON; None where the tool has no such argument."""
    known = {a.parameter: a for a in tool.arguments}
    found: dict[str, object] = {}
    for name, value in given.items():
        if name == "json_":
            continue
        if name not in known or name == "env":
            return None
        found[known[name].name] = _plain(value, is_number=known[name].type is float)
    return found


def _plain(value: object, *, is_number: bool) -> object:
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    if isinstance(value, bool):
        return value
    return float(str(value)) if is_number else str(value)


@cache
def _program() -> Program:
    from debughost_cli.cli.app import make_app
    from debughost_cli.cli.commands import Program

    made = typer.main.get_command(make_app())
    assert isinstance(made, Program)
    return made
