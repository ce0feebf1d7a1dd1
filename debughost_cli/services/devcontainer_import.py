"""``init --from-devcontainer``: a configuration file from a devcontainer.json."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from debughost_cli.errors import InvalidConfig, TypeUnknown
from debughost_cli.models import ProjectType
from debughost_cli.planning.known_services import known_service
from debughost_cli.project import compose, devcontainer
from debughost_cli.project.companions import repository_of
from debughost_cli.project.detect import detect
from debughost_cli.project.detect.services import COMPOSE_FILES
from debughost_cli.project.jsonc import parse_jsonc
from debughost_cli.project.reader import Folder
from debughost_cli.project.translation import Translation
from debughost_cli.project.yaml_file import parse_yaml
from debughost_cli.services.translated_file import (
    ImportedFile,
    read_named,
    read_text,
    translated,
    write_translation,
)

_FOLDER, _FILE = ".devcontainer", "devcontainer.json"
_IDLE = re.compile(r".*\b(?:sleep (?:\d|inf)|tail -f|while )")
"""A command that only keeps a container running, for an editor."""
_OF_EDITOR = frozenset(
    {"build", "image", "volumes", "network_mode", "user", "cap_add", "security_opt"}
)
_MOST = 10
"""How many compose files are read."""


def find_devcontainers(folder: Folder) -> list[str]:
    """Those of a workspace, where editors look for them; the first of them is the one in force."""
    usual = folder.present(f"{_FOLDER}/{_FILE}", f".{_FILE}")
    named = [f"{_FOLDER}/{name}/{_FILE}" for name in folder.subfolders(_FOLDER)]
    return [*usual[:1]] or [*folder.present(*named)]


def import_option(workspace: Path) -> tuple[str, str]:
    """The file that plain ``init`` leaves unread, and the option for it; or nothing."""
    folder = Folder(workspace)
    for option, names in (
        ("--from-devcontainer", find_devcontainers(folder)),
        ("--from-compose", folder.present(*COMPOSE_FILES)),
    ):
        if names:
            return names[0], option
    return "", ""


def import_devcontainer(
    workspace: Path, file: Path | None, type_: ProjectType | None = None
) -> ImportedFile:
    """``file``: one that the user named, or its folder; None for the workspace's own.

    Raises InvalidConfig where it cannot be read, is none or one of several, and what
    ``write_config`` raises.
    """
    folder = Folder(workspace)
    if file is not None and file.is_dir():
        file /= _FILE
    name = str(file) if file else _only(find_devcontainers(folder), workspace)

    def read() -> Translation:
        document = parse_jsonc(read_named(file) if file else read_text(workspace, name))
        beside = _beside(workspace, name)
        place = devcontainer.Place(workspace.resolve().name, folder.source, beside)
        found = devcontainer.translate(document, place)
        names = [*map(beside, devcontainer.compose_names(document))]
        if names and isinstance(document, Mapping):
            tables = _composed(workspace, names[:_MOST])
            found = _with_services(found, tables, document.get("service"), folder)
        return found

    found = translated(name, "file", read)
    if not _installs(workspace, type_ or found.settings.get("type")):
        found = devcontainer.before_start(found)
    return write_translation(workspace, name, found, type_)


def _installs(workspace: Path, type_: object) -> bool:
    """Whether there is an install after which a hook could run."""
    try:
        found = detect(workspace, ProjectType(str(type_)) if type_ else None)
    except TypeUnknown:
        return False
    return found.dependencies is not None


def _only(names: list[str], workspace: Path) -> str:
    """The name of the one that there is. Raises InvalidConfig."""
    if len(names) == 1:
        return names[0]
    if not names:
        raise InvalidConfig(
            f"there is no {_FILE} in {workspace}",
            hint=f"Name one: debughost init --from-devcontainer FILE; looked for {_FOLDER}/{_FILE},"
            f" .{_FILE} and {_FOLDER}/NAME/{_FILE}",
        )
    raise InvalidConfig(
        f"there are {len(names)} of {_FILE}: {', '.join(names)}",
        hint=f"Name one: debughost init --from-devcontainer {names[0]}",
        details={"files": names},
    )


def _beside(workspace: Path, name: str) -> Callable[[str], str]:
    """Makes a path in the workspace of one that is relative to the file ``name``."""
    folder = posixpath.dirname(name)
    if Path(name).is_absolute() or not (workspace / name).exists():
        folder = os.path.relpath(Path(name).resolve().parent, workspace.resolve())
    return lambda given: posixpath.normpath(posixpath.join(Path(folder).as_posix(), given))


def _composed(workspace: Path, names: list[str]) -> dict[str, dict[str, object]]:
    """The services of compose files, of which later ones override keys of earlier ones."""
    tables: dict[str, dict[str, object]] = {}
    for name in names:
        document = parse_yaml(read_text(workspace, name))
        services = document.get("services") if isinstance(document, Mapping) else None
        for service, table in services.items() if isinstance(services, Mapping) else ():
            if isinstance(table, Mapping):
                tables[service] = tables.get(service, {}) | dict(table)
    return tables


def _with_services(
    found: Translation, tables: dict[str, dict[str, object]], service: object, folder: Folder
) -> Translation:
    """With what a compose file has: other services, and settings of the workspace's own one.

    What the devcontainer.json says itself has precedence.
    """
    own = tables.pop(service, {}) if isinstance(service, str) else {}
    modes = [_plain(table.get("network_mode")) for table in (own, *tables.values())]
    program = {k: v for k, v in own.items() if k not in _OF_EDITOR} | {"build": "."}
    if _IDLE.match(_plain(program.get("command"))):
        program.pop("command")
    composed = compose.translate({"services": {str(service): program} | tables}, folder.has)
    settings = {**composed.settings, **found.settings}
    env: dict[str, object] = {}
    for given in (composed.settings.get("env"), found.settings.get("env")):
        env |= given if isinstance(given, Mapping) else {}
    notes, services = composed.notes, dict(composed.services)
    if composed.services and any(mode.startswith("service:") for mode in modes):
        _publish(services, settings)
        first = next(iter(composed.services))
        notes += (f"localhost is the program alone: services have names, such as {first}:PORT",)
    settings |= {"env": env} if env else {}
    return Translation(settings, services, found.notes + notes)


def _plain(value: object) -> str:
    """The beginning of a text, or of a list of words; what aliases nest is never made text."""
    words = value[:20] if isinstance(value, list) else [value]
    return " ".join(word[:100] for word in words if isinstance(word, str))


def _publish(services: dict[str, Mapping[str, object]], settings: dict[str, object]) -> None:
    """Where localhost is shared, a port that is forwarded may be one of a service."""
    given = settings.pop("ports", None)
    ports = {"": settings.pop("port", None)} | (dict(given) if isinstance(given, Mapping) else {})
    for name, table in services.items():
        known = known_service(repository_of(str(table["image"])))
        port = table.get("port") or (known.port if known else None)
        for label in [label for label, number in ports.items() if port and number == port]:
            services[name] = {"publish": ports.pop(label), **table}
    main = next((label for label, number in ports.items() if isinstance(number, int)), None)
    if main is not None:
        settings["port"] = ports.pop(main)
    ports.pop("", None)
    if ports:
        settings["ports"] = ports
