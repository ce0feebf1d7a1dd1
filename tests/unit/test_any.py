"""``Any`` is what JSON and docker-py give: it stays in the adapter and where JSON is written."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import debughost_cli

PACKAGE = Path(debughost_cli.__file__).parent
JSON_EDGE = {
    "render/json.py", "render/schema.py", "render/shapes.py", "render/config_shapes.py",
    "render/page_shapes.py", "cli/schema.py",
}  # fmt: skip


def elsewhere() -> list[str]:
    """The modules in which ``Any`` is not at home."""
    found = (p.relative_to(PACKAGE).as_posix() for p in sorted(PACKAGE.rglob("*.py")))
    return [name for name in found if not name.startswith("engine/") and name not in JSON_EDGE]


@pytest.mark.parametrize("name", elsewhere())
def test_any_stays_in_the_adapter_and_at_the_json_edge(name: str) -> None:
    tree = ast.parse((PACKAGE / name).read_text("utf-8"))
    used = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "Any"]
    assert not used, f"{name} uses Any on lines {used}: narrow it from object"
