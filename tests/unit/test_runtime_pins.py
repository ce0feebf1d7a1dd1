"""The versions that a workspace asks for: where they stand, and whether an image has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from debughost_cli.models import ProjectType
from debughost_cli.planning.runtime import mismatches, runtime_of
from debughost_cli.project.detect.pins import find_pins
from debughost_cli.project.reader import Folder
from debughost_cli.project.version_ranges import Notation, is_met, newest_line

NODE, PYTHON, PHP = ProjectType.NODE, ProjectType.PYTHON, ProjectType.PHP


@pytest.mark.parametrize(
    ("wanted", "notation", "version", "expected"),
    [
        ("^18 || ^20 || >=22", Notation.NPM, "24", True),
        (">= 18.0.0", Notation.NPM, "24", True),
        (">=18 <21", Notation.NPM, "24", False),
        ("18 - 20", Notation.NPM, "24", False),
        ("18.x || 20.x", Notation.NPM, "20.11.1", True),
        ("24.5.0", Notation.NPM, "24", True),
        ("24.5.0", Notation.NPM, "24.19.0", False),
        ("~24.5", Notation.NPM, "24", True),
        (">=18.0.0 <=20.x", Notation.NPM, "20", True),
        ("~> 18.2", Notation.NPM, "24", False),
        ("*", Notation.NPM, "24", True),
        ("lts/*", Notation.NPM, "24", None),
        ("the newest", Notation.NPM, "24", None),
        ("1." * 500, Notation.NPM, "24", None),
        ("20.11.1", Notation.LINE, "24", False),
        ("24.5.0", Notation.LINE, "24.19.0", True),
        ("3", Notation.LINE, "3.13", True),
        ("3.11.4", Notation.LINE, "3.13", False),
        ("3.13.1", Notation.LINE, "3.13.5", True),
        (">=3.8,<3.12", Notation.PEP440, "3.13", False),
        (">=3.11", Notation.PEP440, "3.13", True),
        ("~=3.11.2", Notation.PEP440, "3.13.5", False),
        ("==3.13.*", Notation.PEP440, "3.13", True),
        (">=3.8,<3.14,!=3.9.7", Notation.POETRY, "3.13", True),
        ("^3.11", Notation.POETRY, "3.13", True),
        ("~3.11", Notation.POETRY, "3.13", False),
        (">=3.8,<3.12", Notation.POETRY, "3.13", False),
        ("^8.1", Notation.COMPOSER, "8.4", True),
        ("~8.1", Notation.COMPOSER, "8.4", True),
        ("~8.1.0", Notation.COMPOSER, "8.4", False),
        ("^7.4|^8.0", Notation.COMPOSER, "8.4", True),
        ("^7.2.5", Notation.COMPOSER, "8.4", False),
        (">=8.1,<8.3", Notation.COMPOSER, "8.4", False),
        ("8.2.*", Notation.COMPOSER, "8.4", False),
        ("^8.2@stable", Notation.COMPOSER, "8.4", True),
    ],
)  # fmt: skip
def test_whether_a_version_is_in_a_range(
    wanted: str, notation: Notation, version: str, expected: bool | None
) -> None:
    assert is_met(wanted, notation, version, 1 if version.startswith("2") else 2) is expected


@pytest.mark.parametrize(
    ("wanted", "notation", "parts", "expected"),
    [
        ("^16 || ^18", Notation.NPM, 1, "18"),
        (">=14 <21", Notation.NPM, 1, "20"),
        ("<=20", Notation.NPM, 1, "20"),
        ("20.11.1", Notation.LINE, 1, "20"),
        (">=3.8,<3.12", Notation.PEP440, 2, "3.11"),
        ("~3.10", Notation.POETRY, 2, "3.10"),
        ("^7.2.5", Notation.COMPOSER, 2, "7.2"),
        ("nonsense", Notation.NPM, 1, ""),
    ],
)
def test_the_newest_line_that_a_range_names(
    wanted: str, notation: Notation, parts: int, expected: str
) -> None:
    assert newest_line(wanted, notation, parts) == expected


@pytest.mark.parametrize(
    ("type_", "files", "expected"),
    [
        (NODE, {".nvmrc": "v20.11.1\n"}, [("node", "20.11.1", ".nvmrc")]),
        (NODE, {".nvmrc": "lts/Iron"}, [("node", "20", ".nvmrc")]),
        (NODE, {".nvmrc": "lts/*"}, []),
        (NODE, {".node-version": "# ours\n18\n"}, [("node", "18", ".node-version")]),
        (NODE, {".tool-versions": "python 3.11\nnodejs 18.17.0\n"},
         [("node", "18.17.0", ".tool-versions")]),
        (NODE, {"mise.toml": '[tools]\nnode = ["22", "20"]\n'},
         [("node", "22", "mise.toml (tools.node)")]),
        (NODE, {".mise.toml": "tools = 3"}, []),
        (NODE, {"package.json": {"engines": {"node": ">=18 <21"}, "volta": {"node": "18.20.1"}}},
         [("node", "18.20.1", "package.json (volta.node)"),
          ("node", ">=18 <21", "package.json (engines.node)")]),
        (NODE, {"package.json": {"packageManager": "pnpm@9.15.0+sha512.0"}},
         [("pnpm", "9.15.0", "package.json (packageManager)")]),
        (NODE, {"package.json": {"packageManager": "pnpm@8.6.0"},
                "pnpm-lock.yaml": "lockfileVersion: '6.0'"}, []),
        (NODE, {"package.json": {"packageManager": "yarn@4.1.0"}}, []),
        (NODE, {"package.json": "{"}, []),
        (PYTHON, {".python-version": "3.11.4\n"}, [("python", "3.11.4", ".python-version")]),
        (PYTHON, {".python-version": "shop-env\n"}, []),
        (PYTHON, {"runtime.txt": "python-3.9.18"}, [("python", "3.9.18", "runtime.txt")]),
        (PYTHON, {"pyproject.toml": '[project]\nname = "shop"\nrequires-python = "<3.12"\n'},
         [("python", "<3.12", "pyproject.toml (project.requires-python)")]),
        (PYTHON, {"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.8"\n'},
         [("python", "^3.8", "pyproject.toml (tool.poetry.dependencies.python)")]),
        (PYTHON, {"Pipfile": '[requires]\npython_version = "3.8"\n'},
         [("python", "3.8", "Pipfile (requires.python_version)")]),
        (PYTHON, {".tool-versions": "python 3.12.1 3.11.4"},
         [("python", "3.12.1", ".tool-versions")]),
        (PHP, {"composer.json": {"require": {"php": "^7.4"},
                                 "config": {"platform": {"php": "7.4.33"}}}},
         [("php", "^7.4", "composer.json (require.php)"),
          ("php", "7.4.33", "composer.json (config.platform.php)")]),
        (PHP, {".php-version": "8.1"}, [("php", "8.1", ".php-version")]),
        (ProjectType.STATIC, {".nvmrc": "18"}, []),
    ],
)  # fmt: skip
def test_where_versions_are_asked_for(
    tmp_path: Path,
    type_: ProjectType,
    files: dict[str, object],
    expected: list[tuple[str, str, str]],
) -> None:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name).write_text(text)
    found = find_pins(Folder(tmp_path), type_)
    assert [(p.runtime, p.wanted, p.place) for p in found] == expected


@pytest.mark.parametrize(
    ("type_", "environment", "refs", "expected"),
    [
        (NODE, {"NODE_VERSION": "20.11.1"}, ["node:20"], "20.11.1"),
        (NODE, {}, ["debug-host/node:123456789012", "debughost-base/node:24"], "24"),
        (PYTHON, {}, ["python:3.13-slim"], "3.13"),
        (PHP, {}, ["docker.io/library/php:8.4-cli-trixie@sha256:0"], "8.4"),
        (PHP, {}, ["php:latest", "shop/php-fpm:1"], ""),
        (NODE, {"NODE_VERSION": "newest"}, ["registry:5000/node:v18.1"], "18.1"),
    ],
)
def test_the_version_of_an_images_runtime(
    type_: ProjectType, environment: dict[str, str], refs: list[str], expected: str
) -> None:
    assert runtime_of(type_, environment, refs) == expected


def test_a_mismatch_names_both_versions_its_place_and_an_image(tmp_path: Path) -> None:
    (tmp_path / ".nvmrc").write_text("18")
    (tmp_path / "package.json").write_text('{"packageManager": "pnpm@9.0.0"}')
    found = mismatches(find_pins(Folder(tmp_path), NODE), {"node": "24", "pnpm": "12.21.0"})
    assert [m.text for m in found] == [
        ".nvmrc asks for Node.js 18, the image has 24; --image node:18 has it",
        "package.json (packageManager) asks for pnpm 9.0.0, the image has 12.21.0",
    ]
    assert mismatches(find_pins(Folder(tmp_path), NODE), {"node": ""}) == []
