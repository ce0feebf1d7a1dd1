"""``config set``: one setting, written into the workspace's configuration file."""

from __future__ import annotations

import os
import tempfile
import tomllib
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from debughost_cli.errors import DebughostError, InvalidConfig, InvalidWorkspace, Usage
from debughost_cli.project.beneath import UnusableFile, read_beneath
from debughost_cli.project.config_edit import with_value
from debughost_cli.project.configuration import CONFIG_FILE, read_file
from debughost_cli.project.settings import SETTINGS
from debughost_cli.project.user import user_file
from debughost_cli.project.variables import BadValue
from debughost_cli.project.workspace import owner_of


class SettingWritten(Struct, frozen=True):
    """The file, the key in it, and its value as TOML has it."""

    file: Path
    key: str
    value: object
    changed: bool


def set_value(workspace: Path, key: str, text: str, *, dry_run: bool = False) -> SettingWritten:
    """``key``: a setting, or ``env.NAME``. ``text``: as TOML, or without its quotes.

    ``dry_run``: all but the write.

    Raises Usage for an unknown key, InvalidConfig for a value or a file that cannot be used.
    """
    path = tuple(key.replace("-", "_").split(".", 1)) if not key.startswith("env.") else (
        "env", key.removeprefix("env."),
    )  # fmt: skip
    _check_key(path, key)
    value = _value(path, text)
    file, before = _read(workspace)
    try:
        after = with_value(before, path, value)
    except (ValueError, RecursionError) as exc:
        raise InvalidConfig(
            f"{file} cannot be edited: {exc}",
            hint=f"Write it there by hand: {key} = {text}",
            details={"file": str(file), "key": key},
        ) from None
    if after != before and not dry_run:
        _write(workspace, file, after)
    return SettingWritten(file, key, value, changed=after != before)


def _check_key(path: tuple[str, ...], key: str) -> None:
    setting = SETTINGS.get(path[0])
    if setting is None:
        known = [name for name, found in SETTINGS.items() if not found.user_only]
        near = get_close_matches(path[0], known, 1)
        raise Usage(
            f"there is no setting {key[:80]!r}",
            hint=f"Did you mean {near[0]!r}?" if near else f"Settings: {', '.join(known)}",
            details={"key": key[:80], "nearest": near[0] if near else None},
        )
    if setting.user_only:
        raise Usage(
            f"{key} counts for all projects: no file of a workspace may set it",
            hint=f"Set it in {user_file()}",
        )
    if path == ("env",):
        raise Usage("env is a table", hint="Set one of its variables: config set env.DEBUG 1")


def _value(path: tuple[str, ...], text: str) -> object:
    """What the setting accepts: the text as TOML, else as it is. Raises InvalidConfig."""
    readings: list[object] = []
    with suppress(ValueError, RecursionError):
        readings.append(tomllib.loads(f"value = {text}")["value"])
    error: Exception | None = None
    for reading in [*readings, text]:
        given = {path[1]: reading} if len(path) > 1 else reading
        try:
            SETTINGS[path[0]].parse(given)
        except (BadValue, DebughostError) as exc:
            error = error or exc
            continue
        return reading
    if isinstance(error, DebughostError):
        raise error
    raise InvalidConfig(
        f"{'.'.join(path)} {error}",
        hint=f"For example {path[0]} = {SETTINGS[path[0]].example}",
        details={"setting": path[0]},
    )


def _read(workspace: Path) -> tuple[Path, str]:
    """The file and its text, empty where there is none."""
    file, _, faults = read_file(workspace)
    for fault in faults:
        raise fault.error
    own = workspace / CONFIG_FILE
    if file is not None and file != own:
        raise InvalidConfig(
            f"the settings of this project are in {file}, which {own} would hide",
            hint=f"Write it into [tool.debughost] of {file.name} by hand",
            details={"file": str(file)},
        )
    try:
        return own, read_beneath(workspace, CONFIG_FILE).decode("utf-8-sig")
    except FileNotFoundError:
        return own, ""
    except (OSError, UnusableFile, ValueError) as exc:
        raise InvalidConfig(f"{own} cannot be read: {exc}", hint="Fix the file") from None


def _write(workspace: Path, file: Path, text: str) -> None:
    """Replaces the file as a whole: what is at its path may be a link."""
    try:
        mode = file.stat().st_mode & 0o777 if file.is_file() and not file.is_symlink() else 0o600
        descriptor, made = tempfile.mkstemp(prefix=".debughost-", dir=workspace)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
                if os.name == "posix":
                    os.fchmod(descriptor, mode)
                    if os.geteuid() == 0:
                        os.fchown(descriptor, *owner_of(workspace))
            Path(made).replace(file)
        except BaseException:
            Path(made).unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise InvalidWorkspace(
            f"{file} cannot be written: {exc.strerror or exc}",
            hint="The workspace must be writable for you",
        ) from None
