"""Finds everything that is wrong with the configuration of a workspace, not only the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from debughost_cli.errors import InvalidConfig
from debughost_cli.project.certificates import ca_bundle_of
from debughost_cli.project.configuration import Fault, file_environment, read_settings
from debughost_cli.project.group import declared_group
from debughost_cli.project.settings import Flags, Settings, Source


def check_configuration(workspace: Path, environ: Mapping[str, str]) -> None:
    """Raises InvalidConfig with every fault, ``details.faults`` as the JSON output has them."""
    settings, faults = read_settings(workspace, Flags(), environ)
    faults += [*_file_faults(settings, workspace, environ), *_group_faults(workspace)]
    if faults:
        raise _error(faults)


def _file_faults(settings: Settings, workspace: Path, environ: Mapping[str, str]) -> list[Fault]:
    """What is wrong with the files that settings name."""
    found = []
    try:
        ca_bundle_of(settings, workspace)
    except InvalidConfig as exc:
        allowed = "a readable PEM file of certificates, without a private key"
        found.append(_file_fault(settings, "ca_bundle", settings.ca_bundle or "", allowed, exc))
    try:
        file_environment(settings, workspace, environ)
    except InvalidConfig as exc:
        allowed = "a readable file of NAME=VALUE lines, inside the workspace"
        found.append(_file_fault(settings, "env_file", ", ".join(settings.env_file), allowed, exc))
    return found


def _group_faults(workspace: Path) -> Iterator[Fault]:
    """What is wrong with the group that this folder's file names."""
    try:
        declared_group(workspace)
    except InvalidConfig as exc:
        allowed = "a list of folders below this one, or a table of path and depends_on by name"
        file = exc.details.get("file")
        yield Fault(Path(str(file)) if file else None, "members", None, allowed, exc)


def _file_fault(
    settings: Settings, name: str, value: str, allowed: str, error: InvalidConfig
) -> Fault:
    if settings.source(name) is Source.FILE:
        return Fault(settings.file, name, value, allowed, error)
    return Fault(None, f"DEBUGHOST_{name.upper()}", value, allowed, error)


def _error(faults: Sequence[Fault]) -> InvalidConfig:
    """The details of the first fault's own error stay beside the list."""
    first = faults[0].error
    details = {**first.details, "faults": [_to_json(fault) for fault in faults]}
    if len(faults) == 1:
        return InvalidConfig(first.message, hint=first.hint, details=details)
    lines = "".join(f"\n- {_describe(fault)}" for fault in faults)
    return InvalidConfig(
        f"the configuration has {len(faults)} faults:{lines}",
        hint="Fix them, then run 'debughost config validate' again",
        details=details,
    )


def _describe(fault: Fault) -> str:
    nearest = f"; did you mean {fault.nearest!r}?" if fault.nearest else ""
    found = f" (found {fault.value!r})" if fault.value is not None else ""
    return f"{fault.error.message}{found}{nearest}"


def _to_json(fault: Fault) -> dict[str, object]:
    return {
        "file": str(fault.file) if fault.file else None,
        "line": fault.line,
        "key": fault.key,
        "value": fault.value,
        "allowed": fault.allowed,
        "nearest": fault.nearest,
        "message": fault.error.message,
    }
