"""The arguments of a tool: made of the options of the command, which Typer reads as well."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from typer.models import ParameterInfo

from debughost_cli.cli.options import common_parameters, takes_ids
from debughost_cli.errors import Usage
from debughost_cli.project.config_edit import to_toml

_TYPES: Mapping[str, object] = {
    "S": float,
    "N": float,
    "SIZE": int | str,
    "VALUE": str | bool | float | list[str] | dict[str, str],
}
"""What the words for values of options stand for."""
_CHOICE = re.compile(r"[a-z-]+(\|[a-z-]+)+")
"""An option that can be one of these words; with an N among them, also a number."""
_PROJECTS = str | list[str]
_GROUP = "The projects of the group of the folder, instead of 'project'."
WORKSPACE = "workspace"
ENGINE = "engine"
_WORKSPACE_HELP = "The project's folder; without it, that of the server or of its client."


class Argument(Struct, frozen=True):
    """One argument: its name, that of the command's parameter, and what JSON may hold there."""

    name: str
    parameter: str
    type: object
    help: str
    default: object
    is_option: bool = True
    """Of the command; else of the tool alone, which takes it as it is."""


class Arguments:
    """All arguments of one tool.

    ``without``: parameters of the command that are for people at a terminal, or that only a person
    may decide on. ``extra``: arguments of the tool alone.
    """

    def __init__(
        self,
        tool: str,
        function: Callable[..., object],
        without: tuple[str, ...],
        extra: tuple[Argument, ...],
        *,
        with_workspace: bool,
        with_engine: bool,
    ) -> None:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        made = [_argument(p) for p in own if p.name not in without]
        if takes_ids(own):
            made.append(Argument("group", "group", bool, _GROUP, default=False))
        if with_workspace:
            made.append(Argument(WORKSPACE, WORKSPACE, str, _WORKSPACE_HELP, default=None))
        if with_engine:
            made += [_argument(p) for p in common_parameters() if p.name == ENGINE]
        self._tool = tool
        self._all = {a.name: a for a in (*made, *extra)}
        self._struct = msgspec.defstruct(
            "Arguments", [_field(a) for a in self._all.values()], kw_only=True,
            forbid_unknown_fields=True,
        )  # fmt: skip

    def __iter__(self) -> Iterator[Argument]:
        return iter(self._all.values())

    def schema(self) -> dict[str, object]:
        """The JSON Schema of the object that a call gives."""
        _, definitions = msgspec.json.schema_components([self._struct])
        return {k: v for k, v in definitions["Arguments"].items() if k != "title"}

    def convert(self, given: Mapping[str, object] | None) -> dict[str, object]:
        """The values for the command's parameters, where some were given. Raises Usage.

        As many clients do, null stands for what is not given.
        """
        present = {k: v for k, v in (given or {}).items() if v is not None}
        try:
            values = msgspec.convert(present, self._struct, strict=False)
        except msgspec.ValidationError as exc:
            raise Usage(
                f"the arguments of {self._tool} are wrong: {exc}",
                hint=f"It takes: {', '.join(self._all) or 'none'}",
                details={"arguments": list(self._all)},
            ) from None
        return {
            a.parameter: _as_option(a, getattr(values, a.name))
            for a in self._all.values()
            if getattr(values, a.name) is not UNSET
        }


def _argument(parameter: inspect.Parameter) -> Argument:
    base, info = _parts(parameter.annotation)
    metavar = (info.metavar or "").strip("[]")
    kind = _json_type(parameter.name, base, metavar)
    text = "Variables: names and values." if parameter.name == "env" else info.help or ""
    if "|" in metavar and not _CHOICE.fullmatch(metavar):
        text += f" One of {metavar.replace('|', ', ')}"
    is_required = parameter.default is inspect.Parameter.empty
    default = ... if is_required else parameter.default
    if kind is float and isinstance(default, str):
        default = float(default)
    return Argument(parameter.name.strip("_"), parameter.name, kind, text, default)


def _parts(annotation: object) -> tuple[object, ParameterInfo]:
    """The type without None, and what Typer knows of the option."""
    base, info = get_args(annotation)[:2]
    choices = [t for t in get_args(base) if t is not type(None)]
    return (choices[0] if isinstance(base, UnionType) else base), info


def _json_type(name: str, base: object, metavar: str) -> object:
    if name == "env":
        return dict[str, str]
    if name == "project" and base == list[str]:
        return _PROJECTS
    if base is str:
        if _CHOICE.fullmatch(metavar):
            return Literal[*metavar.split("|")]
        return _TYPES.get(metavar, int | str if "N|" in metavar else str)
    if base is Path:
        return str
    return base


def _field(argument: Argument) -> tuple[str, object, object] | tuple[str, object]:
    shown = argument.default
    extra = {"default": shown} if shown not in (None, False, "", ...) else None
    meta = Meta(description=argument.help, extra_json_schema=extra)
    if argument.default is ...:
        return argument.name, Annotated[argument.type, meta]
    return argument.name, Annotated[argument.type, meta] | UnsetType, UNSET


def _as_option(argument: Argument, value: object) -> object:
    """As the command line gives it: numbers as text, one project as a list."""
    if isinstance(value, str):
        return [value] if argument.type == _PROJECTS else value
    if isinstance(value, dict) and argument.parameter == "env":
        return [f"{name}={text}" for name, text in value.items()]
    if argument.type in (bool, list[str], _PROJECTS) or not argument.is_option:
        return value
    return to_toml(int(value) if isinstance(value, float) and value.is_integer() else value)
