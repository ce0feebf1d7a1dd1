"""Node.js projects: what ``package.json`` requires and how it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from debughost_cli.models import Dependencies, Detection, ProjectType
from debughost_cli.project.detect.node_install import Manager, dependencies_of, manager_of
from debughost_cli.project.detect.node_scripts import (
    SimpleCommand,
    chooses_address,
    last_command,
    resolve,
    without_address,
)
from debughost_cli.project.reader import Folder, invalid, table_in, text_in

FILE = "package.json"
ENTRIES = ("server.js", "index.js", "app.js", "server.mjs", "index.mjs", "app.mjs", "server.ts")
_DEPENDENCY_TABLES = (
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
)
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


@dataclass(frozen=True)
class Package:
    """The parts of a ``package.json`` that matter here."""

    scripts: Mapping[str, str]
    dependencies: frozenset[str]
    main: str
    package_manager: str
    is_package: bool
    """True where it is a package of its own, not only a list of development tools."""
    has_members: bool


def read_package(folder: Folder) -> Package:
    """Raises InvalidConfig where a field that is used has another type than npm expects."""
    data = folder.json(FILE)
    tables = [table_in(data, FILE, name) for name in _DEPENDENCY_TABLES]
    members = data.get("workspaces")
    if members is not None and not isinstance(members, list | dict):
        raise invalid(FILE, "must be a list or an object", "workspaces")
    return Package(
        scripts=_scripts(data),
        dependencies=frozenset[str]().union(*tables),
        main=text_in(data, FILE, "main"),
        package_manager=text_in(data, FILE, "packageManager"),
        is_package=bool(tables[0]) or any(k in data for k in ("main", "exports", "bin", "module")),
        has_members=bool(members) or folder.has("pnpm-workspace.yaml"),
    )


def _scripts(data: Mapping[str, object]) -> dict[str, str]:
    table = table_in(data, FILE, "scripts")
    return {name: text_in(table, FILE, name, f"scripts.{name}") for name in table}


def detect_node(folder: Folder) -> Detection:
    """A Node.js project's detection, with no command where it gives none."""
    package = read_package(folder)
    manager = manager_of(folder, package.package_manager)
    command, recognised, entry = _command(folder, package, manager)
    return Detection(
        type=ProjectType.NODE,
        command=command,
        framework=recognised or _framework(package),
        evidence=folder.present(FILE, manager.lock or "", *entry),
        dependencies=_dependencies(folder, package, manager),
    )


def _dependencies(folder: Folder, package: Package, manager: Manager) -> Dependencies | None:
    has_contents = package.dependencies or package.has_members
    return dependencies_of(folder, manager) if has_contents and folder.has(FILE) else None


def _framework(package: Package) -> str:
    known = (name for key, name in FRAMEWORKS.items() if key in package.dependencies)
    return next(known, "Node.js")


def start_script(package: Package) -> str | None:
    """The script that starts the project: ``dev``, ``start``, or one that seems to serve."""
    for name in ("dev", "start"):
        if package.scripts.get(name, "").strip():
            return name
    for name in ("serve", "develop", "preview"):
        command = last_command(package.scripts.get(name, ""))
        if command and command.server:
            return name
    return None


def _command(
    folder: Folder, package: Package, manager: Manager
) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """The command, the server that was recognised in it, and the file that it runs."""
    script = start_script(package)
    if script:
        return (*_script_command(package, manager, resolve(package.scripts, script)), ())
    entry = entry_file(folder, package)
    return (("node", "--watch", entry), "", (entry,)) if entry else ((), "", ())


def _script_command(package: Package, manager: Manager, script: str) -> tuple[tuple[str, ...], str]:
    command = last_command(package.scripts[script])
    if command is None:
        return manager.run(script), ""
    server = command.server
    flags, name = (server.flags, server.name) if server else ((), "")
    direct = _direct(package, command, script)
    if direct is None:
        return manager.run(script, flags), name
    words = manager.execute((*direct.words, *flags))
    return (("env", *direct.environment, *words) if direct.environment else words), name


def _direct(package: Package, command: SimpleCommand, script: str) -> SimpleCommand | None:
    """The script's command, to be run without the script, where the script sets its own port.

    Most servers accept an option only once, and an assignment in the script overrides the
    environment. Scripts with pre or post scripts, or with several commands, are run as they are.
    """
    companions = {f"pre{script}", f"post{script}"} & package.scripts.keys()
    known = command.server or command.tool == "node" or command.tool in package.dependencies
    if not command.alone or companions or not known or not chooses_address(command):
        return None
    return without_address(command)


def entry_file(folder: Folder, package: Package) -> str | None:
    """The file that Node.js runs where there is no script: ``main``, if it exists, or a common one.

    A library's ``main`` often names a file that has not been built yet.
    """
    main = package.main.removeprefix("./").rstrip("/")
    candidates = [main, f"{main}.js", f"{main}/index.js"] if _is_plain(main) else []
    return folder.first(*candidates, *ENTRIES)


def _is_plain(name: str) -> bool:
    return bool(name) and not name.startswith(("/", "-")) and ".." not in name.split("/")


def has_framework(folder: Folder, package: Package) -> bool:
    """Whether the package is an application: a server, or pages bundled from the root."""
    if package.dependencies & FRAMEWORKS.keys():
        return True
    return folder.has("index.html") and bool(package.dependencies & {"vite", "parcel"})


def runs(folder: Folder, package: Package) -> bool:
    """Whether the package defines how to run it, and that does more than build assets.

    A file that the page at the root loads is run by browsers, whatever its name is.
    """
    script = start_script(package)
    if script is None:
        entry = entry_file(folder, package)
        return entry is not None and entry not in folder.source("index.html")
    command = last_command(package.scripts[resolve(package.scripts, script)])
    return command is None or not command.builds_assets
