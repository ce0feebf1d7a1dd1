"""``debughost.toml`` from what another program's file says, once; nothing follows that file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from debughost_cli.characters import message
from debughost_cli.errors import InvalidConfig, TypeUnknown
from debughost_cli.models import ProjectType
from debughost_cli.project.beneath import UnusableFile, read_beneath, read_path
from debughost_cli.project.detect import detect
from debughost_cli.project.reader import decode
from debughost_cli.project.resolve import default_project
from debughost_cli.project.translation import Translation
from debughost_cli.services.init import write_new

_LIMIT = 256 * 1024
"""Bytes of a file; PyYAML takes a second for that."""
_BARE = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_T = TypeVar("_T")


class ImportedFile(Struct, frozen=True):
    """The new file and its text; ``notes``: what of the other file is not in it."""

    path: Path
    text: str
    notes: tuple[str, ...]


def read_text(workspace: Path, name: str) -> str:
    """A file inside the workspace. Raises what ``read_beneath`` raises."""
    return decode(read_beneath(workspace, name, _LIMIT))


def read_named(file: Path) -> str:
    """A file that the user named. Raises what ``read_path`` raises."""
    return decode(read_path(file, _LIMIT))


def translated(name: str, kind: str, translate: Callable[[], _T]) -> _T:
    """What ``translate`` returns. Raises InvalidConfig, with the file, for what it raises."""
    try:
        return translate()
    except OSError as exc:
        problem = f"cannot be read: {exc.strerror or exc}"
    except (UnusableFile, ValueError, RecursionError) as exc:
        problem = f"cannot be translated: {exc}"
    raise InvalidConfig(
        message(f"{name} {problem}"),
        hint=f"Fix the {kind}, or run 'debughost init' without it",
        details={"file": name},
    )


def write_translation(
    workspace: Path, name: str, found: Translation, type_: ProjectType | None
) -> ImportedFile:
    """``name``: of the other file; ``type_``: where it is not to be detected.

    Raises TypeUnknown, and what ``write_new`` raises.
    """
    text = _text(default_project(workspace), _type(workspace, type_, found), name, found)
    return ImportedFile(write_new(workspace, text), text, tuple(map(message, found.notes)))


def _type(workspace: Path, type_: ProjectType | None, found: Translation) -> str:
    """Empty where an image and a command make it unimportant. Raises TypeUnknown."""
    if type_ is None and "type" in found.settings:
        return str(found.settings["type"])
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
