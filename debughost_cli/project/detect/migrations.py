"""A project's database migrations: by which tool, and with which command they are applied.

Nothing here applies them: what they do to a database is the user's own decision, and many projects
do it in their own start script.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from debughost_cli.models import ProjectType
from debughost_cli.project.detect import php, python
from debughost_cli.project.detect.node_install import manager_of
from debughost_cli.project.detect.node_package import FILE as PACKAGE
from debughost_cli.project.detect.node_package import Package, read_package
from debughost_cli.project.detect.python_manifests import packages_of
from debughost_cli.project.reader import Folder, table_in

_OWN = re.compile(r"migrat|db[ :]push|upgrade head|db[ :]upgrade", re.IGNORECASE)
"""In a start script: it applies them itself."""
_SQLITE_URL = re.compile(r"^\s*sqlalchemy\.url\s*=\s*sqlite:///(?!/)(\S+)", re.MULTILINE)
_PRISMA_URL = re.compile(r'\burl\s*=\s*(?:"file:([^"?]+)|env\("(\w+)"\))')
_SCHEMAS = ("prisma/schema.prisma", "schema.prisma")
_TOOLS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "knex": (
        ("knexfile.js", "knexfile.ts", "knexfile.cjs", "knexfile.mjs"),
        ("knex", "migrate:latest"),
    ),
    "sequelize-cli": ((".sequelizerc", "config/config.json"), ("sequelize-cli", "db:migrate")),
    "drizzle-kit": (
        ("drizzle.config.ts", "drizzle.config.js", "drizzle.config.mjs"),
        ("drizzle-kit", "migrate"),
    ),
    "@adonisjs/lucid": (("ace.js", "ace"), ("node", "ace", "migration:run")),
}
"""Packages of Node.js, the files that they are set up in, and what applies the migrations."""


class Migrations(Struct, frozen=True):
    """``place``: what shows that there are some. ``command``: applies them, run in the workspace.

    ``database``: the file that SQLite keeps the tables in; empty where that is not known.
    """

    place: str
    command: tuple[str, ...]
    database: str = ""


def find_migrations(
    folder: Folder, type_: ProjectType, command: Sequence[str]
) -> Migrations | None:
    """None where there are none, or where ``command``, the project's own, applies them.

    Raises InvalidConfig for a manifest that cannot be read.
    """
    if _OWN.search(_text(folder, command)):
        return None
    find = _BY_TYPE.get(type_)
    return find(folder, command) if find else None


def _text(folder: Folder, command: Sequence[str]) -> str:
    """The command, with the scripts of the package that it may run."""
    scripts = read_package(folder).scripts if folder.has(PACKAGE) else {}
    named = [scripts.get(f"{before}{word}", "") for word in command for before in ("pre", "")]
    return "\n".join([" ".join(command), *named])


def _python(folder: Folder, command: Sequence[str]) -> Migrations | None:
    file = "manage.py" if python.is_django(folder) else python.nested_django(folder)
    if file:
        return Migrations(file, ("python", file, "migrate"))
    if folder.has("migrations/env.py") and "flask-migrate" in packages_of(folder):
        return Migrations("migrations/env.py", ("flask", *_flask_app(command), "db", "upgrade"))
    if folder.has("alembic.ini"):
        found = _SQLITE_URL.search(folder.source("alembic.ini"))
        database = _inside(found[1]) if found else ""
        return Migrations("alembic.ini", ("alembic", "upgrade", "head"), database)
    return None


def _flask_app(command: Sequence[str]) -> Sequence[str]:
    words = list(command)
    at = words.index("--app") if "--app" in words else len(words)
    return words[at : at + 2]


def _node(folder: Folder, command: Sequence[str]) -> Migrations | None:
    package = read_package(folder)
    schema = folder.first(*_SCHEMAS)
    if schema and package.dependencies & {"prisma", "@prisma/client"}:
        return _prisma(folder, package, schema)
    for name, (files, words) in _TOOLS.items():
        file = folder.first(*files)
        if file and name in package.dependencies:
            return Migrations(file, _run(folder, package, words))
    return None


def _prisma(folder: Folder, package: Package, schema: str) -> Migrations:
    base = posixpath.dirname(schema)
    words = ("migrate", "deploy") if folder.has_folder("prisma/migrations") else ("db", "push")
    found = _PRISMA_URL.search(folder.source(schema))
    path = (found[1] or _file_url(folder, found[2])) if found else ""
    database = _inside(posixpath.join(base, path)) if path else ""
    return Migrations(schema, _run(folder, package, ("prisma", *words)), database)


def _file_url(folder: Folder, variable: str) -> str:
    """The path in a variable ``file:...`` of the ``.env``; empty where it is no file."""
    found = re.search(rf"^{variable}=[\"']?file:([^\"'?\s]+)", folder.source(".env"), re.MULTILINE)
    return found[1] if found else ""


def _run(folder: Folder, package: Package, words: tuple[str, ...]) -> tuple[str, ...]:
    return manager_of(folder, package.package_manager).execute(words)


def _php(folder: Folder, command: Sequence[str]) -> Migrations | None:
    if php.is_laravel(folder) and folder.has_folder("database/migrations"):
        is_sqlite = re.search(r"^DB_CONNECTION=sqlite\b", folder.source(".env"), re.MULTILINE)
        database = "database/database.sqlite" if is_sqlite else ""
        return Migrations("database/migrations", ("php", "artisan", "migrate"), database)
    required = table_in(folder.json(php.FILE), php.FILE, "require")
    if php.is_symfony(folder) and "doctrine/doctrine-migrations-bundle" in required:
        words = ("php", "bin/console", "doctrine:migrations:migrate", "--no-interaction")
        return Migrations("migrations", words)
    return None


def _inside(path: str) -> str:
    """The path where it leads into the workspace, else empty."""
    path = posixpath.normpath(path)
    return "" if path.startswith(("/", "..")) else path


_BY_TYPE: Mapping[ProjectType, Callable[[Folder, Sequence[str]], Migrations | None]] = {
    ProjectType.PYTHON: _python,
    ProjectType.NODE: _node,
    ProjectType.PHP: _php,
}
