"""The application objects of Python's web frameworks: where they are, and what serves them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from debughost_cli.project.detect.python_manifests import PYPROJECT, REQUIREMENTS
from debughost_cli.project.reader import Folder

_ADDRESS = ("--host", "0.0.0.0", "--port", "{port}")
_FILES = ("app", "main", "wsgi", "asgi", "server", "application", "api", "run")
_IN_PACKAGE = ("main", "app", "__init__", "wsgi", "asgi", "server", "api", "application")
_NO_APPS = frozenset({"setup", "conftest", "manage", "noxfile", "tasks", "fabfile"})
_INSTANCE = re.compile(
    r"^(?P<name>\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:\w+\.)*"
    r"(?P<framework>FastAPI|Starlette|Litestar|Quart|Flask|Sanic|Bottle)\(",
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
    "sanic": "Sanic",
    "bottle": "Bottle",
}
"""Distributions whose application object is run by a server, and the object's class."""
_CLASSES = tuple(f"{name}(" for name in _OBJECTS.values())
_FALCON = re.compile(
    r"^(?P<name>\w+)[ \t]*=[ \t]*(?:\w+[ \t]*=[ \t]*)?(?:falcon\.)?(?P<asgi>asgi\.)?(?:App|API)\(",
    re.MULTILINE,
)
_ROUTE = re.compile(r"^@(?:bottle\.)?(?P<name>)(?:route|get|post)\(", re.MULTILINE)
"""A page of Bottle's default application, which has no name."""
_VERBS = ("create_", "make_", "build_", "get_")
_BOTTLE = ("from bottle", "import bottle")
_SEARCHES = ((_INSTANCE, _CLASSES), (_MADE, _VERBS), (_FACTORY, _VERBS))
"""Expressions, each with words of which it needs one: those are looked for in no time."""
_NOT_SOURCES = frozenset({"src", "tests", "test", "docs", "examples", "node_modules", "vendor"})


class WebApp(Struct, frozen=True):
    """An application object. ``base``: the folder that must be on the import path, or empty."""

    framework: str
    file: str
    base: str
    module: str
    name: str
    is_factory: bool = False
    is_wsgi: bool = False


def find_app(folder: Folder, packages: Mapping[str, frozenset[str]]) -> WebApp | None:
    """The application object of a web framework: created in a module, or by a factory.

    What a factory creates is known only from the dependencies.
    """
    candidates = list(_candidates(folder))
    framework = next((name for key, name in _OBJECTS.items() if key in packages), "")
    searches = _SEARCHES if framework else _SEARCHES[:1]
    for pattern, words in (*searches, *(((_ROUTE, _BOTTLE),) if framework == "Bottle" else ())):
        for file, base, module in candidates:
            source = folder.source(file)
            found = pattern.search(source) if any(word in source for word in words) else None
            if found:
                named = found.groupdict().get("framework") or framework
                if named == "Bottle" and "server=" in source:
                    return None  # One of its own choice, which the program alone starts.
                return WebApp(named, file, base, module, found["name"], pattern is _FACTORY)
    return None


def find_falcon(folder: Folder, packages: Mapping[str, frozenset[str]]) -> WebApp | None:
    """Falcon's application, where the project requires a server that starts it again."""
    if "falcon" not in packages:
        return None
    for file, base, module in _candidates(folder):
        source = folder.source(file)
        found = _FALCON.search(source) if "falcon" in source else None
        if found:
            is_async = bool(found["asgi"]) or "falcon.asgi import" in source
            server = "uvicorn" if is_async else "gunicorn"
            app = WebApp("Falcon", file, base, module, found["name"], is_wsgi=not is_async)
            return app if server in packages else None
    return None


def _candidates(folder: Folder) -> Iterator[tuple[str, str, str]]:
    """Files that may contain the application: ``(file, base folder, module)``."""
    for base in ("", "src"):
        prefix = f"{base}/" if base else ""
        common = [f"{name}.py" for name in _FILES]
        for name in dict.fromkeys((*common, *folder.files(".py", base or "."))):
            module = name.removesuffix(".py")
            if folder.has(f"{prefix}{name}") and module.isidentifier() and module not in _NO_APPS:
                yield f"{prefix}{name}", base, module
        for package in _packages_in(folder, base):
            for name in _IN_PACKAGE:
                if folder.has(f"{prefix}{package}/{name}.py"):
                    module = package if name == "__init__" else f"{package}.{name}"
                    yield f"{prefix}{package}/{name}.py", base, module


def _packages_in(folder: Folder, base: str) -> list[str]:
    """Folders that may be packages, ``app`` first."""
    names = folder.subfolders(base or ".")
    names = [name for name in names if name.isidentifier() and name not in _NOT_SOURCES]
    names = [name for name in names if not (base == "" and is_part(folder, name))]
    return sorted(names, key=lambda name: name != "app")


def is_part(folder: Folder, name: str) -> bool:
    """Whether a folder is a project of its own, which has to be installed and run in there."""
    if folder.first(REQUIREMENTS, PYPROJECT, "setup.py", "Pipfile"):
        return False
    return folder.first(*(f"{name}/{m}" for m in (REQUIREMENTS, PYPROJECT, "Pipfile"))) is not None


def serve(app: WebApp, packages: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The command that serves an application and starts it again at every change."""
    if app.framework == "Flask":
        return serve_flask(_path_of(app))
    if app.framework == "Sanic":
        factory = ("--factory",) if app.is_factory else ()
        return (
            *_python_path(app),
            "sanic",
            f"{app.module}:{app.name}",
            *factory,
            *_ADDRESS,
            "--dev",
        )
    if app.framework == "Bottle":
        # Its own tool passes over the program's run(), which often listens on localhost.
        target = f"{app.module}:{app.name}".removesuffix(":")
        target += "()" if app.is_factory else ""
        bind = ("--bind", "0.0.0.0:{port}", "--debug", "--reload")
        return (*_python_path(app), "python", "-m", "bottle", *bind, target)
    if app.is_wsgi:
        chdir = ("--chdir", app.base) if app.base else ()
        target = f"{app.module}:{app.name}"
        return ("gunicorn", "--reload", "--bind", "0.0.0.0:{port}", *chdir, target)
    if app.framework == "Quart" and "uvicorn" not in packages:
        # It comes with a server of its own, and without uvicorn.
        return ("quart", "--app", _path_of(app), "run", *_ADDRESS, "--reload")
    bundled = "uvicorn" in packages or packages.get("fastapi", frozenset()) & {"standard", "all"}
    program = ("uvicorn",) if bundled else ("python", "-m", "uvicorn")
    base = ("--app-dir", app.base) if app.base else ()
    factory = ("--factory",) if app.is_factory else ()
    return (*program, *base, f"{app.module}:{app.name}", *factory, *_ADDRESS, "--reload")


def serve_flask(target: str) -> tuple[str, ...]:
    """The command that serves what ``flask --app`` takes."""
    return ("flask", "--app", target, "run", *_ADDRESS, "--debug")


def _path_of(app: WebApp) -> str:
    module = f"{app.base}/{app.module.replace('.', '/')}" if app.base else app.module
    return f"{module}:{app.name}"


def _python_path(app: WebApp) -> tuple[str, ...]:
    return ("env", f"PYTHONPATH={app.base}") if app.base else ()
