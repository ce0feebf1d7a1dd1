"""Variables for the container, from the command line and from files; their values are secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from debughost_cli.errors import DebughostError, Usage

MOST_VARIABLES = 10_000
"""How many variables a file may have; Linux starts no program with so many anyway."""


class BadValue(ValueError):
    """A value that a setting cannot take; as text it completes "<name> ...".

    ``allowed``: what the setting takes. ``problem``: the text, where "must be" does not fit.
    """

    def __init__(self, allowed: str, problem: str = "") -> None:
        super().__init__(problem or f"must be {allowed}")
        self.allowed = allowed


def is_passable(value: object) -> bool:
    """True for text that can be passed to a program: valid in the engine's JSON, without a NUL."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def variable_name(name: object) -> str:
    """The name of a variable. Raises BadValue."""
    text = str(name)
    if not text or "=" in text or not is_passable(text):
        raise BadValue(
            "the name of a variable", f"has {text[:60]!r}, which is not the name of a variable"
        )
    return text


def variable_value(name: object, value: object) -> str:
    """A variable's value as text. Raises BadValue without the value, which may be a secret."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise BadValue(
            "text or numbers",
            f"has {name} = {type(value).__name__}; a variable is text or a number",
        )
    if not is_passable(str(value)):
        raise BadValue(
            "UTF-8 text without NUL",
            f"has {name} with a value that is not UTF-8 text, or contains a NUL character",
        )
    return str(value)


def flag_environment(
    pairs: Sequence[str], files: Sequence[Path], environ: Mapping[str, str]
) -> dict[str, str]:
    """The variables of the command line: files, then pairs, later ones winning.

    ``NAME`` without ``=`` takes its value from ``environ``, as docker does. Raises Usage.
    """
    from debughost_cli.project.beneath import read_path_or_pipe

    found: dict[str, str] = {}
    for path in files:
        found |= read_variables(path, read_path_or_pipe, Usage, environ)
    for pair in pairs:
        found |= _pair(pair, environ)
    return found


def _pair(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    name, equals, value = text.partition("=")
    try:
        variable_name(name)
    except BadValue:
        raise Usage("--env needs NAME=VALUE or NAME", hint="For example --env DEBUG=1") from None
    try:
        if equals:
            return {name: variable_value(name, value)}
        return {name: variable_value(name, environ[name])} if name in environ else {}
    except BadValue as exc:
        raise Usage(f"--env {exc}", hint="For example --env DEBUG=1") from None


def read_variables(
    path: Path,
    read: Callable[[Path], bytes],
    error: type[DebughostError],
    environ: Mapping[str, str],
) -> dict[str, str]:
    """A file's variables; names without a value take theirs from ``environ``.

    Nothing is expanded. Raises ``error`` with the number of the line, never with its content, and
    LeadsOut where ``read`` does.
    """
    from debughost_cli.project.beneath import LeadsOut
    from debughost_cli.project.env_file import parse_env_file

    try:
        text = read(path).decode("utf-8-sig")
    except LeadsOut:
        raise
    except (OSError, ValueError) as exc:
        raise error(
            f"the environment file {path} cannot be read: {exc}", hint="Check its path"
        ) from None
    found: dict[str, str] = {}
    for count, line in enumerate(parse_env_file(text)):
        try:
            if count == MOST_VARIABLES:
                raise BadValue("fewer", f"is one more than {MOST_VARIABLES} variables")
            found.update(_line(line.name, line.value, environ))
        except BadValue as exc:
            raise error(
                f"line {line.number} of the environment file {path} {exc}",
                hint="Each line is NAME=VALUE, or a comment after #",
                details={"file": str(path), "line": line.number},
            ) from None
    return found


def _line(name: str | None, value: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    if name is None:
        raise BadValue("NAME=VALUE", "is not NAME=VALUE")
    value = environ.get(name) if value is None else value
    return {} if value is None else {variable_name(name): variable_value(name, value)}
