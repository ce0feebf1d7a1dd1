"""``init --from-compose``: a configuration file from a compose file, once; nothing follows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from debughost_cli.characters import message
from debughost_cli.errors import InvalidConfig, TypeUnknown
from debughost_cli.models import ProjectType
from debughost_cli.project.beneath import UnusableFile, read_beneath, read_path
from debughost_cli.project.compose import Translation, translate
from debughost_cli.project.detect import detect
from debughost_cli.project.detect.services import COMPOSE_FILES
from debughost_cli.project.reader import Folder, decode
from debughost_cli.project.resolve import default_project
from debughost_cli.project.yaml_file import parse_yaml
from debughost_cli.services.init import write_new

_LIMIT = 256 * 1024
"""Bytes of a compose file; PyYAML takes a second for that."""
_BARE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


class ImportedCompose(Struct, frozen=True):
    """The new file and its text; ``notes``: what of the compose file is not in it."""

    path: Path
    text: str
    notes: tuple[str, ...]


def import_compose(
    workspace: Path, file: Path | None, type_: ProjectType | None = None
) -> ImportedCompose:
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
    try:
        data = read_path(file, _LIMIT) if file else read_beneath(workspace, name, _LIMIT)
        found = translate(parse_yaml(decode(data)), folder.has)
    except OSError as exc:
        raise _invalid(name, f"cannot be read: {exc.strerror or exc}") from None
    except (UnusableFile, ValueError) as exc:
        raise _invalid(name, f"cannot be translated: {exc}") from None
    text = _text(default_project(workspace), _type(workspace, type_, found), name, found)
    return ImportedCompose(write_new(workspace, text), text, tuple(map(message, found.notes)))


def _invalid(name: str, problem: str) -> InvalidConfig:
    hint = "Fix the compose file, or run 'debughost init' without it"
    return InvalidConfig(message(f"{name} {problem}"), hint=hint, details={"file": name})


def _type(workspace: Path, type_: ProjectType | None, found: Translation) -> str:
    """Empty where an image and a command make it unimportant. Raises TypeUnknown."""
    try:
        return detect(workspace, type_).type.value
    except TypeUnknown:
        if {"image", "command"} <= found.settings.keys():
            return ""
        raise


def _text(project: str, type_: str, file: str, found: Translation) -> str:
    plain = {k: v for k, v in found.settings.items() if not isinstance(v, Mapping)}
    tables = {k: v for k, v in found.settings.items() if isinstance(v, Mapping)}
    tables |= {f"services.{_key(name)}": table for name, table in found.services.items()}
    first = {"project": project} | ({"type": type_} if type_ else {}) | plain
    lines = [
        f"# debughost: how this project runs in its container. From {_value(Path(file).name)}.",
        "",
        *_lines(first),
    ]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *_lines(table)]
    return "\n".join(lines) + "\n"


def _lines(table: Mapping[str, object]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_key(key)} = {_value(value)}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    """As TOML: its strings are those of JSON but for one character."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_lines(value))} }}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
