"""The dependencies that a Python project declares: requirement files and ``pyproject.toml``.

``packaging`` and ``dependency_groups`` are imported where there is something to parse, for projects
of other types do not need them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct, field

from debughost_cli.project.detect.python_other import REQUIREMENT_FILES, other_manifest
from debughost_cli.project.reader import Folder, invalid, strings_in, table_in, text_in

PYPROJECT = "pyproject.toml"
REQUIREMENTS = "requirements.txt"
CLEAN_BACKENDS = frozenset(
    {"hatchling.build", "uv_build", "flit_core.buildapi", "poetry.core.masonry.api"}
)
"""Build backends that write nothing into a folder that is installed as editable."""

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_CONTAINER = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"}
"""What environment markers are compared with: the project runs on Linux, whatever the host is."""
_AFTER_REQUIREMENT = re.compile(r"\s(?:#|--)")
"""What begins a comment or the options of a requirement."""
_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)[\s=]*+([^\s#]+)")
_MOST_LINES = 2000
"""How many requirements are looked at, to find web frameworks among them."""
_MOST_CHARACTERS = 2000
"""The length of the longest requirement that is looked at."""
_MOST_TEXT = 100_000
"""The same for all requirements together: complicated markers take 20 us per character."""
_MOST_FILES = 32
"""How many requirement files are read."""
_MOST_GROUPS = 100
_MOST_LEVELS = 50
"""How deeply dependency groups may include each other."""
_SAFE_PATH = re.compile(r"[\w.@+][\w.@+/-]*", re.ASCII)


class PyProject(Struct, frozen=True):
    """The parts of a ``pyproject.toml`` that matter here."""

    exists: bool = False
    name: str = ""
    """The distribution's name, of PEP 621 or of Poetry; empty where there are only settings."""
    requirements: tuple[str, ...] = ()
    poetry: Mapping[str, object] = field(default_factory=dict)
    """Poetry's own table of dependencies, groups included, without ``python``."""
    groups: frozenset[str] = frozenset()
    group_requirements: tuple[str, ...] = ()
    backend: str | None = None
    package_mode: bool = True
    requirement_files: tuple[str, ...] = ()
    """Files from which setuptools reads the dependencies."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Commands that an installed project has: name to ``module:function``."""
    has_members: bool = False
    """Whether it is the root of a workspace of uv, whose members have its lock file."""

    @property
    def packages(self) -> dict[str, frozenset[str]]:
        named = parse_requirements([*self.requirements, *self.group_requirements])
        return named | {_normal(key): _poetry_extras(value) for key, value in self.poetry.items()}


def packages_of(folder: Folder) -> dict[str, frozenset[str]]:
    """The distributions that the workspace requires directly, each with its extras."""
    project = read_pyproject(folder)
    files = requirement_files(folder, REQUIREMENTS, *project.requirement_files)
    if not files:
        usual = folder.first(*REQUIREMENT_FILES)
        files = requirement_files(folder, usual) if usual else ()
    other = None if files or project.packages else other_manifest(folder)
    lines = [*read_requirements(folder, files), *(other.lines if other else ())]
    return parse_requirements(lines) | project.packages


def _normal(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def parse_requirements(lines: Iterable[str]) -> dict[str, frozenset[str]]:
    """The distributions that requirement lines name, each with its extras.

    Lines that are not valid, and those whose markers exclude Linux, are left out.
    """
    found = filter(None, map(_requirement, _first_of(lines)))
    return {_normal(r.name): frozenset(map(_normal, r.extras)) for r in found if _applies(r)}


def _first_of(lines: Iterable[str]) -> Iterator[str]:
    """The lines until there are too many, or too many characters in them."""
    left = _MOST_TEXT
    for line in islice(lines, _MOST_LINES):
        left -= len(line)
        if left < 0:
            return
        yield line


def _requirement(line: str) -> Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    # pip took the name of a repository from a fragment before PEP 508 had "NAME @ URL".
    text = line.partition("#egg=")[2].partition("&")[0] or _without_options(line)
    try:
        return Requirement(text) if len(text) <= _MOST_CHARACTERS else None
    except (InvalidRequirement, RecursionError):
        return None


def _without_options(line: str) -> str:
    """A requirement without its comment, its options and the sign that the line is continued."""
    end = _AFTER_REQUIREMENT.search(line)
    return (line[: end.start()] if end else line.removesuffix("\\")).rstrip()


def _applies(requirement: Requirement) -> bool:
    try:
        return requirement.marker is None or requirement.marker.evaluate(_CONTAINER)
    except ValueError:
        return True  # A comparison that makes no sense excludes nothing.


def _poetry_extras(value: object) -> frozenset[str]:
    extras = value.get("extras", []) if isinstance(value, dict) else []
    return frozenset(str(e) for e in extras) if isinstance(extras, list) else frozenset()


def requirement_files(folder: Folder, *names: str) -> tuple[str, ...]:
    """Requirement files, with those that they include, one level deep, inside the workspace."""
    given = [name for name in names[:_MOST_FILES] if _is_usable(folder, name)]
    included = [
        posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        for name in given
        for target in _includes(folder.whole(name))
    ]
    found = [*given, *(n for n in included[:_MOST_FILES] if _is_usable(folder, n))]
    return tuple(dict.fromkeys(found))


def _includes(text: str) -> list[str]:
    """The first of the files that a requirement file includes."""
    lines = map(str.lstrip, text.splitlines())
    found = (_INCLUDE.match(line) for line in lines if line.startswith("-"))
    return [include[1] for include in islice(filter(None, found), _MOST_FILES)]


def _is_usable(folder: Folder, name: str) -> bool:
    """Whether a file exists under a name that is safe in shell text."""
    return bool(_SAFE_PATH.fullmatch(name)) and ".." not in name.split("/") and folder.has(name)


def read_requirements(folder: Folder, files: tuple[str, ...]) -> list[str]:
    """The lines of requirement files that name distributions."""
    lines = [line.strip() for name in files for line in folder.whole(name).splitlines()]
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def requires_something(folder: Folder, name: str) -> bool:
    """Whether a requirement file contains more than comments and options."""
    lines = (line.strip() for line in folder.whole(name).splitlines())
    more = ("-r", "-e", "--requirement", "--editable")
    return any(line.startswith(more) or not line.startswith(("#", "-")) for line in lines if line)


def read_pyproject(folder: Folder) -> PyProject:
    """The workspace's ``pyproject.toml``. Raises InvalidConfig where it violates its standards."""
    if not folder.has(PYPROJECT):
        return PyProject()
    data = folder.toml(PYPROJECT)
    project = table_in(data, PYPROJECT, "project")
    poetry = table_in(data, PYPROJECT, "tool", "poetry")
    build = table_in(data, PYPROJECT, "build-system")
    groups = table_in(data, PYPROJECT, "dependency-groups")
    return PyProject(
        exists=True,
        name=text_in(project, PYPROJECT, "name", "project.name")
        or text_in(poetry, PYPROJECT, "name", "tool.poetry.name"),
        requirements=tuple(strings_in(project, PYPROJECT, "dependencies", "project.dependencies")),
        poetry=_poetry_dependencies(data),
        groups=frozenset(map(_normal, groups)),
        group_requirements=_group_lines(groups),
        backend=text_in(build, PYPROJECT, "build-backend") if build else None,
        package_mode=poetry.get("package-mode") is not False,
        requirement_files=_dynamic_files(data),
        scripts=_scripts(project) | _scripts(poetry),
        has_members=bool(table_in(data, PYPROJECT, "tool", "uv", "workspace").get("members")),
    )


def _scripts(data: Mapping[str, object]) -> dict[str, str]:
    table = table_in(data, PYPROJECT, "scripts")
    return {name: target for name, target in table.items() if isinstance(target, str)}


def _poetry_dependencies(data: Mapping[str, object]) -> dict[str, object]:
    found = dict(table_in(data, PYPROJECT, "tool", "poetry", "dependencies"))
    found |= table_in(data, PYPROJECT, "tool", "poetry", "dev-dependencies")
    for name in table_in(data, PYPROJECT, "tool", "poetry", "group"):
        found |= table_in(data, PYPROJECT, "tool", "poetry", "group", name, "dependencies")
    found.pop("python", None)
    return found


def _group_lines(groups: Mapping[str, object]) -> tuple[str, ...]:
    """The requirements of all dependency groups. Raises InvalidConfig."""
    if not groups:
        return ()
    from dependency_groups import resolve

    found: list[str] = []
    if _size_of(groups) > _MOST_LINES or len(groups) > _MOST_GROUPS:
        raise invalid(PYPROJECT, "is too large", "dependency-groups")
    for name in groups:
        try:
            found += resolve(groups, name)  # type: ignore[arg-type] # It verifies the types.
        except (LookupError, TypeError, ValueError, RecursionError) as exc:
            place = f"dependency-groups.{name}"
            reason = str(exc).partition("\n")[0]
            raise invalid(PYPROJECT, f"is not valid: {reason}", place) from exc
    return tuple(found)


def _size_of(groups: Mapping[str, object]) -> int:
    """How many requirements all groups have when each include is replaced by what it includes.

    Groups that include others twice grow to twice the size with each level.
    """
    named = {_normal(name): value for name, value in groups.items()}
    sizes: dict[str, int] = {}

    def size(name: str, depth: int) -> int:
        items = named.get(name)
        if name not in sizes and isinstance(items, list):
            sizes[name] = 0  # A group that includes itself is an error of its own.
            sizes[name] = sum(size_of(item, depth) for item in items)
        return sizes.get(name, 0)

    def size_of(item: object, depth: int) -> int:
        included = item.get("include-group") if isinstance(item, dict) else None
        if not isinstance(included, str):
            is_long = isinstance(item, str) and len(item) > _MOST_CHARACTERS
            return _MOST_LINES + 1 if is_long else 1
        return size(_normal(included), depth + 1) if depth < _MOST_LEVELS else _MOST_LINES + 1

    return sum(size(name, 0) for name in named)


def _dynamic_files(data: Mapping[str, object]) -> tuple[str, ...]:
    table = table_in(data, PYPROJECT, "tool", "setuptools", "dynamic", "dependencies")
    files = table.get("file", [])
    files = [files] if isinstance(files, str) else files
    return tuple(f for f in files if isinstance(f, str)) if isinstance(files, list) else ()
