"""Detection on the projects of ``tests/corpus/``, each a file in the shape of a real one.

``[files]`` has the text of each file. ``type``, ``framework``, ``command``, ``install`` (the
package manager) and ``port`` (false for a program without one) and
``compiles`` (whether compilers are needed) say what is expected; or ``message``
and ``hint``: parts of the error where nothing can be run. ``warning``: part of one, where there is
any.
"""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

import pytest

from debughost_cli.errors import TypeUnknown
from debughost_cli.models import Detection, NoCommand
from debughost_cli.project.detect import detect

CORPUS = Path(__file__).parent.parent / "corpus"
PROJECTS = {path.stem: tomllib.loads(path.read_text()) for path in sorted(CORPUS.glob("*.toml"))}


def detected(workspace: Path) -> Detection | NoCommand:
    """What is run, or the message of the error that ``up`` ends with."""
    try:
        found = detect(workspace)
    except TypeUnknown as exc:
        return NoCommand(exc.message, exc.hint)
    return found.no_command or found


@pytest.mark.parametrize("name", PROJECTS)
def test_detection_of_a_project(tmp_path: Path, name: str) -> None:
    expected = PROJECTS[name]
    workspace = tmp_path / "shop"
    for file, text in expected["files"].items():
        path = workspace / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = detected(workspace)
    if isinstance(found, NoCommand):
        texts = {"message": found.message, "hint": found.hint}
        for part in ("message", "hint"):
            assert expected[part] in texts[part].replace(str(workspace), "WORKSPACE")
        return
    assert found.command == tuple(shlex.split(expected.get("command", "no command")))
    assert found.type == expected["type"]
    assert found.framework == expected["framework"]
    assert (found.dependencies.manager if found.dependencies else "") == expected.get("install", "")
    assert found.listens == expected.get("port", True)
    warnings = "\n".join(w.message for w in found.warnings).replace(str(workspace), "WORKSPACE")
    assert expected.get("warning", "") in warnings
    assert bool(warnings) is ("warning" in expected)
    assert found.compiles == expected.get("compiles", False)


def test_the_corpus_is_large_enough() -> None:
    assert len(PROJECTS) >= 60
