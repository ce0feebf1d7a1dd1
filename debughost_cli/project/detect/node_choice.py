"""Which script or file of a Node.js project is run in development.

A script that starts the program again when a file changes comes before one that does not, and one
that runs the sources before one that runs what has to be built first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from debughost_cli.project.detect.node_package import Package
from debughost_cli.project.detect.node_scripts import SimpleCommand, last_command, resolve
from debughost_cli.project.reader import Folder

_DEVELOPMENT = (
    *("dev", "start:dev", "develop", "dev:start", "devstart", "dev-start", "start-dev", "startdev"),
    *("start:development", "serve:dev", "server:dev", "run:dev"),
)
_RESTARTING = ("watch", "start:watch", "nodemon", "server", "serve")
"""Scripts that are run where their program starts another one again at every change."""
_SERVING = ("serve", "server", "preview", "storybook", "docs:dev", "docs")
_RESTARTERS = frozenset({"nodemon", "ts-node-dev", "tsnd", "node-dev"})
_SEVERAL = frozenset({"concurrently", "run-p", "npm-run-all"})
"""Programs that run several others, of which one has to be a program of Node.js."""
_NODE = re.compile(r"\b(?:node(?!-sass)|nodemon|tsx|ts-node)\b|server", re.IGNORECASE)
_OF_A_BUILD = {
    "next": "start",
    "nuxt": "start",
    "nuxi": "preview",
    "vite": "preview",
    "astro": "preview",
    "remix-serve": "",
    "react-router-serve": "",
}
"""Programs that serve what was built, with the argument with which they do."""

_STEMS = ("server", "index", "app", "main")
ENTRIES = (
    *("server.js", "index.js", "app.js", "server.mjs", "index.mjs", "app.mjs", "server.ts"),
    *("index.ts", "app.ts", "main.ts", "main.js", "bot.js", "bot.ts", "server.cjs", "index.cjs"),
    "bin/www",
)
_SOURCES = tuple(
    f"{folder}/{stem}.{suffix}"
    for folder in ("src", "server")
    for suffix in ("ts", "js", "mjs")
    for stem in (*_STEMS, "bot")
)
"""The same in the folders of applications. Those of a library do not run by themselves."""
_BUILT = ("dist/", "build/", "lib/", "out/")
_RUNNERS = {
    "tsx": ("tsx", "watch"),
    "ts-node-dev": ("ts-node-dev", "--respawn"),
    "ts-node": ("ts-node",),
}
"""Packages that run TypeScript, best first."""


class Choice(Struct, frozen=True):
    """A script to be run; ``build``: the one that has to be run before it."""

    script: str
    build: str | None = None


def choose_script(folder: Folder, package: Package) -> Choice | None:
    """The script that starts the project, None where none seems to."""
    found = next(_scripts_that_run(folder, package), None)
    if found:
        return Choice(found)
    named = [name for name in ("dev", "start") if _text(package, name)]
    if not named:
        return None
    build = "build" if named[-1] == "start" and _text(package, "build") else None
    is_built = build and needs_build(folder, package, "start")
    return Choice("start", build) if is_built else Choice(named[0])


def _scripts_that_run(folder: Folder, package: Package) -> Iterator[str]:
    """Those that run the project, best first."""
    yield from (name for name in _DEVELOPMENT if _runs(package, name))
    variants = [n for n in package.scripts if n.startswith("dev:") and _runs(package, n)]
    if len(variants) == 1:
        yield variants[0]
    can_start = _runs(package, "start") and not needs_build(folder, package, "start")
    if can_start and _is_development_server(package, "start"):
        yield "start"
    others = (name for name in package.scripts if name.startswith(("watch:", "start:")))
    yield from (name for name in (*_RESTARTING, *others) if _restarts(package, name))
    if can_start:
        yield "start"
    yield from (name for name in _SERVING if _serves(folder, package, name))


def _text(package: Package, name: str) -> str:
    return package.scripts.get(name, "").strip()


def _last(package: Package, name: str) -> SimpleCommand | None:
    return last_command(package.scripts[resolve(package.scripts, name)])


def _runs(package: Package, name: str) -> bool:
    """Whether a script exists and does more than build assets."""
    if not _text(package, name):
        return False
    command = _last(package, name)
    return command is None or not command.builds_assets


def _is_development_server(package: Package, name: str) -> bool:
    command = _last(package, name)
    return command is not None and (command.server is not None or _is_restarter(command))


def _restarts(package: Package, name: str) -> bool:
    command = _last(package, name) if _text(package, name) else None
    return command is not None and _is_restarter(command)


def _is_restarter(command: SimpleCommand) -> bool:
    if command.tool in ("nest", "node", "bun"):
        return bool({"--watch", "-w", "--hot"} & set(command.words))
    if command.tool in _SEVERAL:
        return any(_NODE.search(word) for word in command.words)
    return command.tool in _RESTARTERS or (command.tool == "tsx" and "watch" in command.words)


def _serves(folder: Folder, package: Package, name: str) -> bool:
    """Whether a script of another name than ``start`` is a server, or runs a file that exists."""
    command = _last(package, name) if _text(package, name) else None
    if command is None or needs_build(folder, package, name):
        return False
    target = file_of(command)
    return command.server is not None or (target is not None and _exists(folder, package, target))


def needs_build(folder: Folder, package: Package, name: str) -> bool:
    """Whether a script serves what another one, ``build``, writes, and that is not there."""
    if not (_text(package, name) and _text(package, "build")):
        return False
    name = resolve(package.scripts, name)
    command = last_command(package.scripts[name])
    if command is None or not command.alone or f"pre{name}" in package.scripts:
        return False
    verb = _OF_A_BUILD.get(command.tool)
    if verb is not None:
        return verb in ("", *command.words[1:2])
    target = file_of(command)
    return target is not None and not _exists(folder, package, target)


def file_of(command: SimpleCommand) -> str | None:
    """The file that ``node`` runs; None for another program, and where options hide it."""
    if command.tool != "node":
        return None
    words = [word for word in command.words[1:] if not word.startswith("-")]
    return words[0] if len(words) == 1 and _is_plain(words[0]) else None


def _exists(folder: Folder, package: Package, name: str) -> bool:
    if name == ".":
        name = package.main or "index"
    name = name.removeprefix("./").rstrip("/")
    return folder.first(name, f"{name}.js", f"{name}/index.js") is not None


def entry_file(folder: Folder, package: Package) -> str | None:
    """The file that Node.js runs where there is no script: ``main``, if it exists, or a common one.

    A library's ``main`` often names a file that has not been built yet.
    """
    candidates = []
    for named in (package.main, package.module):
        name = named.removeprefix("./").rstrip("/")
        if _is_plain(name):
            candidates += [name, f"{name}.js", f"{name}/index.js"]
    is_library = package.main.removeprefix("./").startswith(_BUILT)
    return folder.first(*candidates, *ENTRIES, *(() if is_library else _SOURCES))


def _is_plain(name: str) -> bool:
    return bool(name) and not name.startswith(("/", "-")) and ".." not in name.split("/")


def run_file(package: Package, entry: str) -> tuple[str, ...]:
    """The program that runs an entry file, and again at every change; without the file's name.

    The first word is ``node``, or one of an installed package. Node.js itself runs TypeScript
    where that has nothing but types in addition.
    """
    if entry.endswith(".ts"):
        for name, words in _RUNNERS.items():
            if name in package.dependencies:
                return words
    return ("node", "--watch")
