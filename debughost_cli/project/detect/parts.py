"""The parts of a workspace that holds several programs: each in a folder of its own.

One container runs one of them. Where the workspace's root says what to run, that is run; where it
does not, a single part is run and several are listed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

from msgspec import Struct

from debughost_cli.errors import DebughostError, InvalidConfig
from debughost_cli.models import Detection, NoCommand, ProjectType, Warn
from debughost_cli.names import project_id_from
from debughost_cli.project.detect.node_package import FILE, read_package
from debughost_cli.project.detect.shell import join
from debughost_cli.project.reader import Folder

_GROUPS = ("apps", "packages", "services", "projects", "sites", "examples")
"""Folders whose subfolders may be parts."""
_NO_PARTS = frozenset(
    {"docs", "doc", "test", "tests", "e2e", "scripts", "node_modules", "vendor", "venv", "env"}
    | {"dist", "build", "out", "public", "static", "assets", "coverage", "bin", "lib", "tools"}
)
_PAGES = frozenset({"frontend", "client", "web", "www", "ui", "site", "website"})
"""Folders in which files alone, without a program, are a part."""
_SIDES = frozenset({"frontend", "client", "webapp", "ui", "backend", "server", "api"})
"""Folders of programs that stand beside another one at the root."""
_MANIFESTS = (
    *(FILE, "requirements.txt", "pyproject.toml", "manage.py", "composer.json"),
    *("app.py", "main.py", "index.php", "index.html"),
)
_MOST = 8
"""How many parts are listed."""


Detect = Callable[[Folder], Detection]


class Part(Struct, frozen=True):
    """A folder of the workspace with a program that could be run by itself."""

    folder: str
    found: Detection

    @property
    def text(self) -> str:
        return f"{self.folder} ({self.found.framework})"


def find_parts(folder: Folder, detect: Detect) -> list[Part]:
    """The first parts of a workspace, by name. ``detect``: detection in one folder alone."""
    parts = []
    for name in _candidates(folder):
        found = _detected(folder.inner(name), detect)
        if found and found.command and _counts(name, found):
            parts.append(Part(name, found))
            if len(parts) == _MOST:
                break
    return parts


def find_beside(folder: Folder, found: Detection, detect: Detect) -> list[Part]:
    """The parts that the program at the root, as it was found, has nothing to do with."""
    command = " ".join(found.command)
    try:
        package = read_package(folder) if folder.has(FILE) else None
    except InvalidConfig:  # Of a project of another type, it does not matter.
        package = None
    if package and package.has_members:
        return []
    scripts = "\n".join([command, *(package.scripts.values() if package else ())])
    beside = []
    for name in sorted(_SIDES):
        if not _has_manifest(folder, name) or re.search(rf"\b{name}\b", scripts):
            continue
        part = _detected(folder.inner(name), detect)
        if part and part.command and _counts(name, part):
            beside.append(Part(name, part))
    return beside


def name_beside(folder: Folder, parts: list[Part]) -> tuple[Warn, ...]:
    """The warning about them, with the command for each."""
    if not parts:
        return ()
    names = ", ".join(part.text for part in parts)
    commands = "; ".join(_up(folder, part, shared=False) for part in parts)
    text = f"{names} {'is' if len(parts) == 1 else 'are'} not started by this: {commands}"
    return (Warn("PARTS_NOT_STARTED", text),)


def _candidates(folder: Folder) -> Iterator[str]:
    for name in folder.subfolders():
        if name in _GROUPS:
            inner = [f"{name}/{sub}" for sub in folder.subfolders(name)]
            yield from (path for path in inner if _has_manifest(folder, path))
        elif name not in _NO_PARTS and _has_manifest(folder, name):
            yield name


def _has_manifest(folder: Folder, name: str) -> bool:
    # Most folders that could be there are not: one look in place of one for each manifest.
    manifests = (f"{name}/{manifest}" for manifest in _MANIFESTS)
    return folder.has_folder(name) and folder.first(*manifests) is not None


def _detected(folder: Folder, detect: Detect) -> Detection | None:
    try:
        return detect(folder)
    except DebughostError:  # A part that cannot be read does not hide the others.
        return None


def _counts(name: str, found: Detection) -> bool:
    return found.type is not ProjectType.STATIC or name.rpartition("/")[2] in _PAGES


def inside(part: Part, port: str = "{port}") -> tuple[str, ...]:
    """The command that runs a part from the root, where its dependencies are installed."""
    return ("sh", "-c", f"cd {shlex.quote(part.folder)} && exec {join(part.found.command, port)}")


def list_parts(folder: Folder, parts: list[Part], *, shared: bool) -> NoCommand:
    """The message that lists parts, with the command for each.

    ``shared``: they are members of one package, whose dependencies are installed at its root.
    """
    commands = [_up(folder, part, shared=shared) for part in parts]
    rest = "; or all of them: debughost up --all" if len(parts) > 1 else ""
    what = f"{len(parts)} programs" if len(parts) > 1 else "a program in a subfolder"
    return NoCommand(
        f"{folder.root} holds {what}: {', '.join(part.text for part in parts)}",
        hint=f"Start {'one of them' if len(parts) > 1 else 'it'}: {'; or '.join(commands)}{rest}",
        details={
            "workspace": str(folder.root),
            "parts": [
                {"folder": p.folder, "type": p.found.type.value, "framework": p.found.framework}
                | {"command": list(p.found.command), "up": up}
                for p, up in zip(parts, commands, strict=True)
            ],
        },
    )


def _up(folder: Folder, part: Part, *, shared: bool) -> str:
    if shared:
        return f"debughost up -- {shlex.join(inside(part, '$PORT'))}"
    name = project_id_from(f"{folder.root.name}-{part.folder.rpartition('/')[2]}")
    chosen = f" -p {name}" if name else ""
    return f"debughost up -w {shlex.quote(str(folder.root / part.folder))}{chosen}"
