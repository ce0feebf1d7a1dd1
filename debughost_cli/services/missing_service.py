"""A program that found no database: the line of configuration that gives it one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from debughost_cli.errors import Crashed, NotReady
from debughost_cli.planning.known_services import known_service
from debughost_cli.planning.unreachable_service import UnreachableService, find_unreachable
from debughost_cli.project.companions import CompanionSettings, repository_of
from debughost_cli.project.configuration import CONFIG_FILE
from debughost_cli.project.detect.service_names import IMAGES, TITLES, kind_of_image
from debughost_cli.project.detect.services import find_services
from debughost_cli.project.reader import Folder
from debughost_cli.project.resolve import ResolvedProject
from debughost_cli.services.missing_module import with_manifests

_KEY = re.compile(r"[a-z][a-z0-9-]{0,30}", re.ASCII)
"""Hosts that a service may be called, which are keys of TOML as they are."""
_SHOWN = 6
"""How many of the variables of a service are named; the first are those that are read most."""
_FAMILIES = ({"mysql", "mariadb"}, {"redis", "valkey"})


def with_missing(error: Crashed | NotReady, resolved: ResolvedProject) -> Crashed | NotReady:
    """``error``, with what the last lines tell of a missing package or service."""
    error = with_manifests(error, resolved)
    tail = error.details.get("log_tail")
    found = find_unreachable(map(str, tail) if isinstance(tail, list) else ())
    if found is None:
        return error
    advice = _of_present(found, resolved) or _of_missing(found, resolved)
    if not advice:
        return error
    # Of one that does not listen, the reason is this and not where it listens.
    logs = f"see 'debughost logs -p {resolved.project}'"
    rest = logs if isinstance(error, NotReady) else error.hint
    return error.with_context(hint=f"{advice}; {rest}")


def _of_present(found: UnreachableService, resolved: ResolvedProject) -> str:
    """For a project that has a service of that kind; empty where it has none."""
    services = resolved.settings.services
    named = [s for s in services if s.name == found.host]
    service = next((s for s in (*named, *services) if _is_of(s, found.kind)), None)
    if service is None:
        return ""
    title = TITLES[kind_of_image(service.image)[0]]
    if found.host == service.name:
        return (
            f"the service {service.name} is there, but did not answer at {found.place}: see "
            f"'debughost logs -p {resolved.project} --service {service.name}'"
        )
    variables = _variables(service.image)
    overridden = [v for v in variables if v in resolved.environment]
    why = (
        f"{found.place} is the container itself; its {title} is at host {service.name}"
        if found.is_local
        else f"there is no host {found.host!r}; its {title} is at host {service.name}"
    )
    if overridden:
        return f"{why}: leave out your own {_list(overridden)}, which takes precedence"
    return f"{why}: connect with the variables that the program gets, {_list(variables)}"


def _is_of(service: CompanionSettings, kind: str) -> bool:
    own = kind_of_image(service.image)[0]
    return bool(own) and (not kind or _is_same(own, kind))


def _is_same(one: str, other: str) -> bool:
    return one == other or any({one, other} == family for family in _FAMILIES)


def _of_missing(found: UnreachableService, resolved: ResolvedProject) -> str:
    """For a project without such a service; empty where it is not known which one is meant."""
    image = _image(found, resolved)
    if not image:
        return ""
    title = TITLES[kind_of_image(image)[0]]
    why = (
        f"no {title} answers at {found.place}, which is the container itself"
        if found.is_local
        else f"there is no {title} at {found.place}"
    )
    given = _list(_variables(image))
    return f"{why}: write {_line(found, image, resolved)}; the program then gets {given}"


def _image(found: UnreachableService, resolved: ResolvedProject) -> str:
    """The one that the workspace speaks of, else the usual one."""
    needs = find_services(Folder(resolved.workspace))
    same = [n.image for n in needs if _is_same(n.kind, found.kind)]
    if not (same or found.kind):
        same = [n.image for n in needs]
    return same[0] if same else IMAGES.get(found.kind, "")


def _line(found: UnreachableService, image: str, resolved: ResolvedProject) -> str:
    """What is to be written, and where: into the file that the project has."""
    file, services = resolved.settings.file, resolved.settings.services
    # A service has the name of its image, unless the program looks for another one.
    has_own = not found.is_local and found.host != repository_of(image)
    name = found.host if has_own and _KEY.fullmatch(found.host) else ""
    if services and (name or any(s.name != repository_of(s.image) for s in services)):
        return f"{name or repository_of(image)} = {json.dumps(image)} under [services]"
    images = json.dumps([*(s.image for s in services), image])
    line = f"services.{name} = {json.dumps(image)}" if name else f"services = {images}"
    if file is None:
        return f"{line} into {CONFIG_FILE}"
    if file.name != CONFIG_FILE:
        return f"{line} under [tool.debughost] in {file.name}"
    return f"{line} into {CONFIG_FILE}" if services else f"{line} at the top of {CONFIG_FILE}"


def _variables(image: str) -> list[str]:
    known = known_service(repository_of(image))
    return list(known.variables)[:_SHOWN] if known else []


def _list(words: Iterable[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
