"""Node.js projects: what ``package.json`` requires and how it is run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from msgspec.structs import replace

from debughost_cli.models import Dependencies, Detection, ProjectType, Warn
from debughost_cli.project.detect import procfile
from debughost_cli.project.detect.node_choice import choose_script, entry_file, file_of, run_file
from debughost_cli.project.detect.node_folders import install_folders, started_folders
from debughost_cli.project.detect.node_install import Manager, dependencies_of, manager_of
from debughost_cli.project.detect.node_package import FILE, Package, read_package
from debughost_cli.project.detect.node_runtimes import (
    DENO_FILES,
    deno_command,
    is_bun,
    with_runtime,
)
from debughost_cli.project.detect.node_scripts import (
    SimpleCommand,
    chooses_address,
    last_command,
    resolve,
    without_address,
)
from debughost_cli.project.reader import Folder
from debughost_cli.project.starters import STARTERS

FRAMEWORKS: Mapping[str, str] = {
    "next": "Next.js",
    "nuxt": "Nuxt",
    "astro": "Astro",
    "@sveltejs/kit": "SvelteKit",
    "@remix-run/dev": "Remix",
    "@react-router/dev": "React Router",
    "@solidjs/start": "SolidStart",
    "@angular/core": "Angular",
    "gatsby": "Gatsby",
    "react-scripts": "Create React App",
    "@vue/cli-service": "Vue CLI",
    "@11ty/eleventy": "Eleventy",
    "@docusaurus/core": "Docusaurus",
    "@nestjs/core": "NestJS",
    "@adonisjs/core": "AdonisJS",
    "@strapi/strapi": "Strapi",
    "express": "Express",
    "fastify": "Fastify",
    "koa": "Koa",
    "hono": "Hono",
    "@hapi/hapi": "hapi",
}
"""Packages that make a project a Node.js one, whatever other files it has."""
_BOTS = frozenset(
    {"discord.js", "eris", "oceanic.js", "telegraf", "grammy", "node-telegram-bot-api"}
    | {"whatsapp-web.js", "tmi.js", "matrix-bot-sdk", "mineflayer"}
)
"""Packages of programs that connect to a server, and are none."""
_FROM_SOURCE = frozenset({"node-gyp", "node-pty", "node-sass"})
"""Packages that are compiled on Linux when they are installed."""
REDWOOD = "redwood.toml"
_REDWOOD = ("rw", "dev", "--fwd=--host=0.0.0.0 --port={port} --open=false")
"""It starts its two member packages; what follows ``--fwd`` is for the server of its pages."""
_OF_ALL_MEMBERS: Mapping[str, frozenset[str]] = {
    "turbo": frozenset(),
    "lerna": frozenset({"run", "exec"}),
    "nx": frozenset(),
    "npm": frozenset({"--workspaces", "-ws"}),
    "pnpm": frozenset({"-r", "--recursive", "--parallel"}),
    "yarn": frozenset({"workspaces"}),
}
"""Programs that run a script of every member package, with the options by which they do."""

_LOCALHOST_ALONE = (
    # Its allowedDevOrigins, by default from version 16 on.
    Warn(
        "LOCALHOST_ALONE",
        "Next.js reloads a page that was opened by the name localhost alone: "
        "open http://localhost:{port}",
    ),
)


def detect_node(folder: Folder) -> Detection:
    """A Node.js project's detection, with no command where it gives none."""
    if not folder.has(FILE) and folder.first(*DENO_FILES):
        return _detect_deno(folder)
    package = read_package(folder)
    manager = manager_of(folder, package.package_manager)
    command, recognised, entry = _command(folder, package, manager)
    is_worker = False
    if not command and (listed := procfile.web(folder) or procfile.worker(folder)):
        command, recognised, entry = listed, "Procfile", (procfile.FILE,)
        is_worker = not procfile.web(folder)
    framework = recognised or _framework(package)
    return Detection(
        type=ProjectType.NODE,
        command=command,
        framework=framework,
        evidence=folder.present(FILE, manager.lock or "", *entry),
        dependencies=_dependencies(folder, package, manager),
        listens=not (is_worker or _is_bot(package)),
        compiles=bool(package.dependencies & _FROM_SOURCE),
        several=_starts_several(folder, package),
        warnings=_LOCALHOST_ALONE if framework == "Next.js" and "dev" in command else (),
    )


def _detect_deno(folder: Folder) -> Detection:
    """Deno fetches what the sources import when it runs them."""
    return Detection(ProjectType.NODE, deno_command(folder), "Deno", folder.present(*DENO_FILES))


def _dependencies(folder: Folder, package: Package, manager: Manager) -> Dependencies | None:
    choice = choose_script(folder, package)
    inner = started_folders(folder, package, choice.script) if choice else ()
    if not (package.dependencies or package.has_members or inner) or not folder.has(FILE):
        return None
    return dependencies_of(folder, manager, *install_folders(folder, inner))


def _starts_several(folder: Folder, package: Package) -> bool:
    choice = choose_script(folder, package)
    if choice is None:
        return False
    command = last_command(package.scripts[resolve(package.scripts, choice.script)])
    return command is not None and command.tool in STARTERS


def _is_bot(package: Package) -> bool:
    return bool(package.dependencies & _BOTS) and not package.dependencies & FRAMEWORKS.keys()


def _framework(package: Package) -> str:
    known = (name for key, name in FRAMEWORKS.items() if key in package.dependencies)
    return next(known, "Node.js")


def _command(
    folder: Folder, package: Package, manager: Manager
) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """The command, the server that was recognised in it, and the file that it runs."""
    if folder.has(REDWOOD):
        return manager.execute(_REDWOOD), "Redwood", (REDWOOD,)
    choice = choose_script(folder, package)
    if choice:
        script = resolve(package.scripts, choice.script)
        watches = script == "start" and not choice.build and not _is_bot(package)
        words, name = _script_command(package, manager, script, watches=watches)
        if choice.build:
            build = shlex.join(manager.run(choice.build))
            words = ("sh", "-c", f"{build} && exec {shlex.join(words)}")
        return with_runtime(words, package, package.scripts[script]), name, ()
    entry = entry_file(folder, package)
    if entry is None:
        return (), "", ()
    if is_bun(folder, package):
        return with_runtime(("bun", "--watch", entry), package, "bun"), "Bun", (entry,)
    return manager.execute((*run_file(package, entry), entry)), "", (entry,)


def _script_command(
    package: Package, manager: Manager, script: str, *, watches: bool
) -> tuple[tuple[str, ...], str]:
    """``watches``: whether a plain ``node FILE`` is to be run again at every change."""
    command = last_command(package.scripts[script])
    if command is None:
        return manager.run(script), ""
    server = command.server
    flags, name = (server.flags, server.name) if server else ((), "")
    direct = _direct(package, command, script, watches=watches)
    if direct is None:
        return manager.run(script, flags), name
    words = manager.execute((*direct.words, *flags))
    return (("env", *direct.environment, *words) if direct.environment else words), name


def _direct(
    package: Package, command: SimpleCommand, script: str, *, watches: bool
) -> SimpleCommand | None:
    """The script's command, to be run without the script, where the script sets its own port or
    does not see changes.

    Most servers accept an option only once, and an assignment in the script overrides the
    environment. Scripts with pre or post scripts, or with several commands, are run as they are.
    """
    companions = {f"pre{script}", f"post{script}"} & package.scripts.keys()
    known = command.server or command.tool == "node" or command.tool in package.dependencies
    if not command.alone or companions or not known:
        return None
    direct = without_address(command)
    if direct and watches and file_of(command):
        return replace(direct, words=("node", "--watch", *direct.words[1:]))
    return direct if chooses_address(command) else None


def starts_members(folder: Folder, package: Package) -> bool:
    """Whether the script that starts the project starts those of the member packages, all at once.

    They cannot all listen on one port.
    """
    if folder.has(REDWOOD):
        return False
    has_members = package.has_members or folder.has("nx.json")
    choice = choose_script(folder, package) if has_members else None
    if choice is None:
        return has_members
    command = last_command(package.scripts[resolve(package.scripts, choice.script)])
    if command is None:
        return False
    options = _OF_ALL_MEMBERS.get(command.tool)
    return options is not None and (not options or bool(options & set(command.words)))


def has_framework(folder: Folder, package: Package) -> bool:
    """Whether the package is an application: a server, or pages bundled from the root."""
    if package.dependencies & FRAMEWORKS.keys():
        return True
    return folder.has("index.html") and bool(package.dependencies & {"vite", "parcel"})


def runs(folder: Folder, package: Package) -> bool:
    """Whether the package defines how to run it, and that does more than build assets.

    A file that the page at the root loads is run by browsers, whatever its name is.
    """
    choice = choose_script(folder, package)
    if choice is None:
        entry = entry_file(folder, package)
        return entry is not None and entry not in folder.source("index.html")
    command = last_command(package.scripts[resolve(package.scripts, choice.script)])
    return choice.build is not None or command is None or not command.builds_assets
