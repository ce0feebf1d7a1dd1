"""Detects what a workspace is, how it is run, and how its dependencies are installed.

Only a few named files in the workspace are read. The type is that of the first rule that matches:
the main process of a project decides, not the tools for its assets.

1.  manage.py (Django)                                                       python
2.  artisan or bin/console beside composer.json, WordPress's own files       php
3.  composer.json beside an index.php, at the root or in a document root     php
4.  package.json with a framework that serves (Next.js, Express, ...), or
    with Vite or Parcel beside an index.html at the root                     node
5.  a Python web application: its object found in a module, a .flaskenv, or
    a web framework among the dependencies                                   python
6.  index.php at the root or in a document root                              php
7.  package.json that defines how to run it (a dev or start script that does
    more than build assets, or an entry file that exists)                    node
8.  app.py, main.py, a pyproject.toml that names a project, or a manage.py
    in a subfolder without a package.json at the root                        python
9.  index.html at the root, where package.json defines nothing to run and
    there is no requirements.txt                                             static
10. index.html in public, dist, docs, ... beside a package.json that has
    no scripts                                                               static
11. package.json of a package (dependencies, main, exports, ...)             node
12. pyproject.toml, requirements.txt, setup.py, Pipfile, or a site of MkDocs,
    Sphinx, Pelican, ...                                                     python
13. composer.json                                                            php
14. package.json, deno.json                                                  node
15. index.html in public, dist, docs, ...                                    static
16. PHP files                                                                php
17. one Python file that is written to be run, or notebooks                  python

Where the root does not say what is run, the subfolders are looked at: see parts.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from debughost_cli.errors import TypeUnknown
from debughost_cli.models import Dependencies, Detection, NoCommand, ProjectType
from debughost_cli.project.detect import node, nx, php, python, static
from debughost_cli.project.detect.node_package import FILE as PACKAGE
from debughost_cli.project.detect.node_package import read_package
from debughost_cli.project.detect.node_runtimes import DENO_FILES
from debughost_cli.project.detect.parts import (
    Part,
    find_beside,
    find_parts,
    inside,
    list_parts,
    name_beside,
)
from debughost_cli.project.detect.python_apps import find_app
from debughost_cli.project.detect.python_manifests import (
    PYPROJECT,
    REQUIREMENTS,
    packages_of,
    read_pyproject,
)
from debughost_cli.project.detect.python_other import REQUIREMENT_FILES, SETUP
from debughost_cli.project.detect.python_sites import has_site
from debughost_cli.project.detect.unsupported import unsupported
from debughost_cli.project.reader import Folder, checksum_inside

__all__ = ["detect", "find_programs", "manifest_lines"]

Test = Callable[[Folder], bool]


def _has(*names: str) -> Test:
    return lambda folder: folder.first(*names) is not None


def _is_php_framework(folder: Folder) -> bool:
    return php.is_laravel(folder) or php.is_symfony(folder) or php.is_wordpress(folder)


def _has_front_controller(folder: Folder) -> bool:
    return php.front_controller(folder) is not None


def _is_composer_app(folder: Folder) -> bool:
    return folder.has(php.FILE) and _has_front_controller(folder)


def _is_node_app(folder: Folder) -> bool:
    return folder.has(PACKAGE) and node.has_framework(folder, read_package(folder))


def _is_runnable_node(folder: Folder) -> bool:
    return folder.has(PACKAGE) and node.runs(folder, read_package(folder))


def _is_node_package(folder: Folder) -> bool:
    return folder.has(PACKAGE) and read_package(folder).is_package


def _is_python_app(folder: Folder) -> bool:
    packages = packages_of(folder)
    if packages.keys() & set(python.WEB) or folder.has(".flaskenv"):
        return True
    app = find_app(folder, packages)
    # An application in a subfolder, beside a package.json, is one of several parts.
    return app is not None and ("/" not in app.file or not folder.has(PACKAGE))


def _is_python_project(folder: Folder) -> bool:
    if folder.first("app.py", "main.py") or bool(read_pyproject(folder).name):
        return True
    return not folder.has(PACKAGE) and python.nested_django(folder) is not None


def _is_page(folder: Folder) -> bool:
    return folder.has("index.html") and not folder.has(REQUIREMENTS)


def _is_built_page(folder: Folder) -> bool:
    """Whether there are pages beside a package.json that says nothing of how they are made."""
    return folder.has(PACKAGE) and not read_package(folder).scripts and _has_document_root(folder)


def _has_document_root(folder: Folder) -> bool:
    return static.document_root(folder) is not None


_OTHER_PYTHON = ("Pipfile", *SETUP, *REQUIREMENT_FILES)

RULES: tuple[tuple[Test, ProjectType], ...] = (
    (python.is_django, ProjectType.PYTHON),
    (_is_php_framework, ProjectType.PHP),
    (_is_composer_app, ProjectType.PHP),
    (_is_node_app, ProjectType.NODE),
    (_is_python_app, ProjectType.PYTHON),
    (_has_front_controller, ProjectType.PHP),
    (_is_runnable_node, ProjectType.NODE),
    (_is_python_project, ProjectType.PYTHON),
    (_is_page, ProjectType.STATIC),
    (_is_built_page, ProjectType.STATIC),
    (_is_node_package, ProjectType.NODE),
    (_has(PYPROJECT, REQUIREMENTS, "manage.py", *_OTHER_PYTHON), ProjectType.PYTHON),
    (has_site, ProjectType.PYTHON),
    (_has(php.FILE), ProjectType.PHP),
    (_has(PACKAGE, *DENO_FILES), ProjectType.NODE),
    (_has_document_root, ProjectType.STATIC),
    (php.has_script, ProjectType.PHP),
    (python.has_script, ProjectType.PYTHON),
)

DETECTORS: Mapping[ProjectType, Callable[[Folder], Detection]] = {
    ProjectType.NODE: node.detect_node,
    ProjectType.PYTHON: python.detect_python,
    ProjectType.PHP: php.detect_php,
    ProjectType.STATIC: static.detect_static,
}


def detect(workspace: Path, type_: ProjectType | None = None) -> Detection:
    """What the workspace is and how it is run, as the given type if there is one.

    Where it is known but nothing tells how it is run, ``no_command`` says why. Raises TypeUnknown
    where no rule matches, and InvalidConfig where a manifest that is needed cannot be read.
    """
    folder = Folder(workspace)
    type_ = type_ or _type_of(folder)
    found = DETECTORS[type_](folder) if type_ else None
    if found and found.command and not (_is_of_a_folder(found) or _starts_members(folder, found)):
        beside = name_beside(folder, find_beside(folder, found, _detect_alone))
        return replace(found, warnings=(*found.warnings, *beside))
    parts = nx.nx_parts(folder) or find_parts(folder, _detect_alone)
    if found is None:
        raise _unknown(folder, parts)
    return _of_parts(folder, found, parts)


def find_programs(workspace: Path) -> tuple[list[Part], bool]:
    """The parts of a workspace that could be run, where its root runs none of its own.

    And whether they are members of one package, whose dependencies are installed at the root.
    """
    folder = Folder(workspace)
    type_ = _type_of(folder)
    found = DETECTORS[type_](folder) if type_ else None
    if found and found.command and not (_is_of_a_folder(found) or _starts_members(folder, found)):
        return [], False
    parts = nx.nx_parts(folder) or find_parts(folder, _detect_alone)
    return parts, _has_shared_packages(folder, found)


def _has_shared_packages(folder: Folder, found: Detection | None) -> bool:
    """Whether the members of a workspace of npm, pnpm, Yarn, Nx or uv are installed at its root."""
    type_ = found.type if found else None
    if type_ is ProjectType.PYTHON:
        return folder.has("uv.lock") and read_pyproject(folder).has_members
    is_node = type_ is ProjectType.NODE
    return is_node and (folder.has(nx.FILE) or read_package(folder).has_members)


def _type_of(folder: Folder) -> ProjectType | None:
    return next((type_ for test, type_ in RULES if test(folder)), None)


def _is_of_a_folder(found: Detection) -> bool:
    """Whether only pages in a subfolder were found, beside which there may be a program."""
    return found.type is ProjectType.STATIC and found.command[0] == "env"


def _detect_alone(folder: Folder) -> Detection:
    """Detection in one folder of a workspace, without its parts. Raises TypeUnknown."""
    type_ = _type_of(folder)
    if type_ is None:
        raise _unknown(folder, [])
    return DETECTORS[type_](folder)


def _starts_members(folder: Folder, found: Detection) -> bool:
    return found.type is ProjectType.NODE and node.starts_members(folder, read_package(folder))


def _of_parts(folder: Folder, found: Detection, parts: list[Part]) -> Detection:
    """A project whose root does not say which of its parts is run."""
    if found.type is ProjectType.STATIC:
        parts = [part for part in parts if part.found.type is not ProjectType.STATIC]
    if not parts:
        return found
    shared = _has_shared_packages(folder, found)
    if shared and len(parts) == 1:
        return replace(found, command=inside(parts[0]), framework=parts[0].found.framework)
    return replace(found, command=(), no_command=list_parts(folder, parts, shared=shared))


def _unknown(folder: Folder, parts: list[Part]) -> TypeUnknown:
    why = list_parts(folder, parts, shared=False) if parts else unsupported(folder)
    if why is None:
        why = NoCommand(
            f"{folder.root} is not recognised as a project: there is no package.json, "
            "pyproject.toml, requirements.txt, manage.py, app.py, main.py, composer.json, "
            "index.php or index.html",
            hint="Use --type node|python|php|static and a command (debughost up --type node -- "
            "CMD), or write them into a file with debughost init --type",
            details={"workspace": str(folder.root)},
        )
    return TypeUnknown(why.message, hint=why.hint, details=why.details)


def manifest_lines(workspace: Path, dependencies: Dependencies) -> str:
    """What ``sha256sum`` prints for each of the dependencies' files that exists, in order.

    The launcher gets it from ``for f in <files>; do [ -f "$f" ] && sha256sum "$f"; done``.
    Raises InvalidConfig for a file that is too large.
    """
    return "".join(_checksum_line(workspace, name) for name in dependencies.files)


def _checksum_line(workspace: Path, name: str) -> str:
    digest = checksum_inside(workspace, name)
    return f"{digest}  {name}\n" if digest else ""
