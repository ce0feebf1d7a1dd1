"""The user's own configuration: what counts for all projects, and no workspace can change."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct, field

from debughost_cli.errors import InvalidConfig
from debughost_cli.models import ProjectType
from debughost_cli.project import parsers
from debughost_cli.project.beneath import read_path
from debughost_cli.project.engines import BadEntry, EngineEntry, parse_engines
from debughost_cli.project.toml import parse_toml
from debughost_cli.project.variables import BadValue

ALL_PROJECTS = "projects"
"""The key of the limit that counts projects of every type."""

_KEYS = ("shared_cache", "limits", "engines")
_LIMITS = (ALL_PROJECTS, *(type_.value for type_ in ProjectType))


class UserConfiguration(Struct, frozen=True):
    """What the user's file says; None and empty where it says nothing.

    ``limits``: how many projects may run at once, by ``projects`` (all) or type. ``engines``: by
    name, see ``project/engines.py``.
    """

    file: Path | None = None
    shared_cache: bool | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    engines: Mapping[str, EngineEntry] = field(default_factory=dict)


def user_file() -> Path:
    """Where the file is, whether it exists or not."""
    from platformdirs import user_config_path

    return user_config_path("debughost") / "config.toml"


def load_user_configuration() -> UserConfiguration:
    """The user's file, empty where there is none. Raises InvalidConfig."""
    path = user_file()
    # A relative path would lead into the workspace.
    table = _read(path) if path.is_absolute() else None
    if table is None:
        return UserConfiguration()
    _check_keys(path, table, _KEYS, "")
    limits = table.get("limits", {})
    if not isinstance(limits, dict):
        raise _invalid(path, "limits", "must be a table")
    _check_keys(path, limits, _LIMITS, "limits.")
    shared = table.get("shared_cache")
    try:
        return UserConfiguration(
            path,
            None if shared is None else parsers.parse_bool(shared),
            {name: _limit(path, name, value) for name, value in limits.items()},
            parse_engines(table.get("engines", {})),
        )
    except BadValue as exc:
        raise _invalid(path, "shared_cache", str(exc)) from None
    except BadEntry as exc:
        key = f"engines.{exc.key}" if exc.key else "engines"
        raise _invalid(path, key, str(exc)) from None


def _read(path: Path) -> Mapping[str, object] | None:
    try:
        return parse_toml(read_path(path).decode("utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as exc:
        raise _invalid(path, "", f"cannot be read: {exc}") from None


def _check_keys(
    path: Path, table: Mapping[str, object], known: tuple[str, ...], prefix: str
) -> None:
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}"
            raise _invalid(path, f"{prefix}{key}", "is not known", hint)


def _limit(path: Path, name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 10_000:
        return value
    raise _invalid(path, f"limits.{name}", "must be a whole number of projects from 1 to 10000")


def _invalid(path: Path, key: str, problem: str, hint: str = "") -> InvalidConfig:
    return InvalidConfig(
        f"{key} in {path} {problem}" if key else f"{path} {problem}",
        hint=hint or "Correct the file; it is yours, and counts for all projects",
        details={"file": str(path), "key": key or None},
    )
