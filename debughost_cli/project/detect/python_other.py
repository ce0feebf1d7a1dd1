"""Python manifests besides requirements.txt and pyproject.toml, as requirement lines."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from debughost_cli.project.reader import Folder, table_in
from debughost_cli.project.toml import parse_toml

REQUIREMENT_FILES = (
    *(f"requirements/{n}.txt" for n in ("dev", "development", "local", "base", "common", "main")),
    *(f"requirements/{n}.txt" for n in ("requirements", "production", "prod")),
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
)
"""Where projects without a requirements.txt have one, what is for development first."""
SETUP = ("setup.py", "setup.cfg")
ENVIRONMENTS = ("environment.yml", "environment.yaml")
_SCRIPTS = ("app.py", "main.py", "server.py")
_BEGIN, _END = "# /// script", "# ///"
_SETUP_TEXT = re.compile(r"^install_requires[ \t]*=[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_QUOTED = re.compile(r"""["']([^"'\n]+)["']""")


class Declared(Struct, frozen=True):
    """``files`` decide whether an install is needed; ``lines`` are what they require."""

    files: tuple[str, ...]
    lines: tuple[str, ...]


def other_manifest(folder: Folder) -> Declared | None:
    """The first such manifest that requires something. Raises InvalidConfig."""
    readers: tuple[Callable[[Folder], Declared | None], ...] = (
        _pipfile,
        _setup,
        _script,
        _environment,
    )
    found = (reader(folder) for reader in readers)
    return next((d for d in found if d and d.lines), None)


def _pipfile(folder: Folder) -> Declared | None:
    """What Pipenv installs for development, locked where there is a lock file."""
    if not folder.has("Pipfile"):
        return None
    locked = folder.has("Pipfile.lock")
    data = folder.json("Pipfile.lock") if locked else folder.toml("Pipfile")
    file = "Pipfile.lock" if locked else "Pipfile"
    names = ("default", "develop") if locked else ("packages", "dev-packages")
    lines = [
        _pipfile_line(name, value)
        for table in names
        for name, value in table_in(data, file, table).items()
    ]
    return Declared(folder.present("Pipfile", "Pipfile.lock"), tuple(dict.fromkeys(lines)))


def _pipfile_line(name: str, value: object) -> str:
    table = value if isinstance(value, Mapping) else {"version": value}
    if "path" in table:
        return f"{'-e ' if table.get('editable') else ''}{table['path']}"
    extras = table.get("extras")
    line = f"{name}[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else name
    if "git" in table:
        line += f" @ git+{table['git']}" + (f"@{table['ref']}" if table.get("ref") else "")
    elif "file" in table:
        line += f" @ {table['file']}"
    elif table.get("version", "*") != "*":
        line += str(table["version"])
    return f"{line} ; {table['markers']}" if table.get("markers") else line


def _setup(folder: Folder) -> Declared | None:
    """What a setup.py or setup.cfg says in plain text, as far as detection needs it."""
    files = folder.present(*SETUP)
    _, found, rest = folder.source("setup.py").partition("install_requires")
    lines = _QUOTED.findall(rest.partition("]")[0].partition("[")[2])
    listed = _SETUP_TEXT.search(folder.source("setup.cfg"))
    lines += [line.strip() for line in listed[1].splitlines() if line.strip()] if listed else []
    # What is computed is known to the build alone.
    computed = [""] if found and not lines else []
    return Declared(files, (*lines, *computed)) if files else None


def _script(folder: Folder) -> Declared | None:
    """The inline metadata of PEP 723 in the file that is run."""
    for name in folder.present(*_SCRIPTS):
        source = folder.source(name)
        lines = source.splitlines() if _BEGIN in source else []
        if _BEGIN not in lines:
            continue
        block = itertools.takewhile(
            lambda line: line != _END and line.startswith("#"), lines[lines.index(_BEGIN) + 1 :]
        )
        try:
            data = parse_toml("\n".join(line[2:] for line in block))
        except (ValueError, RecursionError):
            continue
        found = data.get("dependencies") if isinstance(data, Mapping) else None
        if isinstance(found, list):
            return Declared((name,), tuple(map(str, found)))
    return None


def _environment(folder: Folder) -> Declared | None:
    """The list below ``- pip:`` of a conda environment, with what its files include."""
    name = folder.first(*ENVIRONMENTS)
    return Declared((name,), tuple(_pip_part(folder.source(name)))) if name else None


def _pip_part(text: str) -> Iterator[str]:
    depth: int | None = None
    for line in text.splitlines():
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if stripped in ("- pip:", "-   pip:"):
            depth = indent
        elif depth is not None and stripped.startswith("- ") and indent > depth:
            yield stripped[2:].strip().strip("\"'")
        elif stripped and not stripped.startswith("#"):
            depth = None
