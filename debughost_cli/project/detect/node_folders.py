"""The folders of a workspace with packages of their own that a script at its root starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from debughost_cli.errors import InvalidConfig
from debughost_cli.project.detect.node_install import manager_of, manifests
from debughost_cli.project.detect.node_package import FILE, Package, read_package
from debughost_cli.project.reader import Folder

_CHANGES = re.compile(
    r"(?:\bcd|--prefix|--cwd|--dir|-C)(?:[ =]+)[\"']?(?:\./)?([\w@.-]+(?:/[\w@.-]+){0,2})"
)
"""What leads a shell or a package manager into another folder."""
_WORD = re.compile(r"[\w:.*-]+")
_OF_INSTALL = ("preinstall", "install", "postinstall", "prepare")
_MOST = 4
"""How many folders are looked for."""
_MOST_CHARACTERS = 20_000
"""How much text of scripts is searched."""
# What is in the folder may be the host's own, made for another platform. The mark is in a volume,
# and is set first: an install that was interrupted is begun again.
_INSTALL = """\
mark="/var/cache/debughost/parts-$PROJECT_ID-{name}"
if [ -e "$mark" ] || [ ! -e {folder}/node_modules ]; then
    touch "$mark"
    echo 'debughost: installing the packages of {folder}' >&2
    (
        cd {folder}
        {install}
    )
else
    echo 'debughost: {folder}/node_modules was there before and is used as it is' >&2
fi
"""


def started_folders(folder: Folder, package: Package, script: str) -> tuple[str, ...]:
    """Those that a script starts, directly or not, and that the root does not install itself."""
    if package.has_members:
        return ()
    installed = " ".join(package.scripts.get(name, "") for name in _OF_INSTALL)
    named = _CHANGES.findall(_text(package, script))
    found = (n for n in dict.fromkeys(named) if ".." not in n and folder.has(f"{n}/{FILE}"))
    return tuple(n for n in found if not re.search(rf"\b{re.escape(n)}\b", installed))[:_MOST]


def _text(package: Package, script: str) -> str:
    """The texts of a script and of all that it names."""
    seen: dict[str, None] = {}
    waiting, left = [script], _MOST_CHARACTERS
    while waiting and left > 0:
        name = waiting.pop()
        if name in seen:
            continue
        seen[name] = None
        text = package.scripts[name][:left]
        left -= len(text)
        waiting += _named(text, package.scripts)
    return "\n".join(package.scripts[name] for name in seen)[:_MOST_CHARACTERS]


def _named(text: str, scripts: Iterable[str]) -> Iterator[str]:
    """The scripts that a text names: ``npm run a``, ``yarn a``, ``npm:a``, ``npm:a:*``."""
    words = {word.removeprefix("npm:") for word in _WORD.findall(text)}
    patterns = [word for word in words if ":" in word and word.endswith("*")][:_MOST]
    for name in scripts:
        if name in words or any(fnmatchcase(name, pattern) for pattern in patterns):
            yield name


def install_folders(folder: Folder, names: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """The files on which the installs in these folders depend, and shell text for the installs."""
    files, text = [], ""
    for name in names:
        inner = folder.inner(name)
        try:
            manager = manager_of(inner, read_package(inner).package_manager)
        except InvalidConfig:
            continue
        files += [f"{name}/{file}" for file in manifests(inner, manager)]
        install = manager.install.strip().replace("\n", "\n        ")
        text += _INSTALL.format(folder=name, name=name.replace("/", "-"), install=install)
    return tuple(files), text
