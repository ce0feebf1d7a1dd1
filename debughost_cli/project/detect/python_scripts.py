"""Python programs that serve by themselves, that a tool serves, or that serve nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping

from debughost_cli.project.detect.python_manifests import read_pyproject
from debughost_cli.project.reader import Folder

ENTRIES: tuple[str, ...] = tuple(
    f"{stem}.py"
    for stem in (
        *("app", "main", "server", "run", "start", "serve", "bot", "wsgi", "web", "api", "hello"),
        *("worker", "__main__", "src/main", "src/app", "src/server", "src/bot", "src/run"),
    )
)
_NO_ENTRIES = frozenset({"setup.py", "conftest.py", "noxfile.py", "manage.py", "tasks.py"})
_IS_MAIN = re.compile(r"^if __name__ ?== ?[\"']__main__[\"']", re.MULTILINE)
_HOST_PORT = ("--host", "0.0.0.0", "--port", "{port}")
_GRADIO = ("env", "GRADIO_SERVER_NAME=0.0.0.0", "GRADIO_SERVER_PORT={port}")

TOOLS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "streamlit": (
        "Streamlit",
        (
            *("streamlit", "run", "{file}", "--server.address", "0.0.0.0"),
            *("--server.port", "{port}", "--server.headless", "true"),
            *("--server.runOnSave", "true", "--browser.gatherUsageStats", "false"),
        ),
    ),
    "chainlit": ("Chainlit", ("chainlit", "run", "{file}", *_HOST_PORT, "--headless", "--watch")),
    "shiny": ("Shiny", ("shiny", "run", *_HOST_PORT, "--reload", "{file}")),
    "panel": (
        "Panel",
        (
            *("panel", "serve", "{file}", "--address", "0.0.0.0", "--port", "{port}", "--dev"),
            *("--allow-websocket-origin", "localhost:{port}"),
            *("--allow-websocket-origin", "127.0.0.1:{port}"),
        ),
    ),
    "marimo": ("marimo", ("marimo", "edit", "{file}", *_HOST_PORT, "--headless")),
    "gradio": ("Gradio", (*_GRADIO, "python", "{file}")),
    "dash": ("Dash", ("env", "DASH_DEBUG=true", "python", "{file}")),
    "nicegui": ("NiceGUI", ("python", "{file}")),
}
"""Distributions whose programs are run by a tool of theirs: the name and the command."""
_PREFERRED = ("streamlit_app.py", *ENTRIES, "Home.py", "home.py", "chat.py", "demo.py")
_DEMO = re.compile(
    r"^(?:(?P<made>\w+)[ \t]*=[ \t]*(?:gr|gradio)\.\w*(?:Interface|Blocks)\("
    r"|with (?:gr|gradio)\.Blocks\([^\n]*\) as (?P<block>\w+):)",
    re.MULTILINE,
)

NOTEBOOK_SERVERS: Mapping[str, tuple[str, ...]] = {
    name: (
        *("jupyter", program, "--ip", "0.0.0.0", "--port", "{port}"),
        *("--no-browser", "--allow-root"),
    )
    for name, program in (("jupyterlab", "lab"), ("jupyter", "lab"), ("notebook", "notebook"))
}
"""Distributions that serve notebooks, and their commands; a token in the log protects them."""
_BOTS = frozenset(
    {"discord-py", "py-cord", "nextcord", "disnake", "hikari", "interactions-py", "twitchio"}
    | {"python-telegram-bot", "aiogram", "telethon", "pyrogram", "pytelegrambotapi", "slack-bolt"}
    | {"apscheduler", "schedule", "rq", "dramatiq", "huey", "arq", "paho-mqtt", "mastodon-py"}
    | {"pika", "kafka-python", "confluent-kafka", "aiokafka", "celery", "tweepy", "praw"}
)
"""Distributions of programs that connect to a server, and are none."""
_SERVERS = frozenset(
    {"uvicorn", "gunicorn", "hypercorn", "waitress", "tornado", "bottle", "werkzeug", "cherrypy"}
)
"""Distributions of programs that are one, besides the frameworks."""
_CELERY = re.compile(r"^(\w+)[ \t]*=[ \t]*(?:celery\.)?Celery\(", re.MULTILINE)
_ENTRY_POINT = re.compile(r"^[ \t\"'\[]*([\w.-]+)[ \t]*=[ \t]*([\w.]+:[\w.]+)", re.MULTILINE)
_TARGET = re.compile(r"([\w.]+):([\w.]+)", re.ASCII)
_MAIN_SCRIPTS = ("start", "serve", "server", "run", "dev", "web", "app", "main")

Found = tuple[tuple[str, ...], tuple[str, ...]]
"""A command and the files that decided it."""


def entry_file(folder: Folder) -> str | None:
    """The program's file: one with a usual name, or the only one that is written to be run."""
    usual = folder.first(*ENTRIES)
    if usual:
        return usual
    runnable = runnable_scripts(folder)
    return runnable[0] if len(runnable) == 1 else None


def runnable_scripts(folder: Folder) -> list[str]:
    """The files of the workspace itself that are written to be run."""
    return [name for name in _scripts(folder) if _IS_MAIN.search(folder.source(name))]


def _scripts(folder: Folder) -> list[str]:
    names = folder.files(".py")
    return [n for n in names if n not in _NO_ENTRIES and not n.startswith("test_")]


def tool(
    folder: Folder, packages: Mapping[str, frozenset[str]]
) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
    """The name, the command and the file of a program that one of ``TOOLS`` serves."""
    for package, (name, command) in TOOLS.items():
        file = _file_importing(folder, package, package in packages)
        if file:
            words = _gradio(folder, file) if package == "gradio" else command
            return name, tuple(word.replace("{file}", file) for word in words), (file,)
    return None


def _file_importing(folder: Folder, module: str, required: bool) -> str | None:
    """The file with the program that uses a module; a usual one where none seems to import it."""
    imports = re.compile(rf"^(?:import|from) {module}\b", re.MULTILINE)
    usual = folder.present(*_PREFERRED)
    for name in [*usual, *_scripts(folder)] if required else usual:
        if imports.search(folder.source(name)):
            return name
    return usual[0] if required and usual else None


def _gradio(folder: Folder, file: str) -> tuple[str, ...]:
    """With Gradio's own reloader where the page is a variable of the module."""
    found = _DEMO.search(folder.source(file))
    if found is None:
        return TOOLS["gradio"][1]
    return (*_GRADIO, "gradio", "{file}", "--demo-name", found["made"] or found["block"])


def bot(packages: Iterable[str], web: Iterable[str]) -> bool:
    """Whether a program listens on no port, by what it requires."""
    names = frozenset(packages)
    return bool(names & _BOTS) and not names & (_SERVERS | frozenset(web))


def worker(folder: Folder, packages: Mapping[str, frozenset[str]]) -> Found | None:
    """A worker of Celery, where its application is in a module of the workspace."""
    if "celery" not in packages:
        return None
    for name in folder.files(".py"):
        if _CELERY.search(folder.source(name)):
            module = name.removesuffix(".py")
            command = ("celery", "-A", module, "worker", "--loglevel", "info")
            return _restarted(command, packages), (name,)
    return None


def _restarted(command: tuple[str, ...], packages: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The command under the project's own tool that starts a program again at every change."""
    if "watchfiles" in packages:
        return ("watchfiles", "--filter", "python", shlex.join(command), ".")
    if "watchmedo" in packages.get("watchdog", ()) or {"watchdog", "pyyaml"} <= packages.keys():
        return ("watchmedo", "auto-restart", "--recursive", "--pattern", "*.py", "--", *command)
    return command


def console_script(folder: Folder) -> Found | None:
    """The command that an installed project has; it is run from its module."""
    project = read_pyproject(folder)
    scripts = project.scripts or _of_setuptools(folder)
    wanted = [name for name in (project.name, *_MAIN_SCRIPTS) if name in scripts]
    name = wanted[0] if wanted else next(iter(scripts)) if len(scripts) == 1 else ""
    target = _TARGET.fullmatch(scripts.get(name, ""))
    if target is None:
        return None
    module, function = target.groups()
    base = next((b for b in ("", "src/") if folder.first(*_files_of(b, module))), None)
    if base is None:
        return None
    first = function.partition(".")[0]
    code = f"import sys; from {module} import {first}; sys.exit({function}())"
    return _with_base(base, "python", "-c", code), folder.present(*_files_of(base, module))


def _of_setuptools(folder: Folder) -> dict[str, str]:
    """The console scripts in ``setup.cfg`` or ``setup.py``, as far as text shows them."""
    texts = (folder.source(name).partition("console_scripts")[2] for name in _SETUPTOOLS)
    return dict(_ENTRY_POINT.findall("\n".join(texts)))


_SETUPTOOLS = ("setup.cfg", "setup.py")


def _files_of(base: str, module: str) -> tuple[str, str]:
    path = base + module.replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"


def main_module(folder: Folder) -> Found | None:
    """A package with a ``__main__``, where there is one."""
    for base in ("", "src/"):
        packages = folder.subfolders(base or ".")
        files = {name: f"{base}{name}/__main__.py" for name in packages if name.isidentifier()}
        found = [name for name, file in files.items() if folder.has(file)]
        if len(found) == 1:
            return _with_base(base, "python", "-m", found[0]), (files[found[0]],)
    return None


def _with_base(base: str, *command: str) -> tuple[str, ...]:
    return ("env", f"PYTHONPATH={base.rstrip('/')}", *command) if base else command


def notebook(folder: Folder) -> str | None:
    """A notebook in the workspace or in its folder of notebooks."""
    for base in (".", "notebooks"):
        for name in folder.files(".ipynb", base, 1):
            return name if base == "." else f"{base}/{name}"
    return None
