"""Python projects: the framework, and how the program is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from debughost_cli.models import Detection, NoCommand, ProjectType
from debughost_cli.project.detect import procfile
from debughost_cli.project.detect.python_apps import (
    find_app,
    find_falcon,
    is_part,
    serve,
    serve_flask,
)
from debughost_cli.project.detect.python_install import python_dependencies
from debughost_cli.project.detect.python_manifests import PYPROJECT, REQUIREMENTS, packages_of
from debughost_cli.project.detect.python_scripts import (
    NOTEBOOK_SERVERS,
    TOOLS,
    bot,
    console_script,
    entry_file,
    main_module,
    notebook,
    runnable_scripts,
    tool,
    worker,
)
from debughost_cli.project.detect.python_sites import site
from debughost_cli.project.reader import Folder

WEB = ("fastapi", "flask", "starlette", "litestar", "quart", "sanic", "django", *TOOLS)
"""Distributions that serve pages, best known first."""
_FLASK_APP = re.compile(
    r"^(?:export[ \t]+)?FLASK_APP[ \t]*=[ \t]*[\"']?([\w./:()-]+)", re.MULTILINE
)
_SPIDER = re.compile(r"^[ \t]+name[ \t]*=[ \t]*[\"']([\w.-]+)[\"']", re.MULTILINE)
_DJANGO_FOLDERS = ("src", "backend", "server", "app", "project", "web", "api", "django")

Packages = Mapping[str, frozenset[str]]


class Program(Struct, frozen=True):
    """What is run. ``files``: what decided it."""

    framework: str
    command: tuple[str, ...]
    files: tuple[str, ...] = ()
    listens: bool = True


def is_django(folder: Folder, base: str = "") -> bool:
    """Whether ``manage.py`` is Django's; Flask projects used that name, too."""
    file = f"{base}manage.py"
    return folder.has(file) and "flask" not in folder.source(file).lower()


def nested_django(folder: Folder) -> str | None:
    """The ``manage.py`` in a subfolder, where there is one and no project of another kind."""
    names = dict.fromkeys((*_DJANGO_FOLDERS, *folder.subfolders()))
    found = [
        f"{name}/manage.py"
        for name in names
        if is_django(folder, f"{name}/") and not is_part(folder, name)
    ]
    return found[0] if len(found) == 1 else None


def has_script(folder: Folder) -> bool:
    """Whether there is a program or a notebook of Python in the workspace itself."""
    return entry_file(folder) is not None or notebook(folder) is not None


def detect_python(folder: Folder) -> Detection:
    """A Python project's detection, with no command where nothing defines how to run it."""
    packages = packages_of(folder)
    found = (program(folder, packages) for program in _PROGRAMS)
    program = next(filter(None, found), Program("Python", ()))
    manifests = folder.present(PYPROJECT, REQUIREMENTS, "uv.lock", "poetry.lock")
    return Detection(
        type=ProjectType.PYTHON,
        command=program.command,
        framework=program.framework,
        evidence=tuple(dict.fromkeys((*program.files, *manifests))),
        dependencies=python_dependencies(folder),
        no_command=None if program.command else _no_command(folder),
        listens=program.listens,
        compiles=bool(packages.keys() & _FROM_SOURCE) or "c" in packages.get("psycopg", ()),
    )


_FROM_SOURCE = frozenset({"mysqlclient", "netifaces", "psycopg2", "pycrypto", "uwsgi"})
"""Distributions that have no wheels for Linux, and need no more than the image with compilers."""


def _no_command(folder: Folder) -> NoCommand | None:
    """What is missing where there are programs, but not one to be run."""
    if folder.has("scrapy.cfg"):
        return _scrapy(folder)
    scripts, notebook_file = runnable_scripts(folder), notebook(folder)
    if scripts:
        return NoCommand(
            f"{folder.root} has several programs: {', '.join(scripts)}",
            hint=f"Name one: debughost up -- python {scripts[0]}",
            details={"workspace": str(folder.root), "files": scripts},
        )
    if notebook_file:
        return NoCommand(
            f"{folder.root} has notebooks ({notebook_file}), and nothing that serves them",
            hint=f"Add jupyterlab to {folder.first(PYPROJECT) or REQUIREMENTS}",
            details={"workspace": str(folder.root), "files": [notebook_file]},
        )
    return None


def _scrapy(folder: Folder) -> NoCommand:
    """A spider ends when it has crawled: which one is run, and when, is the user's decision."""
    places = [f"{name}/spiders" for name in folder.subfolders()]
    sources = [folder.source(f"{p}/{file}") for p in places for file in folder.files(".py", p)]
    names = [found[1] for source in sources if (found := _SPIDER.search(source))]
    return NoCommand(
        f"{folder.root} has spiders of Scrapy ({', '.join(names) or 'none yet'}), which end when "
        "they have crawled, and no program that stays",
        hint="Keep a container for them, debughost up --port none -- sleep infinity, and run one "
        f"in it: debughost exec scrapy crawl {names[0] if names else 'NAME'}",
        details={"workspace": str(folder.root), "spiders": names},
    )


def _django(folder: Folder, packages: Packages) -> Program | None:
    return _manage("manage.py") if is_django(folder) else None


def _nested_django(folder: Folder, packages: Packages) -> Program | None:
    file = nested_django(folder)
    return _manage(file) if file else None


def _manage(file: str) -> Program:
    return Program("Django", ("python", file, "runserver", "0.0.0.0:{port}"), (file,))


def _flaskenv(folder: Folder, packages: Packages) -> Program | None:
    found = _FLASK_APP.search(folder.source(".flaskenv"))
    return Program("Flask", serve_flask(found[1]), (".flaskenv",)) if found else None


def _app(folder: Folder, packages: Packages) -> Program | None:
    app = find_app(folder, packages) or find_falcon(folder, packages)
    return Program(app.framework, serve(app, packages), (app.file,)) if app else None


def _tool(folder: Folder, packages: Packages) -> Program | None:
    found = tool(folder, packages)
    return Program(*found) if found else None


def _web_process(folder: Folder, packages: Packages) -> Program | None:
    command = procfile.web(folder)
    return Program("Procfile", command, (procfile.FILE,)) if command else None


def _worker_process(folder: Folder, packages: Packages) -> Program | None:
    command = procfile.worker(folder)
    return Program("Procfile", command, (procfile.FILE,), listens=False) if command else None


def _console_script(folder: Folder, packages: Packages) -> Program | None:
    found = console_script(folder)
    return Program("Python", *found, listens=not bot(packages, WEB)) if found else None


def _script(folder: Folder, packages: Packages) -> Program | None:
    file = entry_file(folder)
    if file is None:
        return None
    return Program("Python", ("python", file), (file,), listens=not bot(packages, WEB))


def _module(folder: Folder, packages: Packages) -> Program | None:
    found = main_module(folder)
    return Program("Python", *found, listens=not bot(packages, WEB)) if found else None


def _celery(folder: Folder, packages: Packages) -> Program | None:
    found = worker(folder, packages)
    return Program("Celery", *found, listens=False) if found else None


def _site(folder: Folder, packages: Packages) -> Program | None:
    found = site(folder, packages)
    return Program(*found) if found else None


def _notebooks(folder: Folder, packages: Packages) -> Program | None:
    file = notebook(folder)
    server = next((NOTEBOOK_SERVERS[name] for name in NOTEBOOK_SERVERS if name in packages), None)
    return Program("Jupyter", server, (file,)) if file and server else None


_PROGRAMS: tuple[Callable[[Folder, Packages], Program | None], ...] = (
    *(_django, _flaskenv, _app, _tool, _web_process, _worker_process, _nested_django),
    *(_console_script, _celery, _script, _module, _site, _notebooks),
)
"""How a project is run, best first."""
