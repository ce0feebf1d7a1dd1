"""Which services a workspace seems to need beside its program, such as a database.

Nothing is started because of it: it is what ``init`` writes as a comment, and what is proposed to
a program that found no database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct

from debughost_cli.errors import InvalidConfig
from debughost_cli.project.detect import php
from debughost_cli.project.detect.node_package import FILE as PACKAGE
from debughost_cli.project.detect.node_package import read_package
from debughost_cli.project.detect.python_manifests import PYPROJECT, REQUIREMENTS, packages_of
from debughost_cli.project.detect.python_other import REQUIREMENT_FILES, SETUP
from debughost_cli.project.detect.service_names import (
    DRIVERS_NODE,
    DRIVERS_PHP,
    DRIVERS_PYTHON,
    IMAGES,
    SCHEMES,
    VARIABLES_READ,
    kind_of_image,
)
from debughost_cli.project.reader import Folder, table_in

COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_EXAMPLES = (
    ".env.example", ".env.sample", ".env.dist", ".env.template", ".env.local.example",
    "env.example", "example.env", ".env",
)  # fmt: skip
_SCHEMAS = ("prisma/schema.prisma", "schema.prisma", "db/schema.prisma")
_SOURCES = (".py", ".js", ".ts", ".mjs", ".cjs", ".php")
_MOST_SOURCES = 10
"""How many files of each kind are looked into, in the workspace's root alone."""
_NO_PARTS = frozenset({"node_modules", "vendor", "venv", "env"})
_MANIFESTS = (
    REQUIREMENTS, PYPROJECT, *REQUIREMENT_FILES, "Pipfile", *SETUP, PACKAGE, php.FILE,
)  # fmt: skip

_COMPOSE_IMAGE = re.compile(r"^[ \t]+image:[ \t]*[\"']?([\w./:@${}-]{1,200})", re.MULTILINE)
_DEFAULT = re.compile(r"\$\{\w{1,80}:?-([^}$]{0,80})\}")
_PROVIDER = re.compile(r"^\s*provider\s*=\s*\"(postgresql|mysql|mongodb)\"", re.MULTILINE)
_ENGINE = re.compile(
    r"^(?!\s*#).{0,200}?django\.(?:contrib\.gis\.)?(?:db\.backends|core\.cache\.backends)"
    r"\.(postgresql|postgis|mysql|redis|memcached)",
    re.MULTILINE,
)
_SETTINGS_MODULE = re.compile(r"DJANGO_SETTINGS_MODULE[\"']\s*,\s*[\"']([\w.]{1,100})[\"']")
_URL = re.compile(rf"\b({'|'.join(SCHEMES)})(?:\+(?!srv)\w{{1,20}})?://")
_URL_VARIABLE = re.compile(
    rf"^[ \t]*(?:export[ \t]+)?(\w{{1,80}})[ \t]*=[ \t]*[\"']?({'|'.join(SCHEMES)})"
    r"(?:\+(?!srv)\w{1,20})?://",
    re.MULTILINE,
)
_CHOICE = re.compile(
    r"^(\w{1,40}_(?:CONNECTION|DRIVER|STORE))=[\"']?(pgsql|mysql|mariadb|redis|memcached)\b",
    re.MULTILINE,
)
"""Laravel's choices: its other variables are there whether or not they are used."""
_READ = re.compile(rf"\b({'|'.join(VARIABLES_READ)})\b")
_PLAIN_NAME = re.compile(r"[\w.-]{1,80}", re.ASCII)
"""Of files and folders that are named to people, and in a file that is written."""
_OTHER_WORDS = {
    "postgresql": "postgres", "pgsql": "postgres", "postgis": "postgres", "mongodb": "mongo",
}  # fmt: skip
_SAME_FAMILY = {"mariadb": "mysql", "valkey": "redis"}
"""One of a family is enough: it is the same protocol."""


class NeededService(Struct, frozen=True):
    """``kind``: as in IMAGES. ``image``: what would be run. ``reason``: what shows the need."""

    kind: str
    image: str
    reason: str


def find_services(folder: Folder) -> tuple[NeededService, ...]:
    """Those that the files of a workspace speak of; of a family the one with the best reason."""
    found: dict[str, NeededService] = {}
    for look in (_compose, _prisma, _django, _examples, _dependencies, _code):
        # A manifest that cannot be read is reported where it is needed.
        with suppress(InvalidConfig):
            for need in look(folder):
                found.setdefault(_SAME_FAMILY.get(need.kind, need.kind), need)
    return tuple(sorted(found.values(), key=lambda n: list(IMAGES).index(n.kind)))


def _need(word: str, reason: str, image: str = "") -> NeededService:
    kind = _OTHER_WORDS.get(word, word)
    return NeededService(kind, image or IMAGES[kind], reason)


def _compose(folder: Folder) -> Iterator[NeededService]:
    file = folder.first(*COMPOSE_FILES)
    for image in _COMPOSE_IMAGE.findall(folder.source(file)) if file else ():
        given = _DEFAULT.sub(r"\1", image)
        kind, is_same = kind_of_image(given.partition("$")[0])
        if kind:
            as_it_is = given if is_same and "$" not in given else ""
            yield _need(kind, f"{given} in {file}", as_it_is)


def _prisma(folder: Folder) -> Iterator[NeededService]:
    file = folder.first(*_SCHEMAS)
    for word in _PROVIDER.findall(folder.source(file)) if file else ():
        yield _need(word, f"{word} in {file}")


def _django(folder: Folder) -> Iterator[NeededService]:
    for file in _django_settings(folder):
        for word in _ENGINE.findall(folder.source(file)):
            image = "postgis/postgis:17-3.5" if word == "postgis" else ""
            yield _need(word, f"{word} in {file}", image)


def _django_settings(folder: Folder) -> tuple[str, ...]:
    """The settings that ``manage.py`` names, and those that they are likely to begin with."""
    for base in ("", *(f"{name}/" for name in _parts(folder))):
        named = _SETTINGS_MODULE.search(folder.source(f"{base}manage.py"))
        if named:
            path = base + named[1].replace(".", "/")
            parent = path.rpartition("/")[0]
            return folder.present(f"{path}.py", f"{path}/__init__.py", f"{parent}/base.py")
    return ()


def _examples(folder: Folder) -> Iterator[NeededService]:
    for file in folder.present(*_EXAMPLES):
        text = folder.source(file)
        for name, scheme in _URL_VARIABLE.findall(text):
            yield _need(SCHEMES[scheme], f"{name} in {file}")
        for name, word in _CHOICE.findall(text):
            yield _need(word, f"{name}={word} in {file}")


def _dependencies(folder: Folder) -> Iterator[NeededService]:
    for base in ("", *_parts(folder)):
        place = folder.inner(base) if base else folder
        for names, drivers in _LANGUAGES:
            with suppress(InvalidConfig):
                for name in sorted(names(place) & drivers.keys()):
                    yield _need(drivers[name], _reason(place, base, name))


def _reason(place: Folder, base: str, name: str) -> str:
    """A driver with the first manifest that names it."""
    plain = _plain(name.partition("[")[0])
    files = (f for f in place.present(*_MANIFESTS) if plain in _plain(place.source(f)))
    file = next(files, "")
    path = f"{base}/{file}" if base and file else file
    return f"{name} in {path}" if path else f"{name} among the dependencies"


def _plain(text: str) -> str:
    """As distributions are compared: PyMySQL is pymysql, psycopg2_binary is psycopg2-binary."""
    return text.lower().replace("_", "-")


def _python(place: Folder) -> set[str]:
    """The distributions, and for each extra a ``name[extra]``."""
    if not place.first(*_MANIFESTS[:-2]):
        return set()
    found = packages_of(place)
    return {*found, *(f"{name}[{extra}]" for name, extras in found.items() for extra in extras)}


def _node(place: Folder) -> set[str]:
    return set(read_package(place).dependencies) if place.has(PACKAGE) else set()


def _php(place: Folder) -> set[str]:
    return set(table_in(place.json(php.FILE), php.FILE, "require"))


_LANGUAGES = ((_python, DRIVERS_PYTHON), (_node, DRIVERS_NODE), (_php, DRIVERS_PHP))


def _code(folder: Folder) -> Iterator[NeededService]:
    files = [name for suffix in _SOURCES for name in folder.files(suffix, most=_MOST_SOURCES)]
    for file in filter(_PLAIN_NAME.fullmatch, files):
        text = folder.source(file)
        for scheme in _URL.findall(text):
            yield _need(SCHEMES[scheme], f"{scheme}:// in {file}")
        for name in _READ.findall(text):
            yield _need(VARIABLES_READ[name], f"{name} in {file}")


def _parts(folder: Folder) -> list[str]:
    """The subfolders that may be parts of the project."""
    found = (name for name in folder.subfolders() if name not in _NO_PARTS)
    return list(filter(_PLAIN_NAME.fullmatch, found))
