"""The versions of runtimes and package managers that a workspace asks for, and where it does.

A file that cannot be read, or asks for nothing that is a version, pins nothing: other modules
report what is wrong with manifests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from msgspec import Struct

from debughost_cli.errors import InvalidConfig
from debughost_cli.models import ProjectType
from debughost_cli.project.detect.node_install import manager_of
from debughost_cli.project.detect.node_package import FILE as PACKAGE
from debughost_cli.project.detect.php import FILE as COMPOSER
from debughost_cli.project.detect.python_manifests import PYPROJECT
from debughost_cli.project.reader import Folder, table_in
from debughost_cli.project.version_ranges import Notation

_RUNTIMES: Mapping[ProjectType, tuple[str, ...]] = {
    ProjectType.NODE: ("node", "nodejs"),
    ProjectType.PYTHON: ("python",),
    ProjectType.PHP: ("php",),
}
"""The names that version managers of several languages have for a type's runtime."""
_LONG_TERM = {
    "argon": "4", "boron": "6", "carbon": "8", "dubnium": "10", "erbium": "12", "fermium": "14",
    "gallium": "16", "hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24",
}  # fmt: skip
"""The names of Node.js's releases with long-term support."""
_PLAIN = re.compile(r"(?:v|cpython-|python-)?(\d{1,4}(?:\.\d{1,6}){0,2})[\w.+-]{0,40}", re.ASCII)
_PNPM = re.compile(r"pnpm@(\d{1,4}(?:\.\d{1,6}){0,2})", re.ASCII)
_MOST_LINES = 100


class Pin(Struct, frozen=True):
    """``runtime`` is ``node``, ``python``, ``php`` or ``pnpm``; ``place``: where the pin stands."""

    runtime: str
    wanted: str
    place: str
    notation: Notation = Notation.LINE


def find_pins(folder: Folder, type_: ProjectType) -> list[Pin]:
    """What the workspace asks for, for a project of that type."""
    found: list[Pin] = []
    for read in _READERS.get(type_, ()):
        with suppress(InvalidConfig):
            found += read(folder)
    if type_ in _RUNTIMES:
        found += _of_version_managers(folder, type_)
    return found


def _version(text: str) -> str:
    """A version without what stands around it; empty where there is none."""
    text = text.strip().lower()
    text = _LONG_TERM.get(text.removeprefix("lts/").removeprefix("lts-"), text)
    found = _PLAIN.fullmatch(text)
    return found[1] if found else ""


def _in_lines(folder: Folder, runtime: str, *files: str) -> Iterator[Pin]:
    """Files with nothing but a version."""
    for file in folder.present(*files):
        lines = folder.source(file).splitlines()[:_MOST_LINES]
        texts = (line.partition("#")[0].strip() for line in lines)
        version = _version(next(filter(None, texts), ""))
        if version:
            yield Pin(runtime, version, file)


def _of_version_managers(folder: Folder, type_: ProjectType) -> Iterator[Pin]:
    names = _RUNTIMES[type_]
    for line in folder.source(".tool-versions").splitlines()[:_MOST_LINES]:
        words = line.partition("#")[0].split()
        if len(words) > 1 and words[0] in names and (version := _version(words[1])):
            yield Pin(names[0], version, ".tool-versions")
    for file in folder.present("mise.toml", ".mise.toml"):
        with suppress(InvalidConfig):
            tools = table_in(folder.toml(file), file, "tools")
            for name in names:
                if version := _version(_mise(tools.get(name))):
                    yield Pin(names[0], version, f"{file} (tools.{name})")


def _mise(value: object) -> str:
    """The first of several versions, of which each may be a table."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("version")
    return str(value) if isinstance(value, str | int | float) else ""


def _node(folder: Folder) -> Iterator[Pin]:
    yield from _in_lines(folder, "node", ".nvmrc", ".node-version")
    data = folder.json(PACKAGE)
    volta = _version(_text(data, "volta", "node"))
    if volta:
        yield Pin("node", volta, f"{PACKAGE} (volta.node)")
    yield from _range(data, Notation.NPM, "node", PACKAGE, "engines", "node")
    field = _text(data, "packageManager")
    pnpm = _PNPM.match(field)
    # Of Yarn, and for old lock files of pnpm, the version that is needed is fetched from npm.
    if pnpm and "npm" not in manager_of(folder, field).program:
        yield Pin("pnpm", pnpm[1], f"{PACKAGE} (packageManager)")


def _python(folder: Folder) -> Iterator[Pin]:
    yield from _in_lines(folder, "python", ".python-version", "runtime.txt")
    data = folder.toml(PYPROJECT)
    yield from _range(data, Notation.PEP440, "python", PYPROJECT, "project", "requires-python")
    place = ("tool", "poetry", "dependencies", "python")
    yield from _range(data, Notation.POETRY, "python", PYPROJECT, *place)
    required = _version(_text(folder.toml("Pipfile"), "requires", "python_version"))
    if required:
        yield Pin("python", required, "Pipfile (requires.python_version)")


def _php(folder: Folder) -> Iterator[Pin]:
    yield from _in_lines(folder, "php", ".php-version")
    data = folder.json(COMPOSER)
    yield from _range(data, Notation.COMPOSER, "php", COMPOSER, "require", "php")
    platform = _version(_text(data, "config", "platform", "php"))
    if platform:
        yield Pin("php", platform, f"{COMPOSER} (config.platform.php)")


def _range(
    data: Mapping[str, object], notation: Notation, runtime: str, file: str, *path: str
) -> Iterator[Pin]:
    wanted = _text(data, *path).strip()
    if wanted:
        yield Pin(runtime, wanted, f"{file} ({'.'.join(path)})", notation)


def _text(data: Mapping[str, object], *path: str) -> str:
    """The string at a path, empty where there is none."""
    value: object = data
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


_READERS: Mapping[ProjectType, tuple[Callable[[Folder], Iterator[Pin]], ...]] = {
    ProjectType.NODE: (_node,),
    ProjectType.PYTHON: (_python,),
    ProjectType.PHP: (_php,),
}
