"""A program that ended for want of a package: from where its packages came, and from where not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from debughost_cli.errors import Crashed, NotReady
from debughost_cli.models import ProjectType
from debughost_cli.project.detect.python_manifests import PYPROJECT, REQUIREMENTS
from debughost_cli.project.detect.python_other import ENVIRONMENTS, REQUIREMENT_FILES, SETUP
from debughost_cli.project.reader import Folder
from debughost_cli.project.resolve import ResolvedProject

_MISSING = re.compile(r"No module named '?([\w.]+)'?|Cannot find (?:module|package) '([^']+)'")
_MANIFESTS = {
    ProjectType.PYTHON: (
        REQUIREMENTS, PYPROJECT, "Pipfile", *SETUP, *ENVIRONMENTS, *REQUIREMENT_FILES,
    ),
    ProjectType.NODE: ("package.json",),
}  # fmt: skip


def with_manifests(error: Crashed | NotReady, resolved: ResolvedProject) -> Crashed | NotReady:
    """``error``, with a hint about the manifests where the last lines name a missing module."""
    tail = error.details.get("log_tail")
    lines = map(str, tail) if isinstance(tail, list) else ()
    found = [f for line in lines if (f := _MISSING.search(line))]
    known = _MANIFESTS.get(resolved.type)
    name = (found[-1][1] or found[-1][2]) if found else ""
    # A path is a file of the project's own.
    if not name or name.startswith((".", "/")) or not known:
        return error
    # Of one that does not listen, the reason is this and not where it listens.
    logs = f"see 'debughost logs -p {resolved.project}'"
    rest = logs if isinstance(error, NotReady) else error.hint
    return error.with_context(hint=f"{_source(name, known, resolved)}; {rest}")


def _source(name: str, known: tuple[str, ...], resolved: ResolvedProject) -> str:
    present = Folder(resolved.workspace).present(*known)
    used = resolved.dependencies.files if resolved.dependencies else ()
    if not present:
        return f"No file names {name} as a dependency: write it into {known[0]}"
    if not resolved.settings.dependencies:
        return f"Nothing was installed, as dependencies are turned off; there is {_list(present)}"
    unread = [file for file in present if file not in used]
    beside = f"; {_list(unread)} was not read" if unread else ""
    if not used:
        return f"{name} is not installed: nothing was{beside}"
    return f"{name} is not among what {_list(used)} requires{beside}"


def _list(files: Iterable[str]) -> str:
    return ", ".join(files)
