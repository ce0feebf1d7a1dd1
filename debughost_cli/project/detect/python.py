"""Python projects: the framework, the object that it serves, and how it is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from debughost_cli.models import Detection, ProjectType
from debughost_cli.project.detect.python_install import python_dependencies
from debughost_cli.project.detect.python_manifests import (
    PYPROJECT,
    REQUIREMENTS,
    parse_requirements,
    read_pyproject,
    read_requirements,
    requirement_files,
)
from debughost_cli.project.detect.python_other import REQUIREMENT_FILES, other_manifest
from debughost_cli.project.reader import Folder

ENTRIES = ("app.py", "main.py", "server.py")
_FILES = ("app", "main", "wsgi", "asgi", "server", "application", "api", "run")
_IN_PACKAGE = ("main", "app", "__init__", "wsgi", "asgi", "server", "api")
WEB = ("fastapi", "flask", "starlette", "litestar", "quart", "django", "streamlit", "gradio")
"""Distributions that serve pages, best known first."""

_INSTANCE = re.compile(
    r"^(?P<name>\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:\w+\.)*"
    r"(?P<framework>FastAPI|Starlette|Litestar|Quart|Flask)\(",
    re.MULTILINE,
)
_MADE = re.compile(
    r"^(?P<name>app|application|api|server)[ \t]*(?::[^=\n]+)?=[ \t]*(?:\w+\.)*"
    r"(?:create|make|build|get)_\w*\(",
    re.MULTILINE,
)
_FACTORY = re.compile(
    r"^def (?P<name>(?:create|make|build|get)_(?:app|application|api))\(", re.MULTILINE
)
_OBJECTS: Mapping[str, str] = {
    "fastapi": "FastAPI",
    "starlette": "Starlette",
    "flask": "Flask",
    "litestar": "Litestar",
    "quart": "Quart",
}
"""Distributions whose application object is run by a server, and the object's class."""
_NOT_SOURCES = frozenset({"src", "tests", "test", "docs", "examples", "node_modules", "vendor"})


@dataclass(frozen=True)
class WebApp:
    """An application object. ``base``: the folder that must be on the import path, or empty."""

    framework: str
    file: str
    base: str
    module: str
    name: str
    is_factory: bool = False


def packages_of(folder: Folder) -> dict[str, frozenset[str]]:
    """The distributions that the workspace requires directly, each with its extras."""
    project = read_pyproject(folder)
    files = requirement_files(folder, REQUIREMENTS, *project.requirement_files)
    if not files:
        usual = folder.first(*REQUIREMENT_FILES)
        files = requirement_files(folder, usual) if usual else ()
    other = None if files or project.packages else other_manifest(folder)
    lines = [*read_requirements(folder, files), *(other.lines if other else ())]
    return parse_requirements(lines) | project.packages


def find_app(folder: Folder, packages: Mapping[str, frozenset[str]]) -> WebApp | None:
    """The application object of a web framework: created in a module, or by a factory.

    What a factory creates is known only from the dependencies.
    """
    candidates = list(_candidates(folder))
    framework = next((name for key, name in _OBJECTS.items() if key in packages), "")
    for pattern in (_INSTANCE, _MADE, _FACTORY) if framework else (_INSTANCE,):
        for file, base, module in candidates:
            found = pattern.search(folder.source(file))
            if found:
                named = found.groupdict().get("framework") or framework
                return WebApp(named, file, base, module, found["name"], pattern is _FACTORY)
    return None


def _candidates(folder: Folder) -> Iterator[tuple[str, str, str]]:
    """Files that may contain the application: ``(file, base folder, module)``."""
    for base in ("", "src"):
        prefix = f"{base}/" if base else ""
        for name in folder.present(*(f"{prefix}{name}.py" for name in _FILES)):
            yield name, base, name.removeprefix(prefix).removesuffix(".py")
        for package in _packages_in(folder, base):
            for name in _IN_PACKAGE:
                if folder.has(f"{prefix}{package}/{name}.py"):
                    module = package if name == "__init__" else f"{package}.{name}"
                    yield f"{prefix}{package}/{name}.py", base, module


def _packages_in(folder: Folder, base: str) -> list[str]:
    """Folders that may be packages, ``app`` first."""
    names = folder.subfolders(base or ".")
    names = [name for name in names if name.isidentifier() and name not in _NOT_SOURCES]
    return sorted(names, key=lambda name: name != "app")


def is_django(folder: Folder) -> bool:
    """Whether ``manage.py`` is Django's; Flask projects used that name, too."""
    return folder.has("manage.py") and "flask" not in folder.source("manage.py").lower()


def detect_python(folder: Folder) -> Detection:
    """A Python project's detection, with no command where nothing defines how to run it."""
    framework, command, entry = _command(folder)
    manifests = folder.present(PYPROJECT, REQUIREMENTS, "uv.lock", "poetry.lock")
    return Detection(
        type=ProjectType.PYTHON,
        command=command,
        framework=framework,
        evidence=(*entry, *manifests),
        dependencies=python_dependencies(folder),
    )


def _command(folder: Folder) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The framework's name, the command and the file that it runs."""
    if is_django(folder):
        command = ("python", "manage.py", "runserver", "0.0.0.0:{port}")
        return "Django", command, ("manage.py",)
    packages = packages_of(folder)
    app = find_app(folder, packages)
    if app:
        return app.framework, _serve(app, packages), (app.file,)
    return _script(folder, packages)


def _serve(app: WebApp, packages: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    if app.framework == "Flask":
        return _flask(app)
    bundled = "uvicorn" in packages or packages.get("fastapi", frozenset()) & {"standard", "all"}
    program = ("uvicorn",) if bundled else ("python", "-m", "uvicorn")
    base = ("--app-dir", app.base) if app.base else ()
    factory = ("--factory",) if app.is_factory else ()
    target = f"{app.module}:{app.name}"
    address = ("--host", "0.0.0.0", "--port", "{port}")
    return (*program, *base, target, *factory, *address, "--reload")


def _flask(app: WebApp) -> tuple[str, ...]:
    target = f"{app.base}/{app.module.replace('.', '/')}" if app.base else app.module
    app_option = ("--app", f"{target}:{app.name}")
    return ("flask", *app_option, "run", "--host", "0.0.0.0", "--port", "{port}", "--debug")


def _script(
    folder: Folder, packages: Mapping[str, frozenset[str]]
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """A script that serves by itself, without a reloader."""
    streamlit = folder.first("streamlit_app.py", "app.py", "main.py", "Home.py")
    if "streamlit" in packages and streamlit:
        address = ("--server.address", "0.0.0.0", "--server.port", "{port}")
        options = ("--server.headless", "true", "--browser.gatherUsageStats", "false")
        return "Streamlit", ("streamlit", "run", streamlit, *address, *options), (streamlit,)
    entry = folder.first(*ENTRIES)
    if entry is None:
        return "Python", (), ()
    if "gradio" in packages:
        settings = ("GRADIO_SERVER_NAME=0.0.0.0", "GRADIO_SERVER_PORT={port}")
        return "Gradio", ("env", *settings, "python", entry), (entry,)
    return "Python", ("python", entry), (entry,)
