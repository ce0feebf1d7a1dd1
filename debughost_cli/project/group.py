"""Groups: the projects in the folders below one, as a file there names them.

``debughost.workspace.toml``, or ``[workspace]`` in ``debughost.toml``, has ``members``: a list of
folders, of which ``apps/*`` stands for all projects in one, or a table by name::

    [members.web]
    path = "apps/web"
    depends_on = ["api"]

Without such a file, the programs that detection finds in a folder are a group. Files of a workspace
are not trusted: members are folders below the file's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from msgspec import Struct
from msgspec.structs import replace

from debughost_cli.errors import DebughostError, InvalidConfig
from debughost_cli.project.beneath import UnusableFile, read_beneath
from debughost_cli.project.configuration import CONFIG_FILE, GROUP_KEY, read_file
from debughost_cli.project.detect import detect, find_programs
from debughost_cli.project.detect.parts import inside
from debughost_cli.project.reader import Folder
from debughost_cli.project.toml import parse_toml
from debughost_cli.project.unsafe_mounts import unsafe_mount_reason

GROUP_FILE = "debughost.workspace.toml"
MOST_MEMBERS = 50
_FIELDS = ("path", "depends_on")


class Member(Struct, frozen=True):
    """A project of a group. ``depends_on``: names of members that are ready before it starts.

    ``command``: what runs it in ``folder``, where that holds several members; empty for its own.
    """

    name: str
    folder: Path
    depends_on: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


class Group(Struct, frozen=True):
    """The members, each after those that it depends on. ``file``: None where none names them."""

    root: Path
    file: Path | None
    members: tuple[Member, ...]


def find_group(folder: Path) -> Group | None:
    """The group of a resolved folder: a file's in it or in its nearest parent, else its programs.

    Raises InvalidConfig.
    """
    for place in (folder, *folder.parents):
        if place != folder and unsafe_mount_reason(place):
            break
        found = declared_group(place)
        if found:
            return found
    members = tuple(_shared(folder).values()) or tuple(_own(folder))
    return Group(folder, None, members) if members else None


def _shared(root: Path) -> dict[str, Member]:
    """The programs of a package with members, whose dependencies are installed at its root."""
    parts, shared = find_programs(root)
    named = {p.folder: Member(_last(p.folder), root, command=inside(p, "$PORT")) for p in parts}
    return named if shared else {}


def _own(root: Path) -> Iterator[Member]:
    parts, _ = find_programs(root)
    yield from (Member(_last(p.folder), root / p.folder) for p in parts)


def _last(folder: str) -> str:
    return folder.rpartition("/")[2]


def declared_group(root: Path) -> Group | None:
    """The group that a file in this folder names. Raises InvalidConfig."""
    for read in (_of_own_file, _of_settings):
        file, table = read(root)
        if table is not None:
            return _group(root, file, table)
    return None


def _of_own_file(root: Path) -> tuple[Path, object]:
    file = root / GROUP_FILE
    try:
        return file, parse_toml(read_beneath(root, GROUP_FILE).decode("utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return file, None
    except (OSError, UnusableFile, ValueError, RecursionError) as exc:
        raise _invalid(file, f"cannot be read: {exc}") from None


def _of_settings(root: Path) -> tuple[Path, object]:
    file, table, _ = read_file(root)
    return file or root / CONFIG_FILE, table.get(GROUP_KEY)


def _group(root: Path, file: Path, table: object) -> Group:
    if not isinstance(table, dict) or set(table) - {"members"} or "members" not in table:
        raise _invalid(file, "must have 'members', and nothing else")
    given = table["members"]
    shared = _shared(root)
    members: dict[str, Member] = {}
    for name, path, depends_on in _entries(root, file, given):
        if name in members:
            raise _invalid(file, f"has two members called {name!r}", "Give one another name: ")
        found = shared.get(path) or Member(name, _folder(root, file, path))
        members[name] = replace(found, name=name, depends_on=depends_on)
    if not 0 < len(members) <= MOST_MEMBERS:
        raise _invalid(file, f"has {len(members)} members; there may be 1 to {MOST_MEMBERS}")
    _check_names(file, members)
    try:
        order = in_order({name: m.depends_on for name, m in members.items()})
    except ValueError as exc:
        raise _invalid(file, f"has members that depend on each other: {exc}") from None
    return Group(root, file, tuple(members[name] for name in order))


def _entries(root: Path, file: Path, given: object) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name, path and dependencies of each."""
    if isinstance(given, list) and all(isinstance(path, str) and path for path in given):
        for path in given:
            for found in _matching(root, path):
                yield _last(found), found, ()
        return
    if not isinstance(given, dict):
        raise _invalid(file, "has members that are neither a list of folders nor a table by name")
    for name, facts in given.items():
        if not isinstance(facts, dict):
            raise _invalid(file, f"members.{name} must be a table of {' and '.join(_FIELDS)}")
        unknown = next(iter(set(facts) - set(_FIELDS)), None)
        if unknown is not None:
            near = get_close_matches(str(unknown), _FIELDS, 1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise _invalid(file, f"members.{name} has an unknown setting {unknown!r}{meant}")
        path, needed = facts.get("path", name), facts.get("depends_on", [])
        if not isinstance(path, str) or not _are_names(needed):
            raise _invalid(file, f"members.{name}: path is a folder, depends_on a list of names")
        yield str(name), path.strip("/"), tuple(needed)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _matching(root: Path, path: str) -> list[str]:
    """The folder itself, or with ``*`` at its end those in it that hold a project."""
    path = path.strip("/")
    parent, _, last = path.rpartition("/")
    if last != "*":
        return [path]
    folders = Folder(root).subfolders(parent or ".", most=MOST_MEMBERS + 1)
    named = [f"{parent}/{name}" if parent else name for name in folders]
    shared = _shared(root)
    return [name for name in named if name in shared or _is_program(root / name)]


def _is_program(folder: Path) -> bool:
    try:
        return bool(read_file(folder)[0] or detect(folder).command)
    except DebughostError:
        return False


def _folder(root: Path, file: Path, path: str) -> Path:
    """A member's folder, which is below the file's own also where a link leads."""
    parts = PurePosixPath(path).parts
    folder = root / path
    if not parts or ".." in parts or not Folder(root).has_folder(path):
        raise _invalid(file, f"has a member {path!r}, which is no folder below {root}")
    if not folder.resolve().is_relative_to(root.resolve()):
        raise _invalid(file, f"has a member {path!r}, which leads out of {root}")
    return folder.resolve()


def _check_names(file: Path, members: Mapping[str, Member]) -> None:
    for member in members.values():
        for name in member.depends_on:
            if name in members:
                continue
            near = get_close_matches(name, members, 1)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            raise _invalid(file, f"has no member {name!r}, on which {member.name!r} depends", meant)


def _invalid(file: Path, problem: str, hint: str = "") -> InvalidConfig:
    example = 'members = ["api", "web"], or [members.web] with path and depends_on = ["api"]'
    return InvalidConfig(
        f"{file} {problem}", hint=f"{hint}For example {example}", details={"file": str(file)}
    )


def in_order(depends_on: Mapping[str, Sequence[str]]) -> list[str]:
    """The names, each after all that it depends on; else in the order in which they are given.

    Names that are not there are left out. Raises ValueError, with the names of the cycle.
    """
    done: list[str] = []
    path: list[str] = []

    def visit(name: str) -> None:
        if name in done:
            return
        if name in path:
            raise ValueError(" -> ".join([*path[path.index(name) :], name]))
        path.append(name)
        for needed in depends_on[name]:
            if needed in depends_on:
                visit(needed)
        path.pop()
        done.append(name)

    for name in depends_on:
        visit(name)
    return done


def address_variable(name: str) -> str:
    """The variable with the address of a member, for the others: ``my-api`` is ``MY_API_URL``."""
    made = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"_{made}_URL" if made[:1].isdigit() else f"{made}_URL"
