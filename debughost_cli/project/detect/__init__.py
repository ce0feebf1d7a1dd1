"""Detects what a workspace is, how it is run, and how its dependencies are installed.

Only a few named files in the workspace are read. The type is that of the first rule that matches:
the main process of a project decides, not the tools for its assets.

1.  manage.py (Django)                                                       python
2.  artisan or bin/console beside composer.json, WordPress's own files       php
3.  composer.json beside an index.php, at the root or in a document root     php
4.  package.json with a framework that serves (Next.js, Express, ...), or
    with Vite or Parcel beside an index.html at the root                     node
5.  a Python web application: its object found in the usual files, or a
    web framework among the dependencies                                     python
6.  index.php at the root or in a document root                              php
7.  package.json that defines how to run it (a dev or start script that does
    more than build assets, or an entry file that exists)                  node
8.  app.py, main.py, or a pyproject.toml that names a project                python
9.  index.html at the root, where package.json defines nothing to run and
    there is no requirements.txt                                                static
10. package.json of a package (dependencies, main, exports, ...)             node
11. pyproject.toml, requirements.txt, Pipfile, setup.py, setup.cfg           python
12. composer.json                                                            php
13. package.json                                                             node
14. index.html in public, dist, build, ...                                   static
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from debughost_cli.errors import TypeUnknown
from debughost_cli.models import Dependencies, Detection, ProjectType
from debughost_cli.project.detect import node, php, python, static
from debughost_cli.project.detect.python_manifests import PYPROJECT, REQUIREMENTS, read_pyproject
from debughost_cli.project.detect.python_other import REQUIREMENT_FILES, SETUP
from debughost_cli.project.reader import Folder, checksum_inside

__all__ = ["detect", "manifest_lines"]

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
    return folder.has(node.FILE) and node.has_framework(folder, node.read_package(folder))


def _is_runnable_node(folder: Folder) -> bool:
    return folder.has(node.FILE) and node.runs(folder, node.read_package(folder))


def _is_node_package(folder: Folder) -> bool:
    return folder.has(node.FILE) and node.read_package(folder).is_package


def _is_python_app(folder: Folder) -> bool:
    packages = python.packages_of(folder)
    if packages.keys() & set(python.WEB):
        return True
    app = python.find_app(folder, packages)
    # An application in a subfolder, beside a package.json, is one of several parts.
    return app is not None and ("/" not in app.file or not folder.has(node.FILE))


def _is_python_project(folder: Folder) -> bool:
    return folder.first(*python.ENTRIES[:2]) is not None or bool(read_pyproject(folder).name)


def _is_page(folder: Folder) -> bool:
    return folder.has("index.html") and not folder.has(REQUIREMENTS)


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
    (_is_node_package, ProjectType.NODE),
    (_has(PYPROJECT, REQUIREMENTS, "manage.py", *_OTHER_PYTHON), ProjectType.PYTHON),
    (_has(php.FILE), ProjectType.PHP),
    (_has(node.FILE), ProjectType.NODE),
    (_has_document_root, ProjectType.STATIC),
)

DETECTORS: Mapping[ProjectType, Callable[[Folder], Detection]] = {
    ProjectType.NODE: node.detect_node,
    ProjectType.PYTHON: python.detect_python,
    ProjectType.PHP: php.detect_php,
    ProjectType.STATIC: static.detect_static,
}


def detect(workspace: Path, type_: ProjectType | None = None) -> Detection:
    """What the workspace is and how it is run, as the given type if there is one.

    Raises TypeUnknown where no rule matches, and InvalidConfig where a manifest that is needed
    cannot be read.
    """
    folder = Folder(workspace)
    return DETECTORS[type_ or _type_of(folder)](folder)


def _type_of(folder: Folder) -> ProjectType:
    for test, type_ in RULES:
        if test(folder):
            return type_
    raise TypeUnknown(
        f"{folder.root} is not recognised as a project: there is no package.json, pyproject.toml, "
        "requirements.txt, manage.py, app.py, main.py, composer.json, index.php or index.html",
        hint="Use --type node|python|php|static and a command (debughost up --type node -- "
        "CMD), or write them into a file with debughost init",
        details={"workspace": str(folder.root)},
    )


def manifest_lines(workspace: Path, dependencies: Dependencies) -> str:
    """What ``sha256sum`` prints for each of the dependencies' files that exists, in order.

    The launcher gets it from ``for f in <files>; do [ -f "$f" ] && sha256sum "$f"; done``.
    Raises InvalidConfig for a file that is too large.
    """
    return "".join(_checksum_line(workspace, name) for name in dependencies.files)


def _checksum_line(workspace: Path, name: str) -> str:
    digest = checksum_inside(workspace, name)
    return f"{digest}  {name}\n" if digest else ""
