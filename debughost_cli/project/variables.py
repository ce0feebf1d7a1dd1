"""Variables for the container: from the command line and from files, their values kept secret."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from debughost_cli.errors import DebughostError, Usage


class BadValue(ValueError):
    """A value that a setting cannot take; the text completes "<name> ..."."""


def is_passable(value: Any) -> bool:
    """True for text that can reach a program: through the engine's JSON, and without a NUL."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def variable_name(name: Any) -> str:
    """The name of a variable. Raises BadValue."""
    text = str(name)
    if not text or "=" in text or not is_passable(text):
        raise BadValue(f"has {text[:60]!r}, which is not the name of a variable")
    return text


def variable_value(name: str, value: Any) -> str:
    """A variable's value as text. Raises BadValue, without the value: it may be a secret."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise BadValue(f"has {name} = {type(value).__name__}; a variable is text or a number")
    if not is_passable(str(value)):
        raise BadValue(f"has {name} with a value that is not UTF-8 text, or has a NUL in it")
    return str(value)


def flag_environment(pairs: Sequence[str], files: Sequence[Path]) -> dict[str, str]:
    """The variables of the command line: files, then pairs, later ones winning.

    ``NAME`` without ``=`` takes the caller's value, as docker does. Raises Usage.
    """
    found: dict[str, str] = {}
    for path in files:
        found |= read_variables(path, Usage, os.environ)
    for pair in pairs:
        found |= _pair(pair)
    return found


def _pair(text: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    try:
        variable_name(name)
    except BadValue:
        raise Usage("--env needs NAME=VALUE or NAME", hint="For example --env DEBUG=1") from None
    try:
        if equals:
            return {name: variable_value(name, value)}
        return {name: variable_value(name, os.environ[name])} if name in os.environ else {}
    except BadValue as exc:
        raise Usage(f"--env {exc}", hint="For example --env DEBUG=1") from None


def read_variables(
    path: Path, error: type[DebughostError], callers: Mapping[str, str]
) -> dict[str, str]:
    """A file's variables; those without a value take the caller's. Nothing in it is expanded.

    Raises ``error``, naming the line and never what is in it.
    """
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8-sig") as stream:
            lines = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as exc:
        raise error(
            f"the environment file {path} cannot be read: {exc}", hint="Check its path"
        ) from None
    found: dict[str, str] = {}
    for line in lines:
        if line.key is None and not line.error:
            continue
        try:
            found |= _line(line.key, line.value, callers)
        except BadValue as exc:
            text, number = line.original
            number += text[: len(text) - len(text.lstrip())].count("\n")
            raise error(
                f"line {number} of the environment file {path} {exc}",
                hint="Each line is NAME=VALUE, or a comment after #",
                details={"file": str(path), "line": number},
            ) from None
    return found


def _line(name: str | None, value: str | None, callers: Mapping[str, str]) -> dict[str, str]:
    if name is None:
        raise BadValue("is not NAME=VALUE")
    value = callers.get(name) if value is None else value
    return {} if value is None else {variable_name(name): variable_value(name, value)}
